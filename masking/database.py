"""The vault's tables, brought up to date at start."""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from masking.port import MaskingUnavailable

MIGRATION_LOCK = 0x6D61736B
"""PostgreSQL advisory lock: one process migrates, the others wait."""


def prepare(engine: Engine) -> Engine:
    """Bring the tables of `masking` up to date on an engine whose SQLite files are private and synced at commit; quiet,
    safe in several processes at once. The same engine comes back. Raises MaskingUnavailable."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    try:
        with engine.execution_options(write=True).begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except SQLAlchemyError as error:
        message = "the vault database cannot be prepared: it is locked, full, not ours or not to be reached"
        raise MaskingUnavailable(message) from error
    return engine
