"""One call for a pair, over all processes, told in a real Redis."""

import asyncio
import signal
import time
from collections.abc import Iterator

import pytest
from redis import Redis

from masking.claims_redis import PATIENCE, RedisClaims
from tests.unit.masking.hook_rig import RING
from tests.unit.routing.redis_private import PrivateRedis, private_redis

PAIR = "binding-1\nparty-a\nparty-b"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateRedis]:
    with private_redis(tmp_path_factory.mktemp("redis") / "r") as found:
        yield found


@pytest.fixture
def redis(server: PrivateRedis) -> Iterator[Redis]:
    with Redis.from_url(server.url, decode_responses=True) as client:
        client.flushall()
        yield client


def claims(server: PrivateRedis, *, patience: float = 60.0, lease: float = 10.0, renew: float = 3.0) -> RedisClaims:
    sealer = RING.sealer("masking pairs")
    return RedisClaims(server.url, sealer, patience=patience, lease=lease, renew=renew)


def test_of_many_processes_exactly_one_has_the_pair(server: PrivateRedis, redis: Redis) -> None:
    async def go() -> None:
        processes = [claims(server) for _ in range(4)]
        asked = [one.take(f"call-{at}", PAIR) for at, one in enumerate(processes)]
        mine = await asyncio.gather(*asked)
        assert sum(mine) == 1
        winner = mine.index(True)
        assert await processes[winner].take(f"call-{winner}", PAIR), "its own"
        assert await processes[0].take("call-other", "another pair")
        processes[winner].free(f"call-{winner}")
        await processes[winner].close()
        assert await processes[winner - 1].take("call-next", PAIR)
        for one in processes:
            await one.close()
        assert redis.keys() == [], "what is over is given back"

    asyncio.run(go())


def test_keys_say_nothing_and_have_an_end(server: PrivateRedis, redis: Redis) -> None:
    async def go() -> None:
        one = claims(server)
        assert await one.take("call-a", PAIR)
        (key,) = redis.keys()
        assert "party" not in key
        assert "binding-1" not in key
        assert 0 < redis.pttl(key) <= 10_000
        await one.close()

    asyncio.run(go())


def test_a_claim_is_renewed_and_goes_with_its_process(server: PrivateRedis, redis: Redis) -> None:
    async def go() -> None:
        one, other = claims(server, lease=0.6, renew=0.1), claims(server)
        assert await one.take("call-a", PAIR)
        until = time.monotonic() + 1.2
        while time.monotonic() < until:
            assert not await other.take("call-b", PAIR)
            await asyncio.sleep(0.1)
        assert one._renewing is not None
        one._renewing.cancel()  # as if its process had died
        until = time.monotonic() + 5
        while not await other.take("call-b", PAIR):
            assert time.monotonic() < until, "the lease never ends"
            await asyncio.sleep(0.05)
        await asyncio.gather(one.close(), other.close())

    asyncio.run(go())


def test_a_dead_calls_claim_is_dropped_and_no_others(server: PrivateRedis, redis: Redis) -> None:
    async def go() -> None:
        dead, heir = claims(server), claims(server)
        assert await dead.take("call-a", PAIR)
        await heir.drop("call-b", PAIR)
        assert not await heir.take("call-c", PAIR)
        await heir.drop("call-a", PAIR)
        assert await heir.take("call-c", PAIR)
        await asyncio.gather(dead.close(), heir.close())

    asyncio.run(go())


def test_a_hanging_redis_costs_a_tenth_of_a_second_once(
    server: PrivateRedis, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    async def go() -> None:
        one, other = claims(server, patience=PATIENCE), claims(server, patience=PATIENCE)
        server.pause(signal.SIGSTOP)
        try:
            began = time.monotonic()
            assert await one.take("call-a", PAIR)
            assert await other.take("call-b", PAIR), "each process knows its own only"
            first = time.monotonic() - began
            began = time.monotonic()
            assert await one.take("call-c", "another pair")
            again = time.monotonic() - began
        finally:
            server.pause(signal.SIGCONT)
        assert first < 2 * PATIENCE + 0.5
        assert again < PATIENCE
        await asyncio.gather(one.close(), other.close())

    asyncio.run(go())
    assert sum("its own pairs only" in text for text in caplog.messages) == 2
