"""Tables of the vault, of virtual numbers and of bindings; the same on SQLite and PostgreSQL.

Outside the first table there are party ids only.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    text,
)

metadata = MetaData()
Big = BigInteger().with_variant(Integer, "sqlite")
Key = String(64).with_variant(String(64, collation="C"), "postgresql")
"""Ids compare as bytes: quicker, and the same whatever the server's language."""

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

numbers = Table(
    "masking_numbers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", String(24), nullable=False, unique=True),
    Column("side", String(16), nullable=False),
    Column("country", String(2), nullable=False),
    Column("area", String(8), nullable=False),
    Column("state", String(16), nullable=False),
    Column("used", Double, nullable=False),
)
"""Virtual numbers. `used`: when one was last given to a binding."""

bindings = Table(
    "masking_bindings",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=False),
    Column("owner", String(64), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("doctor", Key, nullable=False),
    Column("patient", Key, nullable=False),
    Column("patient_line", Integer, ForeignKey("masking_numbers.id"), nullable=False),
    Column("doctor_line", Integer, ForeignKey("masking_numbers.id")),
    Column("code", LargeBinary),
    Column("created", Double, nullable=False),
    Column("live", Double, nullable=False),
    Column("gone", Double, nullable=False),
    Column("quarantine", Double, nullable=False),
    Column("longest", Double, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("killed", Boolean, nullable=False),
    Column("key", String(128)),
    Column("asked", String(32), nullable=False),
    Index("masking_bindings_key", "owner", "key", unique=True),
    Index("masking_bindings_doctor", "doctor"),
    Index("masking_bindings_patient", "patient"),
    Index("masking_bindings_newest", "owner", "created"),
    Index("masking_bindings_gone", "gone"),
)
"""Bindings, until their rest is over. `code` is sealed."""

routes = Table(
    "masking_routes",
    metadata,
    Column("caller", Key, primary_key=True),
    Column("virtual", Integer, ForeignKey("masking_numbers.id"), primary_key=True, autoincrement=False),
    Column("binding", Big, ForeignKey("masking_bindings.id"), nullable=False),
    Column("callee", Key, nullable=False),
    Column("shown", Integer, ForeignKey("masking_numbers.id"), nullable=False),
    Column("live", Double, nullable=False),
    Column("gone", Double, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("coded", Boolean, nullable=False),
    Index("masking_routes_binding", "binding"),
    Index("masking_routes_virtual", "virtual"),
    Index(
        "masking_routes_codes", "virtual", "gone", sqlite_where=text("coded"), postgresql_where=text("coded")
    ),
)
"""Who reaches whom. The primary key is the promise: one caller on one number reaches one party, live or resting."""

tries = Table(
    "masking_tries",
    metadata,
    Column("subject", String(96), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("since", Double, nullable=False),
    Column("until", Double, nullable=False),
    Column("pauses", Integer, nullable=False),
)
"""Wrong codes by caller and by virtual number."""
