"""One suite for every Journal."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from records.database import prepare
from records.journal_sql import SqlJournal
from records.keys import KeyRing
from records.memory import MemoryJournal
from records.port import CallLine, Entry, Journal
from records.store import Store

Opener = Callable[[Path], AbstractAsyncContextManager[Journal]]


@asynccontextmanager
async def memory(folder: Path) -> AsyncIterator[Journal]:
    yield MemoryJournal()


@asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[Journal]:
    store = Store(prepare(f"sqlite:///{folder}/records.db"))
    yield SqlJournal(store, KeyRing({1: b"k" * 32}))
    store.close()


every = pytest.mark.parametrize("opened", [memory, sqlite])


def entry(call: str, at: float = 1.0, kind: str = "Heard", **data: str) -> Entry:
    return Entry(call=call, at=at, kind=kind, data=data)


@every
def test_entries_come_back_in_order_with_numbers(opened: Opener, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path) as journal:
            await journal.append(entry("one", 1.0, "CallArrived"))
            await journal.append(entry("two", 1.5, "CallArrived"))
            await journal.append(entry("one", 0.5, text="hello \u4e94 \ud800"))
            assert await journal.read("one") == (
                Entry(call="one", at=1.0, kind="CallArrived", data={}, number=1),
                Entry(call="one", at=0.5, kind="Heard", data={"text": "hello \u4e94 \ud800"}, number=2),
            )

    asyncio.run(run())


@every
def test_an_unknown_call_is_a_key_error(opened: Opener, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path) as journal:
            with pytest.raises(KeyError):
                await journal.read("nobody")

    asyncio.run(run())


@every
def test_the_list_is_newest_first_and_limited(opened: Opener, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path) as journal:
            assert await journal.list() == ()
            for number in (2, 1, 3):
                await journal.append(entry(f"call-{number}", float(number)))
            await journal.close_call("call-2", 9.0, "bridged")
            assert await journal.list() == (
                CallLine(call="call-3", started=3.0, ended=None, outcome="running"),
                CallLine(call="call-2", started=2.0, ended=9.0, outcome="bridged"),
                CallLine(call="call-1", started=1.0, ended=None, outcome="running"),
            )
            assert [line.call for line in await journal.list(1)] == ["call-3"]

    asyncio.run(run())


@every
def test_the_first_end_stays_and_late_entries_are_kept(opened: Opener, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path) as journal:
            await journal.append(entry("one", 1.0))
            await journal.close_call("one", 5.0, "advised")
            await journal.close_call("one", 6.0, "hung_up")
            await journal.append(entry("one", 7.0))
            (line,) = await journal.list()
            assert (line.ended, line.outcome) == (5.0, "advised")
            assert len(await journal.read("one")) == 2

    asyncio.run(run())


@every
def test_a_call_whose_journal_failed_all_along_is_still_listed(opened: Opener, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path) as journal:
            await journal.close_call("one", 5.0, "bridged")
            assert [line.call for line in await journal.list()] == ["one"]
            with pytest.raises(KeyError):
                await journal.read("one")
            await journal.append(entry("one", 6.0))
            assert len(await journal.read("one")) == 1

    asyncio.run(run())


@every
@pytest.mark.parametrize("kind", ["", "my chest hurts", "Heard\n", "x" * 65])
def test_a_kind_is_a_plain_name(opened: Opener, tmp_path: Path, kind: str) -> None:
    async def run() -> None:
        async with opened(tmp_path) as journal:
            with pytest.raises(ValueError, match="class name"):
                await journal.append(entry("one", kind=kind))
            assert await journal.list() == ()

    asyncio.run(run())


@every
def test_many_calls_at_once_keep_their_own_order(opened: Opener, tmp_path: Path) -> None:
    async def one(journal: Journal, call: str) -> None:
        for number in range(20):
            await journal.append(entry(call, float(number), text=f"{call} {number}"))

    async def run() -> None:
        async with opened(tmp_path) as journal:
            await asyncio.gather(*(one(journal, f"call-{number}") for number in range(20)))
            for number in range(20):
                found = await journal.read(f"call-{number}")
                assert [entry.data["text"] for entry in found] == [f"call-{number} {at}" for at in range(20)]
                assert [entry.number for entry in found] == list(range(1, 21))

    asyncio.run(run())


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@every
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.lists(st.dictionaries(st.text(max_size=8), values, max_size=4), min_size=1, max_size=4))
def test_any_data_comes_back_as_it_was(
    opened: Opener, tmp_path_factory: pytest.TempPathFactory, data: list[dict[str, None]]
) -> None:
    async def run() -> None:
        async with opened(tmp_path_factory.mktemp("journal")) as journal:
            for one in data:
                await journal.append(Entry(call="c", at=1.25, kind="Heard", data=one))
            assert [entry.data for entry in await journal.read("c")] == data

    asyncio.run(run())
