"""Binds and look-ups a second, their latencies, and bytes a binding, on SQLite and PostgreSQL.

    .venv/bin/python -m scripts.bench.masking [--bindings 100000] [--store sqlite,postgresql] [--json FILE]

The store is filled first (2,500,000 for the full size). Then `--binds` more are made through the door, `--together` at
a time as from many callers of an API, half of them for doctors most of whose numbers are taken; then single ones, each
of which waits for the disk alone. Look-ups follow, `--readers` at a time and one by one. Both stores sync to disk at
commit. Seconds of the processor are told as well: they stay true on a busy machine.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import Engine, text

from masking.bindings_sql import SqlBindings
from masking.codes import Codes
from masking.database import prepare
from masking.exchange_sql import SqlExchange
from masking.ledger import Ledger
from masking.port import Dialled, Kind, Outcome, Wanted
from records.database import connect
from records.keys import KeyRing
from scripts.bench.masking_fill import doctors, fill, pair
from tests.postgres import Postgres

SEALER = KeyRing({1: b"b" * 32}).sealer("masking codes")
LOOKED_UP = 5000
ALONE = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Figures of one store."""

    store: str
    bindings: int
    """Before those that were measured."""
    fill_s: float
    binds_a_second: float
    """Many at once."""
    bind_cpu_us: float
    """Of our process, a binding."""
    bind_server_cpu_us: float
    """Of the database's processes."""
    bind_alone_ms: dict[str, float]
    lookups_a_second: float
    lookup_cpu_us: float
    lookup_ms: dict[str, float]
    bytes_a_binding: float
    """Of tables and indexes."""
    load: tuple[float, float]
    """Of the machine, last minute, before and after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """An open database."""

    engine: Engine
    size: Callable[[], int]
    """Bytes of bindings and routes, indexes included."""
    cpu: Callable[[], float]
    """Seconds of the processor that the database's own processes took."""


@contextmanager
def opened(kind: str) -> Iterator[Store]:
    """One empty store."""
    with tempfile.TemporaryDirectory() as folder:
        if kind == "sqlite":
            file = Path(folder) / "masking.db"
            engine = prepare(connect(f"sqlite:///{file}"))

            def size() -> int:
                with engine.connect() as db:
                    db.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
                return file.stat().st_size

            yield Store(engine=engine, size=size, cpu=lambda: 0.0)
            return
        with Postgres(fsync="on", shared_buffers="512MB", max_wal_size="4GB") as postgres:
            engine = postgres.engine()

            def tables() -> int:
                sizes = "pg_total_relation_size('masking_routes') + pg_total_relation_size('masking_bindings')"
                with engine.connect() as db:
                    return int(db.execute(text(f"SELECT {sizes}")).scalar() or 0)

            main = int((postgres.data / "postmaster.pid").read_text().split()[0])
            yield Store(engine=engine, size=tables, cpu=lambda: processor(main))


def processor(main: int) -> float:
    """Seconds of the processor of a process and its children."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if main in {int(stat.parent.name), int(fields[1])}:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def wishes(count: int, more: int, first: int) -> Iterator[Wanted]:
    """New patients; every second one for a doctor who has DEGREE of them."""
    source = random.Random(first)
    for at in range(first, first + more):
        known = source.randrange(doctors(count))
        doctor = f"party-doctor-of-bench{known:08d}" if at % 2 else f"party-doctor-new{at // 50:08d}"
        yield Wanted(owner="bench", kind=Kind.PAIR, doctor=doctor, patient=f"party-newcomer{at:08d}", life=30 * 86400.0)


async def measure(kind: str, args: argparse.Namespace) -> Result:
    """Fill one store, bind and look up."""
    before = os.getloadavg()[0]
    with opened(kind) as store, closing(Ledger(store.engine, patience=120)) as ledger:
        start = time.perf_counter()
        fill(store.engine, args.bindings, time.time(), lambda what: say(kind, what))
        filled = time.perf_counter() - start
        each = store.size() / args.bindings
        codes = Codes(SEALER)
        bindings, exchange = SqlBindings(ledger, codes), SqlExchange(ledger, codes)
        await asyncio.gather(*map(bindings.create, wishes(args.bindings, args.together, 0)))  # warm
        say(kind, "binds")
        asked = list(wishes(args.bindings, args.binds, 1_000_000))
        start, ours, theirs = time.perf_counter(), time.process_time(), store.cpu()
        for first in range(0, len(asked), args.together):
            await asyncio.gather(*map(bindings.create, asked[first : first + args.together]))
        took, ours, theirs = time.perf_counter() - start, time.process_time() - ours, store.cpu() - theirs
        say(kind, "single binds")
        alone = wishes(args.bindings, ALONE, 2_000_000)
        single = [await timed(lambda one=one: bindings.create(one)) for one in alone]  # type: ignore[misc]
        say(kind, "look-ups")
        speed, cpu, lookups = await look_up(exchange, args.bindings, args.readers)
        return Result(
            store=kind,
            bindings=args.bindings,
            fill_s=round(filled),
            binds_a_second=round(len(asked) / took),
            bind_cpu_us=round(ours / len(asked) * 1e6),
            bind_server_cpu_us=round(theirs / len(asked) * 1e6),
            bind_alone_ms=spread(single),
            lookups_a_second=round(speed),
            lookup_cpu_us=round(cpu * 1e6),
            lookup_ms=spread(lookups),
            bytes_a_binding=round(each),
            load=(round(before, 1), round(os.getloadavg()[0], 1)),
        )


async def look_up(exchange: SqlExchange, count: int, readers: int) -> tuple[float, float, list[float]]:
    """Look-ups a second with several at once, seconds of the processor for one, and the latencies of single ones."""
    source = random.Random(1)

    async def one(at: int) -> None:
        patient, number, doctor = pair(at, count)
        verdict = await exchange.resolve(Dialled(number=number, caller=patient))
        if verdict.outcome != Outcome.CONNECT or verdict.callee != doctor:
            raise SystemExit("a call was misrouted")

    async def several(some: list[int]) -> None:
        for at in some:
            await one(at)

    chosen = [source.randrange(count) for _ in range(LOOKED_UP)]
    start, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(several(chosen[at::readers]) for at in range(readers)))
    took, cpu = time.perf_counter() - start, time.process_time() - cpu
    others = [source.randrange(count) for _ in range(LOOKED_UP)]
    times = [await timed(lambda at=at: one(at)) for at in others]  # type: ignore[misc]
    return len(chosen) / took, cpu / len(chosen), times


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    await work()
    return (time.perf_counter() - start) * 1000


def spread(values: list[float]) -> dict[str, float]:
    """p50, p95, p99."""
    cuts = statistics.quantiles(values, n=100)
    return {f"p{at}": round(cuts[at - 1], 2) for at in (50, 95, 99)}


def say(kind: str, what: str) -> None:
    """Progress."""
    print(f"{time.strftime('%H:%M:%S')} {kind}: {what}", file=sys.stderr, flush=True)


def machine() -> str:
    """What it ran on."""
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in info if "model name" in line), platform.machine())
    return f"{os.cpu_count()} cores {model}, Linux {platform.release()}, Python {platform.python_version()}"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bindings", type=int, default=100_000, metavar="N", help="there before; 2500000: full size")
    parser.add_argument("--binds", type=int, default=20_000, metavar="N", help="made and measured on top")
    parser.add_argument("--store", default="sqlite,postgresql")
    parser.add_argument("--together", type=int, default=256, metavar="N")
    parser.add_argument("--readers", type=int, default=4, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    print(machine())
    results = []
    for kind in args.store.split(","):
        results.append(asdict(asyncio.run(measure(kind, args))))
        print(json.dumps(results[-1], indent=2))
    if args.json:
        args.json.write_text(json.dumps({"machine": machine(), "results": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
