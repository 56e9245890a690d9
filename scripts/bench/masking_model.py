"""A long random walk over a store of bindings against the reference model: 0 differences, or it stops at the first.

    .venv/bin/python -m scripts.bench.masking_model [--steps 1000000] [--store quick] [--seed 1]
"""

import argparse
import asyncio
import random
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.contract.desk_rigs import Clock, Desk, desk
from tests.postgres import Postgres
from tests.unit.masking.desk_walk import Walk, pool

TOLD = 20_000


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--store", choices=["memory", "quick", "sqlite", "postgresql"], default="quick")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Postgres() as postgres, ExitStack() as stack:
        clock = Clock()

        first = stack.enter_context(desk(args.store, Path(folder), postgres, clock=clock))
        asyncio.run(first.numbers.add(pool()))

        def again() -> Desk:
            """A crash: another process object opens what is there. (Threads of hundreds would not fit.)"""
            if args.store == "memory":
                return first
            opened = ExitStack()
            found = opened.enter_context(
                desk(args.store, Path(folder), postgres, empty=False, clock=clock, engine=first.engine)
            )
            stack.pop_all().close()
            stack.push(opened.pop_all())
            return found

        walk = Walk(desk=first, source=random.Random(args.seed), restart=again)
        asyncio.run(run(walk, args.steps))
        stack.pop_all().close()


async def run(walk: Walk, steps: int) -> None:
    """All steps, with progress."""
    start = time.perf_counter()
    for at in range(1, steps + 1):
        await walk.step()
        if at % TOLD == 0 or at == steps:
            speed = at / (time.perf_counter() - start)
            print(f"\r{at} of {steps} steps, no difference, {speed:.0f} a second", end="", flush=True)
    print(f"\n{dict(walk.done)}")


if __name__ == "__main__":
    main()
