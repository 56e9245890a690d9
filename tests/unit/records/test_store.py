"""The writer thread: groups, bad jobs, cancelled callers."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select

from records.database import prepare
from records.port import JournalUnavailable
from records.schema import calls
from records.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(prepare(f"sqlite:///{tmp_path}/records.db"))
    yield store
    store.close()


def add(name: str) -> Callable[[Connection], str]:
    def work(db: Connection) -> str:
        db.execute(insert(calls).values(id=name, started=1.0, outcome="running"))
        return name

    return work


def count(db: Connection) -> int:
    return db.execute(select(func.count()).select_from(calls)).scalar_one()


class Gate:
    """Holds the writer thread, so that the next jobs make one group."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()

    def __call__(self, db: Connection) -> None:
        self.entered.set()
        assert self.open.wait(10)


def test_what_waits_together_is_committed_together(store: Store) -> None:
    seen: set[int] = set()

    def note(db: Connection) -> None:
        seen.add(id(db))

    async def run() -> None:
        gate = Gate()
        first = asyncio.create_task(store.write(gate))
        await asyncio.to_thread(gate.entered.wait, 10)
        rest = [asyncio.create_task(store.write(note)) for _ in range(50)]
        await asyncio.sleep(0)
        gate.open.set()
        await asyncio.gather(first, *rest)

    asyncio.run(run())
    assert len(seen) == 1


def test_one_bad_job_does_not_take_the_others_with_it(store: Store) -> None:
    def bad(db: Connection) -> None:
        db.execute(insert(calls).values(id="bad", started=1.0, outcome="running"))
        raise LookupError("mine")

    async def run() -> list[object]:
        gate = Gate()
        first = asyncio.create_task(store.write(gate))
        await asyncio.to_thread(gate.entered.wait, 10)
        jobs = [asyncio.create_task(store.write(work)) for work in (add("a"), bad, add("b"), add("a"))]
        await asyncio.sleep(0)
        gate.open.set()
        await first
        return await asyncio.gather(*jobs, return_exceptions=True)

    a, mine, b, twice = asyncio.run(run())
    assert (a, b) == ("a", "b")
    assert isinstance(mine, LookupError)
    assert isinstance(twice, JournalUnavailable)
    assert asyncio.run(store.read(count)) == 2


def test_a_row_that_is_there_already_does_not_fail_its_group(store: Store) -> None:
    async def run() -> list[object]:
        gate = Gate()
        first = asyncio.create_task(store.write(gate))
        await asyncio.to_thread(gate.entered.wait, 10)
        jobs = [asyncio.create_task(store.write(add(name))) for name in ("a", "a", "b")]
        await asyncio.sleep(0)
        gate.open.set()
        await first
        return await asyncio.gather(*jobs, return_exceptions=True)

    a, twice, b = asyncio.run(run())
    assert (a, b) == ("a", "b")
    assert isinstance(twice, JournalUnavailable)


def test_a_caller_who_gave_up_harms_nobody(store: Store) -> None:
    async def run() -> None:
        gate = Gate()
        first = asyncio.create_task(store.write(gate))
        await asyncio.to_thread(gate.entered.wait, 10)
        given_up = asyncio.create_task(store.write(add("given-up")))
        await asyncio.sleep(0)
        given_up.cancel()
        first.cancel()
        await asyncio.gather(first, given_up, return_exceptions=True)
        gate.open.set()
        await store.write(add("after"))

    asyncio.run(run())
    assert asyncio.run(store.read(count)) == 1


def test_closing_finishes_what_is_queued(tmp_path: Path) -> None:
    engine = prepare(f"sqlite:///{tmp_path}/records.db")
    store = Store(engine)

    async def run() -> None:
        jobs = [asyncio.create_task(store.write(add(f"call-{number}"))) for number in range(300)]
        await asyncio.sleep(0)
        await asyncio.to_thread(store.close)
        await asyncio.gather(*jobs)

    asyncio.run(run())
    with engine.connect() as connection:
        assert count(connection) == 300
    engine.dispose()


def test_a_cancelled_caller_is_cancelled_whatever_the_writer_is_doing(store: Store) -> None:
    async def run() -> None:
        for turn in range(200):
            task = asyncio.create_task(store.write(add(f"call-{turn}")))
            await asyncio.sleep(turn * 1e-5)
            taken = task.cancel()
            await asyncio.wait({task})
            assert task.cancelled() == taken

    asyncio.run(run())
