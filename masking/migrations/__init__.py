"""Alembic's folder: how the tables of `masking` came to be."""
