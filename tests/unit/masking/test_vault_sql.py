"""What only the SQL vault promises: nothing in clear, audit first, bound rows, trouble told."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, event

from masking.database import prepare
from masking.leaks import LeakOracle
from masking.migrations.versions.m0001_vault import append_only
from masking.port import MaskingUnavailable, PhoneNumber
from masking.schema import metadata
from masking.vault_sql import SqlVault
from records.database import connect
from records.keys import KeyRing

NUMBER, OTHER = "+12025550123", "+447700900123"
SEALER = KeyRing({1: b"k" * 32}).sealer("masking vault")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault.db"


@pytest.fixture
def engine(path: Path) -> Engine:
    return prepare(connect(f"sqlite:///{path}"))


@pytest.fixture
def vault(engine: Engine) -> Iterator[SqlVault]:
    vault = SqlVault(engine, SEALER, clock=lambda: 5.0)
    yield vault
    vault.close()


def test_migrations_make_what_the_schema_says(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "masking_version"})
        assert compare_metadata(context, metadata) == []
    prepare(engine).dispose()


def test_no_spelling_of_a_number_is_in_the_files(path: Path, vault: SqlVault) -> None:
    async def run() -> None:
        for number in (NUMBER, OTHER):
            party = await vault.party(PhoneNumber(number))
            await vault.reveal(party.id, reason=f"called back on {number}", actor="nurse 2025550123")

    asyncio.run(run())
    assert (path.parent / "vault.db-wal").stat().st_size > 0
    assert LeakOracle([NUMBER, OTHER]).scan_folder(path.parent) == ()


def test_the_audit_is_written_before_the_number_is_opened(path: Path, vault: SqlVault) -> None:
    party = asyncio.run(vault.party(PhoneNumber(NUMBER)))
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("UPDATE masking_parties SET number = x'00'")
        raw.commit()
        with pytest.raises(MaskingUnavailable, match="changed"):
            asyncio.run(vault.reveal(party.id, reason="callback", actor="nurse-1"))
        rows = raw.execute("SELECT at, party, actor, reason FROM masking_reveals").fetchall()
    assert rows == [(5.0, party.id, "nurse-1", "callback")]


def test_without_an_audit_there_is_no_number(path: Path, vault: SqlVault) -> None:
    party = asyncio.run(vault.party(PhoneNumber(NUMBER)))
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TRIGGER full BEFORE INSERT ON masking_reveals BEGIN SELECT RAISE(ABORT, 'no'); END")
        raw.commit()
    with pytest.raises(MaskingUnavailable):
        asyncio.run(vault.reveal(party.id, reason="callback", actor="nurse-1"))


@pytest.mark.parametrize("statement", ["UPDATE masking_reveals SET actor = 'x'", "DELETE FROM masking_reveals"])
def test_the_audit_cannot_be_changed(path: Path, vault: SqlVault, statement: str) -> None:
    party = asyncio.run(vault.party(PhoneNumber(NUMBER)))
    asyncio.run(vault.reveal(party.id, reason="callback", actor="nurse-1"))
    with closing(sqlite3.connect(path)) as raw, pytest.raises(sqlite3.DatabaseError, match="append-only"):
        raw.execute(statement)
    assert any("TRUNCATE" in one for one in append_only("postgresql"))


def test_numbers_cannot_be_swapped_between_parties(path: Path, vault: SqlVault) -> None:
    one = asyncio.run(vault.party(PhoneNumber(NUMBER)))
    two = asyncio.run(vault.party(PhoneNumber(OTHER)))
    with closing(sqlite3.connect(path)) as raw:
        swap = "UPDATE masking_parties SET number = (SELECT number FROM masking_parties WHERE id = ?) WHERE id = ?"
        raw.execute(swap, (two.id, one.id))
        raw.commit()
    with pytest.raises(MaskingUnavailable):
        asyncio.run(vault.reveal(one.id, reason="callback", actor="nurse-1"))


def test_two_processes_agree_on_a_new_party(path: Path, vault: SqlVault) -> None:
    others = [SqlVault(connect(f"sqlite:///{path}"), SEALER) for _ in range(3)]

    async def run() -> set[str]:
        vaults = [vault, *others] * 5
        found = await asyncio.gather(*(one.party(PhoneNumber(NUMBER)) for one in vaults))
        return {party.id for party in found}

    assert len(asyncio.run(run())) == 1
    for other in others:
        other.close()


def test_a_locked_vault_is_told_in_time(engine: Engine, path: Path) -> None:
    impatient = SqlVault(engine, SEALER, patience=0.2)
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(MaskingUnavailable, match="does not answer"):
            asyncio.run(impatient.party(PhoneNumber(NUMBER)))
    impatient.close()


def test_database_errors_hold_no_number(path: Path, engine: Engine) -> None:
    event.listen(engine, "connect", lambda raw, record: raw.execute("PRAGMA query_only=ON"))
    engine.dispose()
    vault = SqlVault(engine, SEALER)
    with pytest.raises(MaskingUnavailable) as failed:
        asyncio.run(vault.party(PhoneNumber(NUMBER)))
    trouble: BaseException | None = failed.value
    while trouble is not None:
        assert LeakOracle([NUMBER]).scan(str(trouble).encode()) == ()
        trouble = trouble.__cause__
    vault.close()


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_bytes(b"not a database" * 100)
    engine = connect(f"sqlite:///{path}")
    with pytest.raises(MaskingUnavailable, match="cannot be prepared"):
        prepare(engine)
    engine.dispose()
