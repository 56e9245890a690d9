"""Stores of bindings for tests: memory, SQLite, PostgreSQL."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Connector
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event

from masking.bindings_sql import SqlBindings
from masking.codes import Codes
from masking.database import prepare
from masking.exchange_sql import SqlExchange
from masking.ledger import Ledger
from masking.memory_desk import MemoryBindings, MemoryDesk, MemoryExchange, MemoryNumbers
from masking.numbers_sql import SqlNumbers
from masking.port import Alert, Binding, Bindings, Exchange, Kind, Numbers, Wanted
from records.database import connect
from records.keys import KeyRing
from tests.postgres import Postgres

T = TypeVar("T")
SEALER = KeyRing({1: b"k" * 32}).sealer("masking codes")


@dataclass(slots=True, kw_only=True)
class Clock:
    """Goes when told to."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(slots=True, kw_only=True)
class Desk:
    """The three doors of one store."""

    bindings: Bindings
    numbers: Numbers
    exchange: Exchange
    clock: Clock
    alerts: list[Alert] = field(default_factory=list)
    engine: Engine | None = None


class InPlace(Ledger):
    """A ledger without threads: for walks of very many steps."""

    async def read(self, work: Callable[[Connection], T], *, patience: float | None = None) -> T:
        return self._read(work)

    async def look(self, work: Callable[[Connection], T]) -> T:
        return self._look(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        return self._write(work)

    def soon(self, work: Callable[[], None]) -> None:
        work()

    def close(self) -> None:
        """The database lives on: another ledger may open it again."""


def in_memory() -> Engine:
    """SQLite without a file, one connection, for one thread."""
    engine = create_engine("sqlite://", poolclass=StaticPool)

    def configure(connection: Any, record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys=ON")

    event.listen(engine, "connect", configure)
    event.listen(engine, "begin", lambda db: db.exec_driver_sql("BEGIN"))
    return prepare(engine)


@contextmanager
def desk(
    kind: str,
    folder: Path,
    postgres: Postgres,
    *,
    empty: bool = True,
    clock: Clock | None = None,
    engine: Engine | None = None,
) -> Iterator[Desk]:
    """A store; `empty = False` opens what an earlier one left (not in memory). `engine`: that of a "quick" one, opened
    again."""
    clock, codes = clock or Clock(), Codes(SEALER)
    if kind == "memory":
        memory = MemoryDesk(clock=clock, codes=codes)
        yield Desk(
            bindings=MemoryBindings(memory), numbers=MemoryNumbers(memory), exchange=MemoryExchange(memory), clock=clock
        )
        return
    if kind == "sqlite":
        engine = prepare(connect(f"sqlite:///{folder}/masking.db"))
    elif kind == "quick":
        engine = engine or in_memory()
    else:
        engine = postgres.engine() if empty else connect(postgres.url)
    ledger = (InPlace if kind == "quick" else Ledger)(engine, patience=60, clock=clock)
    found: list[Alert] = []
    yield Desk(
        bindings=SqlBindings(ledger, codes, found.append),
        numbers=SqlNumbers(ledger),
        exchange=SqlExchange(ledger, codes, alert=found.append),
        clock=clock,
        alerts=found,
        engine=engine,
    )
    ledger.close()


def bind_some(url: str, who: str, count: int) -> tuple[list[str], list[str]]:
    """In a process of its own: one patient is bound to `count` doctors. The patient's numbers, and the refusals."""

    async def run() -> list[Binding | BaseException]:
        ledger = Ledger(connect(url), patience=60)
        bindings = SqlBindings(ledger, Codes(SEALER))
        doctors = [f"party-{who}{at}" for at in range(count)]
        wanted = [Wanted(owner="race", kind=Kind.PAIR, patient="party-patient", doctor=one) for one in doctors]
        try:
            return await asyncio.gather(*map(bindings.create, wanted), return_exceptions=True)
        finally:
            ledger.close()

    answers = asyncio.run(run())
    made = [one.patient_number for one in answers if isinstance(one, Binding)]
    return made, [str(getattr(one, "code", one)) for one in answers if not isinstance(one, Binding)]


def bind_on(url: str, told: Connector) -> None:
    """In a process of its own, until it is killed: bind, eight at a time, and say which are confirmed."""

    async def run() -> None:
        bindings, turn = SqlBindings(Ledger(connect(url), patience=60), Codes(SEALER)), 0
        while True:
            turn += 1
            wanted = [
                Wanted(
                    owner="race", kind=Kind.PAIR, patient=f"party-p{turn}-{at}", doctor=f"party-d{turn}-{at}",
                    phones=(f"party-m{turn}-{at}",),
                )
                for at in range(8)
            ]  # fmt: skip
            for made in await asyncio.gather(*map(bindings.create, wanted)):
                told.send(made.id)

    asyncio.run(run())
