"""Tables of the call journal and of promised callbacks; the same on SQLite and PostgreSQL.

Only what lists and ordering need is in clear: ids, times, kinds, outcomes. Everything a caller said or is told is in
`entries.body`, encrypted under the key of its call. Setting `calls.sealed_key` to NULL makes a call unreadable for ever
without deleting a row of an append-only table.
"""

from sqlalchemy import Boolean, Column, Double, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table

metadata = MetaData()

calls = Table(
    "calls",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("started", Double, nullable=False),
    Column("ended", Double),
    Column("outcome", String(32), nullable=False),
    Column("sealed_key", LargeBinary),
    Index("calls_by_start", "started"),
)
"""One row a call. `ended` stays NULL while the call runs and after a crash; `sealed_key` is the wrapped data key."""

entries = Table(
    "entries",
    metadata,
    Column("call", String(64), ForeignKey("calls.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""The journal: rows are inserted, never changed (triggers refuse it)."""

callbacks = Table(
    "callbacks",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("call", String(64), nullable=False),
    Column("party", String(64), nullable=False),
    Column("urgency", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("done", Boolean, nullable=False),
    Index("callbacks_open", "done", "urgency", "at"),
)
"""Promises to call back. The number is not here: `party` names it in the masking vault."""

lifelines = Table(
    "lifelines",
    metadata,
    Column("call", String(64), primary_key=True),
    Column("party", String(64), nullable=False),
    Column("reachable", Boolean, nullable=False),
    Column("keeper", String(64), nullable=False),
    Column("urgency", Integer, nullable=False),
    Column("human", Boolean, nullable=False),
    Column("at", Double, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("cut", Boolean, nullable=False),
    Index("lifelines_by_party", "party"),
)
"""Calls in progress: a row lives as long as its call, so the table stays as small as the hotline is busy."""

phones = Table(
    "phones",
    metadata,
    Column("agent", String(64), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("at", Double, nullable=False),
)
"""Agents' phones that register: what proves their passwords, sealed; `at` is when it was set."""
