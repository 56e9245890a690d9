"""Tables of the vault; the same on SQLite and PostgreSQL."""

from sqlalchemy import Column, Double, ForeignKey, Integer, LargeBinary, MetaData, String, Table

metadata = MetaData()

parties = Table(
    "masking_parties",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tag", LargeBinary(32), nullable=False, unique=True),
    Column("number", LargeBinary, nullable=False),
    Column("created", Double, nullable=False),
)
"""One row a number: `tag` (keyed hash) finds it, `number` is sealed, `id` is random and says nothing."""

reveals = Table(
    "masking_reveals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Double, nullable=False),
    Column("party", String(64), ForeignKey("masking_parties.id"), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("reason", String(200), nullable=False),
)
"""Audit: who was shown which party's number, when and why. Rows are inserted, never changed (triggers refuse it)."""
