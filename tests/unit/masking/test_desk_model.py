"""Every store agrees with the reference model, step by step, through restarts and clock steps."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.port import Dialled, Verdict
from tests.contract.desk_rigs import Clock, Desk, desk
from tests.postgres import Postgres
from tests.unit.masking.desk_walk import Different, Walk, pool


@contextmanager
def walking(kind: str, folder: Path, postgres: Postgres, source: random.Random) -> Iterator[Walk]:
    with ExitStack() as stack:
        clock = Clock()

        def opened(empty: bool) -> Desk:
            stack.pop_all().close()
            return stack.enter_context(desk(kind, folder, postgres, empty=empty, clock=clock))

        first = opened(True)
        asyncio.run(first.numbers.add(pool()))
        yield Walk(desk=first, source=source, restart=lambda: first if kind == "memory" else opened(False))


@pytest.mark.parametrize(("kind", "steps"), [("memory", 40_000), ("sqlite", 2_500), ("postgresql", 2_500)])
def test_a_long_walk_shows_no_difference(kind: str, steps: int, tmp_path: Path, postgres: Postgres) -> None:
    async def run(walk: Walk) -> None:
        for _ in range(steps):
            await walk.step()

    with walking(kind, tmp_path, postgres, random.Random(20261124)) as walk:
        asyncio.run(run(walk))
    assert min(walk.done[name] for name in ("call", "bind", "close", "renew", "wait", "sweep", "full")) > steps / 1000
    assert walk.done["restart"] > 0


@settings(max_examples=60, deadline=None)
@given(source=st.randoms(use_true_random=False), steps=st.integers(1, 60))
def test_no_sequence_of_steps_makes_a_difference(
    source: random.Random, steps: int, tmp_path_factory: pytest.TempPathFactory, postgres: Postgres
) -> None:
    async def run(walk: Walk) -> None:
        for _ in range(steps):
            await walk.step()

    with walking("memory", Path(), postgres, source) as walk:
        asyncio.run(run(walk))


def test_the_walk_notices_a_store_that_misroutes(tmp_path: Path, postgres: Postgres) -> None:
    async def run(walk: Walk) -> None:
        for _ in range(2000):
            await walk.step()

    with walking("memory", tmp_path, postgres, random.Random(1)) as walk:
        right = walk.desk.exchange.resolve

        async def wrong(dialled: Dialled) -> Verdict:
            verdict = await right(dialled)
            return replace(verdict, callee="party-p1") if verdict.callee == "party-p0" else verdict

        walk.desk.exchange.resolve = wrong  # type: ignore[method-assign]
        with pytest.raises(Different):
            asyncio.run(run(walk))
