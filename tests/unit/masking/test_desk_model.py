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

from masking.port import Dialled, Verdict, Wrong
from tests.contract.desk_rigs import Clock, Desk, desk
from tests.postgres import Postgres
from tests.unit.masking.desk_walk import KINDS, STEPS, Different, Walk, pool


@contextmanager
def walking(kind: str, folder: Path, postgres: Postgres, source: random.Random) -> Iterator[Walk]:
    """A restart is a crash: nothing is closed in order, another process object opens what is there."""
    with ExitStack() as stack:
        clock = Clock()
        first = stack.enter_context(desk(kind, folder, postgres, clock=clock))
        asyncio.run(first.numbers.add(pool()))

        def again() -> Desk:
            opened = desk(kind, folder, postgres, empty=False, clock=clock, engine=first.engine)
            return first if kind == "memory" else stack.enter_context(opened)

        yield Walk(desk=first, source=source, restart=again)


REFUSALS = (Wrong.NO_CAPACITY, Wrong.CONFLICT, Wrong.KEY_REUSED, Wrong.NUMBER_UNKNOWN)
EVERYTHING = (*STEPS, *KINDS, *REFUSALS, "connect", "expired", "refused", "ask_code", "unknown", "same key")


@pytest.mark.parametrize(
    ("kind", "steps"), [("memory", 86_000), ("quick", 12_000), ("sqlite", 1_000), ("postgresql", 1_000)]
)
def test_a_long_walk_shows_no_difference(kind: str, steps: int, tmp_path: Path, postgres: Postgres) -> None:
    """100,000 operations of all kinds in all."""

    async def run(walk: Walk) -> None:
        for _ in range(steps):
            await walk.step()

    with walking(kind, tmp_path, postgres, random.Random(20261124)) as walk:
        asyncio.run(run(walk))
    if steps > 10_000:
        assert [name for name in EVERYTHING if not walk.done[name]] == []


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
