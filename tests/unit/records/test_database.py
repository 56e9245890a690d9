"""The tables: made at start, equal to their description, closed against change, and private."""

import logging
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import delete, insert, update
from sqlalchemy.exc import DatabaseError

from records.database import connect, prepare
from records.migrations.versions.r0001_calls import append_only
from records.port import JournalUnavailable
from records.schema import calls, entries, metadata


def test_migrations_make_what_the_schema_says(tmp_path: Path) -> None:
    engine = prepare(f"sqlite:///{tmp_path}/records.db")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "records_version"})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_several_processes_may_prepare_at_once_and_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/records.db"
    with ThreadPoolExecutor(4) as pool:
        for engine in pool.map(prepare, [url] * 4):
            engine.dispose()
    prepare(url).dispose()


def test_preparing_is_quiet(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        prepare(f"sqlite:///{tmp_path}/records.db").dispose()
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_every_file_is_the_owners_alone(tmp_path: Path) -> None:
    engine = prepare(f"sqlite:///{tmp_path}/new/records.db")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()}
    assert set(modes) == {"records.db", "records.db-wal", "records.db-shm"}
    assert set(modes.values()) == {0o600}
    engine.dispose()


def test_entries_can_be_neither_changed_nor_deleted_nor_replaced(tmp_path: Path) -> None:
    engine = prepare(f"sqlite:///{tmp_path}/records.db")
    row = {"call": "c", "number": 1, "at": 1.0, "kind": "Heard", "body": b"x"}
    with engine.begin() as connection:
        connection.execute(insert(calls).values(id="c", started=1.0, outcome="running"))
        connection.execute(insert(entries).values(row))
    for statement in (
        update(entries).values(kind="Other"),
        delete(entries),
        insert(entries).prefix_with("OR REPLACE").values(row),
    ):
        with pytest.raises(DatabaseError, match="append-only"), engine.begin() as connection:
            connection.execute(statement)
    engine.dispose()


def test_postgresql_gets_triggers_too() -> None:
    assert any("BEFORE UPDATE OR DELETE OR TRUNCATE" in statement for statement in append_only("postgresql"))


def test_errors_do_not_show_values(tmp_path: Path) -> None:
    engine = prepare(f"sqlite:///{tmp_path}/records.db")
    with pytest.raises(DatabaseError) as failed, engine.begin() as connection:
        connection.execute(insert(entries).values(call="canary", number=1, at=1.0, kind="Heard", body=b"canary"))
    assert "canary" not in str(failed.value)
    engine.dispose()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "records.db").write_bytes(b"not a database" * 100)
    with pytest.raises(JournalUnavailable, match="cannot be prepared"):
        prepare(f"sqlite:///{tmp_path}/records.db")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalUnavailable, match="cannot be opened"):
        connect(f"sqlite:///{tmp_path}/file/records.db")


def test_a_locked_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA journal_mode=WAL")
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalUnavailable, match="locked"):
        prepare(f"sqlite:///{path}")
    holder.close()
