"""Redis lost, hung, empty or wrong: routing goes on."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from routing.agents import Roster
from routing.port import Agent, Presence, PresenceUnavailable, RouteRequest, Urgency
from routing.service import RedisBook, RedisRouter
from routing.store import PAUSE_SECONDS, TIMEOUT_SECONDS, AgentStore
from tests.unit.routing.redis_private import PrivateRedis, private_redis

AGENTS = (Agent(id="a", address="sip:a@127.0.0.1"), Agent(id="b", address="sip:b@127.0.0.1"))
ROSTER = Roster(agents=AGENTS, presence={"a": Presence.AVAILABLE, "b": Presence.AWAY})
ASK = RouteRequest(call="one", urgency=Urgency.NORMAL)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PrivateRedis]:
    with private_redis(tmp_path / "r") as server:
        yield server


@asynccontextmanager
async def router(url: str, worker: str = "w", *, ttl: float = 15.0, refresh: float = 5.0) -> AsyncIterator[RedisRouter]:
    made = RedisRouter(ROSTER, AgentStore(url, ttl=ttl), worker=worker, refresh=refresh)
    try:
        yield made
    finally:
        await made.close()


async def singles(made: RedisRouter, call: str = "one") -> list[str]:
    steps = await made.plan(RouteRequest(call=call, urgency=Urgency.NORMAL))
    return [step.agents[0].id for step in steps if step.name == "agent"]


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 10.0) -> None:
    """Wait for an awaitable condition made anew each time."""
    end = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


def test_redis_killed_in_the_middle_still_plans_and_reserves(server: PrivateRedis) -> None:
    async def run() -> None:
        async with router(server.url) as made:
            assert await singles(made) == ["a"]
            assert await made.busy("a", "one")
            server.kill()
            assert await singles(made, "two") == ["b"]
            assert not await made.busy("a", "two")
            assert await made.busy("b", "two")
            assert await singles(made, "three") == []
            await made.free("a", "one")
            assert await made.busy("a", "two")

    asyncio.run(run())


def test_a_hung_redis_costs_one_timeout_only(server: PrivateRedis) -> None:
    async def run() -> None:
        async with router(server.url) as made:
            await made.plan(ASK)
            server.pause(signal.SIGSTOP)
            try:
                start = time.monotonic()
                assert await singles(made) == ["a", "b"]
                first = time.monotonic() - start
                start = time.monotonic()
                assert await made.busy("a", "one")
                assert await singles(made, "two") == ["b"]
                rest = time.monotonic() - start
            finally:
                server.pause(signal.SIGCONT)
            assert TIMEOUT_SECONDS * 0.9 < first < TIMEOUT_SECONDS + 1
            assert rest < TIMEOUT_SECONDS

    asyncio.run(run())


def test_no_redis_from_the_start(tmp_path: Path) -> None:
    async def run() -> None:
        store = AgentStore(f"unix://{tmp_path}/none.sock")
        made = RedisRouter(ROSTER, store, worker="w")
        await made.start()
        assert await singles(made) == ["a", "b"]
        assert await made.busy("a", "one")
        book = RedisBook(ROSTER, store)
        assert [(agent.id, presence, call) for agent, presence, call in await book.list()] == [
            ("a", Presence.AVAILABLE, ""),
            ("b", Presence.AVAILABLE, ""),
        ]
        with pytest.raises(PresenceUnavailable):
            await book.set("a", Presence.AWAY)
        await made.close()

    asyncio.run(run())


def test_redis_comes_back_empty_and_reservations_are_written_again(server: PrivateRedis) -> None:
    async def run() -> None:
        async with router(server.url, refresh=0.05) as mine, router(server.url, "other") as other:
            await mine.start()
            assert await mine.busy("a", "one")
            server.kill()
            assert await singles(other, "two") == ["a", "b"]
            server.start()

            async def known_again() -> bool:
                return await singles(other, "two") == []

            await until(known_again, PAUSE_SECONDS + 10)
            assert not await other.busy("a", "two")

    asyncio.run(run())


def test_a_dead_workers_reservation_ends_and_a_living_ones_stays(server: PrivateRedis) -> None:
    async def run() -> None:
        async with (
            router(server.url, "alive", ttl=0.3, refresh=0.05) as alive,
            router(server.url, "dead", ttl=0.3) as dead,
            router(server.url, "third") as third,
        ):
            await alive.start()
            assert await alive.busy("a", "one")
            assert await dead.busy("b", "two")
            assert not await third.busy("b", "three")

            async def given_back() -> bool:
                return await third.busy("b", "three")

            await until(given_back)
            assert not await third.busy("a", "three")
            beats = Redis.from_url(server.url)
            assert await beats.exists("triageline:routing:worker:alive")
            await beats.aclose()

    asyncio.run(run())


def test_closing_gives_everybody_back(server: PrivateRedis) -> None:
    async def run() -> None:
        async with router(server.url) as first:
            await first.start()
            assert await first.busy("a", "one")
        async with router(server.url) as second:
            assert await second.busy("a", "two")

    asyncio.run(run())


def test_one_of_many_workers_gets_the_agent(server: PrivateRedis) -> None:
    async def run() -> None:
        made = [RedisRouter(ROSTER, AgentStore(server.url), worker=f"w{number}") for number in range(8)]
        won = await asyncio.gather(*(one.busy("a", f"call-{number}") for number, one in enumerate(made)))
        assert sum(won) == 1
        for one in made:
            await one.close()

    asyncio.run(run())


def test_rubbish_in_redis_is_ignored(server: PrivateRedis) -> None:
    async def run() -> None:
        raw = Redis.from_url(server.url)
        await raw.hset("triageline:routing:presence", "a", "\x1b[2J")
        async with router(server.url) as made:
            assert await singles(made) == ["a"]
        await raw.hset("triageline:routing:presence", "a", b"\xff\xfe")
        async with router(server.url) as made:
            assert await singles(made) == ["a", "b"]
        await raw.delete("triageline:routing:presence")
        await raw.set("triageline:routing:presence", "not a hash")
        async with router(server.url) as made:
            assert await singles(made) == ["a", "b"]
        await raw.aclose()

    asyncio.run(run())


def test_a_full_redis_is_as_good_as_none(server: PrivateRedis) -> None:
    async def run() -> None:
        raw = Redis.from_url(server.url)
        await raw.config_set("maxmemory", "1")
        async with router(server.url) as made:
            assert await made.busy("a", "one")
            assert not await made.busy("a", "two")
        await raw.aclose()

    asyncio.run(run())


def test_a_cancelled_caller_is_cancelled_whatever_redis_is_doing(server: PrivateRedis) -> None:
    async def run() -> None:
        for turns in range(1, 60):
            store = AgentStore(server.url)
            others = [asyncio.create_task(store.claim("a", str(number))) for number in range(5)]
            task = asyncio.create_task(store.beat("w"))
            for _ in range(turns):
                await asyncio.sleep(0)
            taken = task.cancel()
            await asyncio.wait({task})
            assert task.cancelled() == taken
            await asyncio.gather(*others)
            await store.close()

    asyncio.run(run())


def test_answers_are_not_mixed_up_after_a_cancellation(server: PrivateRedis) -> None:
    async def run() -> None:
        store = AgentStore(server.url)
        assert await store.claim("a", "one")
        for turns in range(1, 40):
            task = asyncio.create_task(store.look(("a", "b")))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait({task})
            assert not await store.claim("a", "two")
            assert await store.look(("a", "b")) == ({}, {"a": "one"})
        await store.close()

    asyncio.run(run())


def test_closing_waits_for_a_hung_redis_but_not_long(server: PrivateRedis) -> None:
    async def run() -> None:
        made = RedisRouter(ROSTER, AgentStore(server.url), worker="w")
        await made.busy("a", "one")
        await made.start()
        server.pause(signal.SIGSTOP)
        try:
            start = time.monotonic()
            await made.close()
            assert time.monotonic() - start < 3
        finally:
            server.pause(signal.SIGCONT)

    asyncio.run(run())


def test_a_restarted_worker_gives_back_what_its_dead_self_held(server: PrivateRedis) -> None:
    async def run() -> None:
        dead = RedisRouter(ROSTER, AgentStore(server.url), worker="w1")
        other = RedisRouter(ROSTER, AgentStore(server.url), worker="w2")
        assert await dead.busy("a", "lost")
        assert await other.busy("b", "kept")
        again = RedisRouter(ROSTER, AgentStore(server.url), worker="w1")
        await again.start()
        try:
            assert await again.busy("a", "next"), "the dead worker's agent is free"
            assert not await again.busy("b", "next"), "another worker's is not"
        finally:
            for made in (again, other, dead):
                await made.close()

    asyncio.run(run())


def test_what_a_dead_worker_held_is_given_back_at_once_and_nothing_else(server: PrivateRedis) -> None:
    async def run() -> None:
        url = server.url
        async with router(url, "living") as living:
            dead = RedisRouter(ROSTER, AgentStore(url), worker="dead")
            assert await dead.busy("a", "cut")
            assert await living.busy("b", "going")
            assert not await living.busy("a", "next")
            await living.give_back("dead")
            assert await living.busy("a", "next")
            await living.give_back("dead")
            assert not await dead.busy("b", "other")
            await dead.close()

    asyncio.run(run())
