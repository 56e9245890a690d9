"""One suite for every list of callbacks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from records.callbacks_sql import SqlCallbacks
from records.database import prepare
from records.memory import MemoryCallbacks
from records.port import Callback, Callbacks
from records.store import Store

Opener = Callable[[Path], AbstractAsyncContextManager[Callbacks]]


@asynccontextmanager
async def memory(folder: Path) -> AsyncIterator[Callbacks]:
    yield MemoryCallbacks()


@asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[Callbacks]:
    store = Store(prepare(f"sqlite:///{folder}/records.db"))
    yield SqlCallbacks(store)
    store.close()


every = pytest.mark.parametrize("opened", [memory, sqlite])


def promise(id: str, urgency: int = 0, at: float = 1.0) -> Callback:
    return Callback(id=id, call=f"call-{id}", party=f"party-{id}", urgency=urgency, at=at)


@every
def test_most_urgent_first_then_oldest(opened: Opener, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path) as callbacks:
            assert await callbacks.open() == ()
            for one in (promise("late", 0, 3.0), promise("early", 0, 1.0), promise("urgent", 2, 9.0)):
                await callbacks.promise(one)
            assert [one.id for one in await callbacks.open()] == ["urgent", "early", "late"]
            assert (await callbacks.open())[0] == promise("urgent", 2, 9.0)

    asyncio.run(run())


@every
def test_done_ones_are_gone_and_unknown_ones_an_error(opened: Opener, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path) as callbacks:
            await callbacks.promise(promise("one"))
            await callbacks.promise(promise("two"))
            await callbacks.done("one")
            await callbacks.done("one")
            assert [one.id for one in await callbacks.open()] == ["two"]
            with pytest.raises(KeyError):
                await callbacks.done("three")

    asyncio.run(run())


@every
def test_a_promise_made_twice_is_one_and_stays_done(opened: Opener, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path) as callbacks:
            await callbacks.promise(promise("one"))
            await callbacks.promise(promise("one", 2))
            assert await callbacks.open() == (promise("one"),)
            await callbacks.done("one")
            await callbacks.promise(promise("one"))
            assert await callbacks.open() == ()

    asyncio.run(run())


def test_promises_survive_a_restart(tmp_path: Path) -> None:
    async def run() -> None:
        async with sqlite(tmp_path) as callbacks:
            await callbacks.promise(promise("one"))
        async with sqlite(tmp_path) as callbacks:
            assert await callbacks.open() == (promise("one"),)

    asyncio.run(run())
