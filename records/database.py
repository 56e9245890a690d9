"""The database: connections with the right durability, and the tables brought up to date at start."""

import logging
import os
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from records.port import JournalUnavailable

BUSY_MILLISECONDS = 2000
"""How long SQLite waits for another process's write before it says "busy"."""
MIGRATION_LOCK = 0x7472696167
"""PostgreSQL advisory lock: one process migrates, the others wait."""

PRAGMAS = (
    "journal_mode=WAL",
    # In WAL mode NORMAL does not sync at commit: a power cut would lose entries that the call has already acted on.
    # FULL syncs the log once a commit, and commits are grouped, so the price is one sync for many entries.
    "synchronous=FULL",
    f"busy_timeout={BUSY_MILLISECONDS}",
    "foreign_keys=ON",
    # Without it INSERT OR REPLACE deletes rows behind the append-only trigger.
    "recursive_triggers=ON",
    # A deleted number must not stay readable in free pages, nor a sort spill into a temporary file.
    "secure_delete=ON",
    "temp_store=MEMORY",
)


def connect(url: str) -> Engine:
    """An engine for `sqlite:///file` or `postgresql+driver://...`.

    On SQLite the file is created readable by the owner only, and transactions of `engine.execution_options(write=True)`
    take the write lock at their start: a transaction that reads first and then writes could otherwise fail at once as
    soon as another process has written in between. Raises JournalUnavailable where the folder or file cannot be used.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        # Parameters of a failed statement hold what callers said; they must not reach an error text or a log.
        return create_engine(parsed, hide_parameters=True, pool_pre_ping=True)
    _create_private(parsed)
    engine = create_engine(parsed, hide_parameters=True)
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def prepare(url: str) -> Engine:
    """Connect and bring the tables of `records` up to date; quiet, safe in several processes at once.
    Raises JournalUnavailable."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    engine = connect(url)
    try:
        with engine.execution_options(write=True).begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except SQLAlchemyError as error:
        engine.dispose()
        raise JournalUnavailable("the records database cannot be prepared: it is locked, full or not ours") from error
    return engine


def _create_private(url: URL) -> None:
    """Make the file with mode 0600: SQLite gives its -wal and -shm files the same mode."""
    if not url.database or url.database == ":memory:":
        raise ValueError("the records need a database file: a memory database is lost with its connection")
    path = Path(url.database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise JournalUnavailable(f"the database file cannot be opened: {error.strerror}") from error


def _set_pragmas(connection: Any, record: object) -> None:
    """Called for every new SQLite connection."""
    connection.isolation_level = None  # the driver must not open transactions on its own: `_begin` does
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
