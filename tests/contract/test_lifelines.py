"""One suite for every store of calls in progress."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from records.database import prepare
from records.lifelines_sql import SqlLifelines
from records.memory import MemoryLifelines
from records.port import Lifeline, Lifelines
from records.store import Store

Opener = Callable[[Path], AbstractAsyncContextManager[Lifelines]]


@asynccontextmanager
async def memory(folder: Path) -> AsyncIterator[Lifelines]:
    yield MemoryLifelines()


@asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[Lifelines]:
    store = Store(prepare(f"sqlite:///{folder}/records.db"))
    yield SqlLifelines(store)
    store.close()


every = pytest.mark.parametrize("opened", [memory, sqlite])


def line(call: str, keeper: str = "dead", urgency: int = 0, human: bool = False, at: float = 1.0) -> Lifeline:
    return Lifeline(
        call=call, party=f"party-{call}", reachable=True, keeper=keeper, urgency=urgency, human=human, at=at
    )


@every
def test_lost_are_those_without_a_living_keeper_the_most_urgent_first(opened: Opener, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path) as lines:
            for one in (line("late", at=3.0), line("early"), line("asked", human=True, at=5.0)):
                await lines.hold(one)
            await lines.hold(line("urgent", urgency=2))
            await lines.hold(line("mine", keeper="living", urgency=2))
            assert [one.call for one in await lines.lost({"living"})] == ["urgent", "asked", "early", "late"]
            assert [one.call for one in await lines.lost({"living", "dead"})] == []

    asyncio.run(run())


@every
def test_a_call_is_written_anew_and_forgotten(opened: Opener, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path) as lines:
            await lines.hold(line("one"))
            await lines.hold(line("one", urgency=2))
            assert await lines.lost(()) == (line("one", urgency=2),)
            await lines.hold(line("two"), instead_of="one")
            assert await lines.lost(()) == (line("two"),)
            await lines.release("two")
            await lines.release("two")
            assert await lines.lost(()) == ()

    asyncio.run(run())


@every
def test_of_several_claimants_one_gets_the_call(opened: Opener, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path) as lines:
            await lines.hold(line("one"))
            (seen,) = await lines.lost(())
            won = await asyncio.gather(*(lines.claim(seen, keeper=f"k{number}", tries=0) for number in range(8)))
            (winner,) = [one for one in won if one is not None]
            assert winner == replace(seen, keeper=winner.keeper, cut=True)
            assert await lines.lost(()) == (winner,)
            again = await lines.claim(winner, keeper=winner.keeper, tries=1)
            assert again == replace(winner, tries=1)
            assert await lines.claim(winner, keeper=winner.keeper, tries=1) is None, "it has changed"
            assert await lines.claim(line("other"), keeper="k", tries=0) is None

    asyncio.run(run())


@every
def test_a_caller_who_returns_takes_every_cut_call_away_but_none_in_progress(opened: Opener, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path) as lines:
            for one in (line("plain"), line("urgent", urgency=2), line("going")):
                await lines.hold(replace(one, party="caller"))
            assert await lines.returned("caller") is None, "nobody has found out yet that these were cut"
            for one in await lines.lost(()):
                if one.call != "going":
                    await lines.claim(one, keeper="k", tries=0)
            found = await lines.returned("caller")
            assert found is not None
            assert found.call == "urgent"
            assert [one.call for one in await lines.lost(())] == ["going"]
            assert await lines.returned("caller") is None

    asyncio.run(run())
