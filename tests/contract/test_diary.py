"""One suite for every diary: memory, SQLite, PostgreSQL."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from masking.database import prepare
from masking.diary_sql import SqlDiary
from masking.ledger import Ledger
from masking.memory_diary import MemoryDiary
from masking.port import CallRecord, Event, Happened, LegEnd
from records.database import connect
from tests.contract.desk_rigs import Clock
from tests.postgres import Postgres

T = TypeVar("T")
Some = SqlDiary | MemoryDiary
STARTED = Event(kind=Happened.CALL_STARTED, owner="hotline", binding="binding-a", at=10.0, data={"call": "call-x"})
LEG = CallRecord(
    call="call-x", leg="a", owner="hotline", binding="binding-a", party="party-a", number="+12025550100",
    provider="sip", started=1.0, answered=3.0, ended=9.0, end=LegEnd.COMPLETED, released_by="caller",
)  # fmt: skip


@contextmanager
def diary(kind: str, folder: Path, postgres: Postgres) -> Iterator[Some]:
    if kind == "memory":
        yield MemoryDiary()
        return
    engine = prepare(connect(f"sqlite:///{folder}/masking.db")) if kind == "sqlite" else postgres.engine()
    ledger = Ledger(engine, patience=60, clock=Clock())
    yield SqlDiary(ledger)
    ledger.close()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres) -> Iterator[Some]:
    with diary(request.param, tmp_path, postgres) as opened:
        yield opened


def run(work: Coroutine[object, object, T]) -> T:
    return asyncio.run(work)


def test_events_of_a_binding_are_numbered_in_the_order_in_which_they_were_told(store: Some) -> None:
    async def tell() -> None:
        for at in range(3):
            await store.tell(replace(STARTED, at=10.0 + at))
        await store.tell(replace(STARTED, binding="binding-b", at=11.5))

    run(tell())
    found = run(store.events("hotline"))
    assert [(one.event.binding, one.order) for one in found] == [
        ("binding-a", 3), ("binding-b", 1), ("binding-a", 2), ("binding-a", 1),
    ]  # fmt: skip
    assert found[0].event == replace(STARTED, at=12.0)
    assert len({one.id for one in found}) == 4
    assert [one.order for one in run(store.events("hotline", binding="binding-a", limit=2))] == [3, 2]
    assert run(store.events("another")) == ()


def test_many_at_once_have_different_numbers_without_a_gap(store: Some) -> None:
    async def tell() -> None:
        await asyncio.gather(*(store.tell(replace(STARTED, at=float(at))) for at in range(60)))

    run(tell())
    assert sorted(one.order for one in run(store.events("hotline"))) == list(range(1, 61))


def test_what_is_told_once_is_told_once(store: Some) -> None:
    async def tell() -> None:
        await asyncio.gather(*(store.tell(STARTED, once="first") for _ in range(5)))
        await store.tell(STARTED, once="first")
        await store.tell(STARTED, once="second")

    run(tell())
    assert len(run(store.events("hotline"))) == 2


def test_events_without_a_binding_are_kept_and_each_stands_alone(store: Some) -> None:
    scan = Event(kind=Happened.SCAN_SUSPECT, owner="", binding="", at=1.0, data={"seconds": 5.0, "nobody": None})
    run(store.tell(scan))
    run(store.tell(scan))
    assert [(one.event, one.order) for one in run(store.events(""))] == [(scan, 1), (scan, 1)]


def test_a_leg_is_kept_once_and_its_call_ends_once(store: Some) -> None:
    other = replace(LEG, leg="b", party="party-b", answered=None, ended=8.0, end=LegEnd.BUSY)

    async def record() -> None:
        for leg in (LEG, LEG, other, replace(LEG, end=LegEnd.KILLED)):
            await store.record(leg)

    run(record())
    assert run(store.calls("hotline")) == (LEG, other)
    assert run(store.calls("hotline", binding="binding-a", limit=1)) == (LEG,)
    assert run(store.calls("hotline", binding="binding-b")) == ()
    assert run(store.calls("another")) == ()
    (end,) = run(store.events("hotline"))
    assert end.event.kind == Happened.CALL_ENDED
    assert end.event.data["end"] == "completed"
    assert end.event.data["seconds"] == 6.0


def test_an_event_holds_no_long_words(store: Some) -> None:
    with pytest.raises(ValueError, match="ids and codes"):
        run(store.tell(replace(STARTED, data={"said": "x" * 501})))
    assert run(store.events("hotline")) == ()
