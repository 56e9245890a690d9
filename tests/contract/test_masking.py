"""One suite for every Masking."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from masking.database import prepare
from masking.leaks import LeakOracle
from masking.memory import MemoryMasking
from masking.port import Masking, PhoneNumber
from masking.vault_sql import SqlVault
from records.database import connect
from records.keys import KeyRing

Opener = Callable[[Path], AbstractAsyncContextManager[Masking]]
NUMBER, OTHER = PhoneNumber("+12025550123"), PhoneNumber("+447700900123")
ORACLE = LeakOracle([NUMBER.reveal(), OTHER.reveal()])


@asynccontextmanager
async def memory(folder: Path) -> AsyncIterator[Masking]:
    yield MemoryMasking(shown="triage")


@asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[Masking]:
    sealer = KeyRing({1: b"k" * 32}).sealer("masking vault")
    vault = SqlVault(prepare(connect(f"sqlite:///{folder}/vault.db")), sealer, shown="triage")
    yield vault
    vault.close()


every = pytest.mark.parametrize("opened", [memory, sqlite])


@every
def test_a_number_is_always_the_same_party(opened: Opener, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path) as masking:
            first, other = await masking.party(NUMBER), await masking.party(OTHER)
            assert await masking.party(PhoneNumber(NUMBER.reveal())) == first
            assert first != other
            assert first.reachable
            assert ORACLE.scan(f"{first} {other}".encode()) == ()
            assert not any(char.isdigit() for char in first.id)

    asyncio.run(run())


@every
def test_withheld_callers_are_new_each_time_and_cannot_be_revealed(opened: Opener, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path) as masking:
            first, second = await masking.party(None), await masking.party(None)
            assert first.id != second.id
            assert first.id.startswith("withheld-")
            assert not first.reachable
            with pytest.raises(KeyError):
                await masking.reveal(first.id, reason="callback", actor="nurse-1")

    asyncio.run(run())


@every
def test_a_reveal_needs_a_reason_and_an_actor(opened: Opener, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path) as masking:
            party = await masking.party(NUMBER)
            assert await masking.reveal(party.id, reason="callback", actor="nurse-1") == NUMBER
            for reason, actor in (("", "nurse-1"), ("callback", " ")):
                with pytest.raises(ValueError, match="reason"):
                    await masking.reveal(party.id, reason=reason, actor=actor)
            with pytest.raises(KeyError):
                await masking.reveal("party-nobody", reason="callback", actor="nurse-1")

    asyncio.run(run())


@every
def test_agents_see_the_neutral_name(opened: Opener, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path) as masking:
            assert masking.shown_to_agent() == "triage"

    asyncio.run(run())


@every
def test_many_callers_at_once(opened: Opener, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path) as masking:
            numbers = [PhoneNumber(f"+120255501{last:02d}") for last in range(40)] * 2
            parties = await asyncio.gather(*(masking.party(number) for number in numbers))
            assert len({party.id for party in parties}) == 40

    asyncio.run(run())


def test_parties_survive_a_restart(tmp_path: Path) -> None:
    async def run() -> None:
        async with sqlite(tmp_path) as masking:
            party = await masking.party(NUMBER)
        async with sqlite(tmp_path) as masking:
            assert await masking.party(NUMBER) == party
            assert await masking.reveal(party.id, reason="callback", actor="nurse-1") == NUMBER

    asyncio.run(run())
