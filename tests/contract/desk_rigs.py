"""Stores of bindings for tests: memory, SQLite, PostgreSQL."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

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


@contextmanager
def desk(
    kind: str, folder: Path, postgres: Postgres, *, empty: bool = True, clock: Clock | None = None
) -> Iterator[Desk]:
    """A store; `empty = False` opens what an earlier one left (not in memory)."""
    clock, codes = clock or Clock(), Codes(SEALER)
    if kind == "memory":
        memory = MemoryDesk(clock=clock, codes=codes)
        yield Desk(
            bindings=MemoryBindings(memory), numbers=MemoryNumbers(memory), exchange=MemoryExchange(memory), clock=clock
        )
        return
    if kind == "sqlite":
        engine = prepare(connect(f"sqlite:///{folder}/masking.db"))
    else:
        engine = postgres.engine() if empty else connect(postgres.url)
    ledger = Ledger(engine, patience=60, clock=clock)
    found: list[Alert] = []
    yield Desk(
        bindings=SqlBindings(ledger, codes, found.append),
        numbers=SqlNumbers(ledger),
        exchange=SqlExchange(ledger, codes, alert=found.append),
        clock=clock,
        alerts=found,
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
