"""One suite for every Router and AgentBook."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from routing.agents import Roster
from routing.memory import StaticRouter
from routing.port import Agent, AgentBook, Presence, Router, RouteRequest, Urgency
from routing.service import RedisBook, RedisRouter
from routing.store import AgentStore
from tests.unit.routing.redis_private import private_redis

AGENTS = (
    Agent(id="a", address="sip:a@127.0.0.1"),
    Agent(id="b", address="sip:b@127.0.0.1"),
    Agent(id="call", address="sip:c@127.0.0.1", on_call=True),
)
ROSTER = Roster(agents=AGENTS, presence=dict.fromkeys(("a", "b", "call"), Presence.AVAILABLE))
Opener = Callable[[Path], AbstractAsyncContextManager[tuple[Router, AgentBook]]]


@asynccontextmanager
async def memory(folder: Path) -> AsyncIterator[tuple[Router, AgentBook]]:
    router = StaticRouter(ROSTER)
    yield router, router


@asynccontextmanager
async def redis(folder: Path) -> AsyncIterator[tuple[Router, AgentBook]]:
    with private_redis(folder / "r") as server:
        store = AgentStore(server.url)
        router = RedisRouter(ROSTER, store, worker="w")
        await router.start()
        yield router, RedisBook(ROSTER, store)
        await router.close()


@asynccontextmanager
async def lost(folder: Path) -> AsyncIterator[tuple[Router, AgentBook]]:
    """Redis was there and is killed: what a caller is promised still holds."""
    with private_redis(folder / "r") as server:
        store = AgentStore(server.url)
        router = RedisRouter(ROSTER, store, worker="w")
        await router.start()
        await router.plan(RouteRequest(call="before", urgency=Urgency.NORMAL))
        server.kill()
        yield router, RedisBook(ROSTER, store)
        await router.close()


every = pytest.mark.parametrize("opened", [memory, redis, lost])
with_presence = pytest.mark.parametrize("opened", [memory, redis])


async def plan(router: Router, call: str = "one", urgency: Urgency = Urgency.NORMAL) -> list[tuple[str, str]]:
    steps = await router.plan(RouteRequest(call=call, urgency=urgency))
    return [(step.name, " ".join(agent.id for agent in step.agents)) for step in steps]


@every
def test_everybody_free_is_everybody_rung(opened: Opener, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path) as (router, _):
            assert await plan(router) == [("agent", "a"), ("agent", "b"), ("group", "a b"), ("on_call", "call")]

    asyncio.run(run())


@every
def test_an_agent_has_one_call_at_a_time(opened: Opener, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path) as (router, _):
            assert await router.busy("a", "one")
            assert await router.busy("a", "one")
            assert not await router.busy("a", "two")
            assert await plan(router, "two") == [("agent", "b"), ("on_call", "call")]
            assert len(await plan(router, "one")) == 4
            await router.free("a", "two")
            assert not await router.busy("a", "two")
            await router.free("a", "one")
            await router.free("a", "one")
            assert await router.busy("a", "two")

    asyncio.run(run())


@every
def test_of_many_calls_at_once_one_gets_the_agent(opened: Opener, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path) as (router, _):
            won = await asyncio.gather(*(router.busy("a", f"call-{number}") for number in range(20)))
            assert sum(won) == 1

    asyncio.run(run())


@with_presence
def test_presence_is_kept_and_obeyed(opened: Opener, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path) as (router, book):
            await book.set("a", Presence.AWAY)
            assert await router.busy("b", "two")
            assert [(agent.id, presence, call) for agent, presence, call in await book.list()] == [
                ("a", Presence.AWAY, ""),
                ("b", Presence.AVAILABLE, "two"),
                ("call", Presence.AVAILABLE, ""),
            ]
            assert await plan(router) == [("on_call", "call")]
            assert await plan(router, urgency=Urgency.EMERGENCY) == [("on_call", "call"), ("group", "a")]
            await book.set("a", Presence.AVAILABLE)
            assert await plan(router) == [("agent", "a"), ("on_call", "call")]

    asyncio.run(run())


@every
def test_an_unknown_agent_is_a_key_error(opened: Opener, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(tmp_path) as (_, book):
            with pytest.raises(KeyError):
                await book.set("nobody", Presence.AWAY)

    asyncio.run(run())
