"""Another process holds the database's write lock: callers do not notice, and their records are whole afterwards."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hotline.conftest import Desks, Speak
from tests.hotline.running import Hotline
from tests.hotline.softphone import Softphone

pytestmark = pytest.mark.sip

SECONDS = 4.0
"""At least so long: more than SQLite itself, and who waits for it, wait for a lock."""


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Nobody else can write."""
    database = sqlite3.connect(file, isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    start = time.monotonic()
    try:
        yield
        time.sleep(max(0.0, start + SECONDS - time.monotonic()))
    finally:
        database.execute("ROLLBACK")
        database.close()


def entries(file: Path) -> int:
    """What lies in the journal; reading needs no lock."""
    with contextlib.closing(sqlite3.connect(file)) as database:
        return int(database.execute("SELECT count(*) FROM entries").fetchone()[0])


def test_calls_go_on_while_the_database_is_locked(
    hotline: Hotline, caller: Softphone, desks: Desks, speak: Speak
) -> None:
    file = hotline.var / "triageline.db"
    voice = speak("please help me my knee hurts very much")
    desks.first.policy = "answer"
    caller.call(hotline.port)
    caller.await_sound()
    with locked(file), Softphone() as other:
        before = entries(file)
        other.call(hotline.port)
        other.await_sound(timeout=8)
        other.hang_up()
        caller.press("0")
        desks.first.await_sound(timeout=8)
        desks.first.press("1")
        desks.first.await_quiet(timeout=8)
        caller.say(voice)
        desks.first.await_sound(since=time.monotonic(), timeout=8)
        assert entries(file) == before, "the database was not locked: a blind test"
    caller.hang_up()
    hotline.assert_idle(10)
    until = time.monotonic() + 10
    while "running" in [line.outcome for line in hotline.calls(2)]:
        assert time.monotonic() < until, "the end of a call is not noted"
        time.sleep(0.1)
    assert [line.outcome for line in hotline.calls(2)] == ["hung_up", "bridged"]
    for line in hotline.calls(2):
        kinds = [entry.kind for entry in hotline.entries(line.call)]
        assert kinds[0] == "CallArrived"
        assert kinds[-1] == "HungUp"
        assert "CallAnswered" in kinds
        assert line.started == pytest.approx(hotline.entries(line.call)[0].at)
