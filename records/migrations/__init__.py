"""Alembic's folder: how the tables of `records` came to be."""
