"""Rounds are made by one process at a time, and operators are told once of every change."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from masking.alerts_sql import QUIET, SqlAlerts
from masking.bindings_sql import SqlBindings
from masking.caretaker import EVERY, LOOKED_AFTER, Caretaker
from masking.codes import Codes
from masking.database import prepare
from masking.exchange_sql import SqlExchange
from masking.ledger import Ledger
from masking.numbers_sql import SqlNumbers
from masking.port import CallRecord, Event, Happened, Kind, MaskingRefused, NumberState, Side, VirtualNumber, Wanted
from records.database import connect
from tests.contract.desk_rigs import SEALER, Clock
from tests.postgres import Postgres


@dataclass(slots=True)
class Told:
    """A diary that keeps what it was told."""

    events: list[Event] = field(default_factory=list)

    async def tell(self, event: Event) -> None:
        self.events.append(event)

    async def record(self, record: CallRecord) -> None:
        raise AssertionError("nobody calls here")

    async def calls(self, owner: str, *, binding: str = "", limit: int = 100) -> tuple[CallRecord, ...]:
        return ()

    def new(self) -> list[tuple[object, ...]]:
        """Since this was last asked."""
        found, self.events = self.events, []
        assert {event.kind for event in found} <= {Happened.NUMBER_ALERT}
        return [(event.data["why"], event.data["what"], event.data["state"]) for event in found]


class Process:
    """One of several on the same database."""

    def __init__(self, url: str, name: str, clock: Clock, diary: Told) -> None:
        self.ledger = Ledger(connect(url), patience=60, clock=clock)
        self.numbers = SqlNumbers(self.ledger)
        alerts = SqlAlerts(self.ledger)
        self.bindings = SqlBindings(self.ledger, Codes(SEALER), alerts.note)
        self.exchange = SqlExchange(self.ledger, Codes(SEALER), alert=alerts.note)
        self.caretaker = Caretaker(
            ledger=self.ledger, exchange=self.exchange, numbers=self.numbers, alerts=alerts, diary=diary,
            clock=clock, taker=name,
        )  # fmt: skip

    async def bind(self, patient: str) -> None:
        wanted = Wanted(owner="o", kind=Kind.PAIR, doctor="party-d", patient=patient, life=1000, quarantine=100)
        await self.bindings.create(wanted)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres) -> str:
    if request.param == "postgresql":
        postgres.engine().dispose()
        return postgres.url
    prepare(connect(f"sqlite:///{tmp_path}/masking.db")).dispose()
    return f"sqlite:///{tmp_path}/masking.db"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def diary() -> Told:
    return Told()


@pytest.fixture
def both(url: str, clock: Clock, diary: Told) -> Iterator[tuple[Process, Process]]:
    with ExitStack() as stack:
        found = [Process(url, name, clock, diary) for name in ("one", "two")]
        for process in found:
            stack.callback(process.ledger.close)
        yield found[0], found[1]


def number(at: int, side: Side) -> VirtualNumber:
    return VirtualNumber(number=f"+1202555{100 + at:04d}", side=side, country="US")


def test_one_process_has_the_duty_until_it_dies(both: tuple[Process, Process], clock: Clock) -> None:
    async def run() -> None:
        one, two = both
        assert sorted(await asyncio.gather(one.caretaker.once(), two.caretaker.once())) == [False, True]
        first, second = (one, two) if await one.caretaker.once() else (two, one)
        clock.now += EVERY
        assert await first.caretaker.once()
        clock.now += EVERY
        assert not await second.caretaker.once()
        clock.now += EVERY  # the first is silent for two rounds
        assert await second.caretaker.once()
        assert not await first.caretaker.once()
        clock.now -= 10 * EVERY  # an end that far away is none
        assert await first.caretaker.once()

    asyncio.run(run())


def test_what_has_ended_and_rested_is_forgotten(both: tuple[Process, Process], clock: Clock) -> None:
    async def run() -> None:
        one, _ = both
        await one.numbers.add((number(0, Side.PATIENT), number(1, Side.DOCTOR)))
        await one.bind("party-p")
        clock.now += 1100
        await one.caretaker.once()
        assert await one.bindings.list("o") == ()

    asyncio.run(run())


def test_operators_are_told_once_of_every_change(both: tuple[Process, Process], clock: Clock, diary: Told) -> None:
    async def rounds(process: Process) -> list[tuple[object, ...]]:
        for _ in range(LOOKED_AFTER + 1):
            await process.caretaker.once()
        return diary.new()

    async def run() -> None:
        one, two = both
        await one.numbers.add((*(number(at, Side.PATIENT) for at in range(2)), number(2, Side.DOCTOR)))
        assert await rounds(one) == []
        await one.bind("party-p")
        with pytest.raises(MaskingRefused):
            await two.bind("party-q")  # noticed by a process that has not the duty
        await two.numbers.change(number(1, Side.PATIENT).number, NumberState.DRAINING)
        assert sorted(await rounds(one)) == [
            ("drained", number(1, Side.PATIENT).number, "raised"),
            ("nearly_full", "doctor US", "raised"),
            ("nearly_full", "patient US", "raised"),
            ("no_capacity", "doctor_number", "raised"),
            ("runs_out", "doctor US", "raised"),
            ("runs_out", "patient US", "raised"),
        ]
        assert await rounds(one) == []
        await one.numbers.remove(number(1, Side.PATIENT).number)
        clock.now += 1101
        assert sorted(await rounds(one)) == [
            ("drained", number(1, Side.PATIENT).number, "cleared"),
            ("nearly_full", "doctor US", "cleared"),
            ("nearly_full", "patient US", "cleared"),
            ("runs_out", "doctor US", "cleared"),
            ("runs_out", "patient US", "cleared"),
        ]
        clock.now += QUIET
        assert await rounds(one) == [("no_capacity", "doctor_number", "cleared")]
        assert await rounds(one) == []

    asyncio.run(run())
