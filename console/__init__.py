"""Web pages and the API; see README.md."""
