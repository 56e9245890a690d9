"""What was said: recognisers, and the catalog and installer of their models."""
