"""What only the SQL journal promises: encryption, binding to the place, trouble with the disk, survival."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event

from records.database import prepare
from records.journal_sql import JournalDamaged, SqlJournal
from records.keys import KeyRefused, KeyRing
from records.port import Entry, JournalUnavailable
from records.store import Store

KEYS = KeyRing({1: b"k" * 32})
WORDS = "my chest hurts and my left arm too"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store(prepare(f"sqlite:///{path}"))
    yield store
    store.close()


def heard(call: str, text: str = WORDS, at: float = 10.0) -> Entry:
    return Entry(call=call, at=at, kind="Heard", data={"text": text})


def fill(store: Store, *calls: str) -> SqlJournal:
    journal = SqlJournal(store, KEYS)

    async def write() -> None:
        for call in calls:
            await journal.append(heard(call, f"{WORDS} {call} first"))
            await journal.append(heard(call, f"{WORDS} {call} second"))
            await journal.append(Entry(call=call, at=11.0, kind="HungUp", data={}))

    asyncio.run(write())
    return journal


def forge(path: Path, *statements: str) -> None:
    """Change the database as somebody with the file but without the keys could."""
    with closing(sqlite3.connect(path)) as raw:
        for trigger in ("entries_no_update", "entries_no_delete"):
            raw.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            assert raw.execute(statement).rowcount
        raw.commit()


def test_nothing_said_is_in_the_files_in_clear(path: Path, store: Store) -> None:
    fill(store, "one")
    blob = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"Heard" in blob
    for word in WORDS.split():
        if len(word) > 3:
            assert word.encode() not in blob


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET kind = 'Hoard' WHERE number = 1 AND call = 'one'",
        "UPDATE entries SET at = 9.5 WHERE number = 1 AND call = 'one'",
        "UPDATE entries SET body = (SELECT body FROM entries WHERE call = 'one' AND number = 2) "
        "WHERE call = 'one' AND number = 1",
        "UPDATE entries SET body = (SELECT body FROM entries WHERE call = 'two' AND number = 1) "
        "WHERE call = 'one' AND number = 1",
        "UPDATE entries SET body = x'00' WHERE number = 1 AND call = 'one'",
        "DELETE FROM entries WHERE number = 2 AND call = 'one'",
        "UPDATE entries SET number = 7 WHERE number = 3 AND call = 'one'",
        "UPDATE calls SET sealed_key = (SELECT sealed_key FROM calls WHERE id = 'two') WHERE id = 'one'",
        "UPDATE calls SET sealed_key = x'' WHERE id = 'one'",
    ],
)
def test_edited_swapped_and_missing_entries_are_refused(path: Path, store: Store, statement: str) -> None:
    journal = fill(store, "one", "two")
    forge(path, statement)
    with pytest.raises(JournalDamaged):
        asyncio.run(journal.read("one"))
    assert len(asyncio.run(journal.read("two"))) == 3


def test_a_call_without_its_key_is_gone_for_good(path: Path, store: Store) -> None:
    journal = fill(store, "one")
    forge(path, "UPDATE calls SET sealed_key = NULL")
    with pytest.raises(KeyError):
        asyncio.run(journal.read("one"))
    assert [line.call for line in asyncio.run(journal.list())] == ["one"]


def test_other_keys_are_refused_at_start(store: Store) -> None:
    asyncio.run(SqlJournal(store, KeyRing({1: b"x" * 32})).check_keys())
    fill(store, "one")
    asyncio.run(SqlJournal(store, KEYS).check_keys())
    stranger = SqlJournal(store, KeyRing({1: b"x" * 32}))
    with pytest.raises(KeyRefused, match="master keys"):
        asyncio.run(stranger.check_keys())
    with pytest.raises(JournalUnavailable):
        asyncio.run(stranger.append(heard("one")))
    with pytest.raises(JournalUnavailable):
        asyncio.run(stranger.read("one"))


def test_a_full_disk_is_told_and_passes(path: Path) -> None:
    engine = prepare(f"sqlite:///{path}")
    event.listen(engine, "connect", lambda raw, record: raw.execute("PRAGMA max_page_count=24"))
    engine.dispose()
    store = Store(engine)
    journal = SqlJournal(store, KEYS)
    with pytest.raises(JournalUnavailable):
        asyncio.run(journal.append(heard("one", "x" * 200_000)))
    asyncio.run(journal.append(heard("one", "short")))
    assert [entry.data for entry in asyncio.run(journal.read("one"))] == [{"text": "short"}]
    store.close()


def test_a_locked_database_is_told_in_time_and_passes(path: Path) -> None:
    store = Store(prepare(f"sqlite:///{path}"), patience=0.3)
    journal = SqlJournal(store, KEYS)
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalUnavailable, match="does not answer"):
            asyncio.run(journal.append(heard("one")))
        holder.execute("ROLLBACK")
    store.close()
    again = Store(prepare(f"sqlite:///{path}"))
    asyncio.run(SqlJournal(again, KEYS).append(heard("two")))
    again.close()


def test_a_busy_database_is_told(path: Path) -> None:
    engine = prepare(f"sqlite:///{path}")
    event.listen(engine, "connect", lambda raw, record: raw.execute("PRAGMA busy_timeout=20"))
    engine.dispose()
    store = Store(engine)
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalUnavailable, match="OperationalError"):
            asyncio.run(SqlJournal(store, KEYS).append(heard("one")))
    store.close()


def test_a_closed_store_says_so(path: Path) -> None:
    store = Store(prepare(f"sqlite:///{path}"))
    store.close()
    with pytest.raises(JournalUnavailable):
        asyncio.run(SqlJournal(store, KEYS).append(heard("one")))


def test_errors_and_their_causes_hold_nothing_said(path: Path, store: Store) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("DROP TABLE entries")
    with pytest.raises(JournalUnavailable) as failed:
        asyncio.run(SqlJournal(store, KEYS).append(heard("canary-call")))
    trouble: BaseException | None = failed.value
    while trouble is not None:
        assert "chest" not in str(trouble)
        assert "canary" not in str(trouble)
        trouble = trouble.__cause__


CRASH = """
import asyncio, os, sys
from records.database import prepare
from records.journal_sql import SqlJournal
from records.keys import KeyRing
from records.port import Entry
from records.store import Store

async def main():
    journal = SqlJournal(Store(prepare(sys.argv[1])), KeyRing({1: b"k" * 32}))
    for number in range(1000):
        await journal.append(Entry(call="crashed", at=float(number), kind="Heard", data={"text": str(number)}))
        print(number, flush=True)

asyncio.run(main())
"""


def test_what_was_awaited_survives_a_killed_process_and_the_call_stays_listed(path: Path, store: Store) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CRASH, f"sqlite:///{path}"], stdout=subprocess.PIPE, text=True, cwd=os.getcwd()
    )
    assert child.stdout is not None
    told = [next(child.stdout) for _ in range(20)]
    child.send_signal(signal.SIGKILL)
    told += child.stdout.readlines()
    child.stdout.close()
    child.wait()
    journal = SqlJournal(store, KEYS)
    kept = asyncio.run(journal.read("crashed"))
    assert len(kept) >= len(told)
    assert [entry.data["text"] for entry in kept] == [str(number) for number in range(len(kept))]
    (line,) = asyncio.run(journal.list())
    assert (line.ended, line.outcome) == (None, "running")
