"""Binds and look-ups a second, their latencies, and bytes a binding, on SQLite and PostgreSQL.

    .venv/bin/python -m scripts.bench.masking [--bindings 100000] [--store sqlite,postgresql] [--json FILE]

Both stores sync to disk at commit. Binds come `--together` at a time, as from many callers of an API; the look-ups
follow, `--readers` at a time. The single binds at the end each wait for a disk of their own.
"""

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, text

from masking.bindings_sql import SqlBindings
from masking.codes import Codes
from masking.database import prepare
from masking.exchange_sql import SqlExchange
from masking.ledger import Ledger
from masking.numbers_sql import SqlNumbers
from masking.port import Binding, Dialled, Kind, Outcome, Side, VirtualNumber, Wanted
from records.database import connect
from records.keys import KeyRing
from tests.postgres import Postgres

SIDE = 500
"""Virtual numbers a side."""
DEGREE = 400
"""Patients of a doctor; each takes one of the doctor's numbers."""
SEALER = KeyRing({1: b"b" * 32}).sealer("masking codes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Figures of one store."""

    store: str
    bindings: int
    binds_a_second: float
    bind_ms: dict[str, float]
    lookups_a_second: float
    lookup_ms: dict[str, float]
    bytes_a_binding: float


@contextmanager
def opened(store: str) -> Iterator[tuple[Engine, Callable[[], int]]]:
    """The database, and how to ask for its size in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        if store == "sqlite":
            file = Path(folder) / "masking.db"
            engine = prepare(connect(f"sqlite:///{file}"))

            def size() -> int:
                with engine.connect() as db:
                    db.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
                return file.stat().st_size

            yield engine, size
            return
        with Postgres(fsync="on", shared_buffers="256MB", max_wal_size="4GB") as postgres:
            engine = postgres.engine()

            def tables() -> int:
                sizes = "pg_total_relation_size('masking_routes') + pg_total_relation_size('masking_bindings')"
                with engine.connect() as db:
                    return int(db.execute(text(f"SELECT {sizes}")).scalar() or 0)

            yield engine, tables


def wishes(count: int) -> Iterator[Wanted]:
    """Pairs in an order that favours nobody."""
    doctors = max(1, -(-count // DEGREE))
    for at in range(count):
        yield Wanted(
            owner="bench", kind=Kind.PAIR, doctor=f"party-doctor-of-bench{at % doctors:08d}",
            patient=f"party-patient-bench{at // 2:08d}", life=30 * 86400.0,
        )  # fmt: skip


async def measure(store: str, count: int, together: int, readers: int) -> Result:
    """Fill one store and look things up in it."""
    with opened(store) as (engine, size), closing(Ledger(engine, patience=120)) as ledger:
        sides = [Side.PATIENT] * SIDE + [Side.DOCTOR] * SIDE
        numbers = tuple(
            VirtualNumber(number=f"+86700{at:012}", side=side, country="CN") for at, side in enumerate(sides)
        )
        await SqlNumbers(ledger).add(numbers)
        codes = Codes(SEALER)
        bindings, exchange = SqlBindings(ledger, codes), SqlExchange(ledger, codes)
        every, made = list(wishes(count + 200)), []
        start = time.perf_counter()
        for first in range(0, count, together):
            made += await asyncio.gather(*map(bindings.create, every[first : min(count, first + together)]))
            if first % (together * 50) == 0:
                print(f"\r{store}: {len(made)} of {count} bindings", end="", flush=True)
        took = time.perf_counter() - start
        print()
        each = size() / count
        single = [await timed(lambda one=one: bindings.create(one)) for one in every[count:]]  # type: ignore[misc]
        speed, lookups = await look_up(exchange, made, readers)
        return Result(
            store=store,
            bindings=count,
            binds_a_second=round(count / took),
            bind_ms=spread(single),
            lookups_a_second=round(speed),
            lookup_ms=spread(lookups),
            bytes_a_binding=round(each),
        )


async def look_up(exchange: SqlExchange, made: list[Binding], readers: int) -> tuple[float, list[float]]:
    """Look-ups a second with several at once, and the latencies of single ones."""
    source = random.Random(1)
    chosen = source.choices(made, k=5000)

    async def one(binding: Binding) -> None:
        verdict = await exchange.resolve(Dialled(number=binding.patient_number, caller=binding.patient))
        if verdict.outcome != Outcome.CONNECT or verdict.callee != binding.doctor:
            raise SystemExit("a call was misrouted")

    async def several(some: list[Binding]) -> None:
        for binding in some:
            await one(binding)

    start = time.perf_counter()
    await asyncio.gather(*(several(chosen[at::readers]) for at in range(readers)))
    speed = len(chosen) / (time.perf_counter() - start)
    return speed, [await timed(lambda binding=binding: one(binding)) for binding in chosen[:2000]]  # type: ignore[misc]


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    await work()
    return (time.perf_counter() - start) * 1000


def spread(values: list[float]) -> dict[str, float]:
    """p50, p95, p99."""
    cuts = statistics.quantiles(values, n=100)
    return {f"p{at}": round(cuts[at - 1], 2) for at in (50, 95, 99)}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bindings", type=int, default=100_000, metavar="N", help="2500000 for the full size")
    parser.add_argument("--store", default="sqlite,postgresql")
    parser.add_argument("--together", type=int, default=256, metavar="N")
    parser.add_argument("--readers", type=int, default=4, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    results = []
    for store in args.store.split(","):
        found = asyncio.run(measure(store, args.bindings, args.together, args.readers))
        results.append({name: getattr(found, name) for name in Result.__dataclass_fields__})
        print(json.dumps(results[-1], indent=2))
    if args.json:
        args.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
