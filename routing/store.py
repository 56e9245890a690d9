"""Presence, reservations and heartbeats in Redis; every operation is one round trip, short and atomic."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from routing.port import Presence, PresenceUnavailable

T = TypeVar("T")
log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 0.2
"""Longest wait for Redis: an emergency must not be delayed by a part that only makes routing nicer."""
PAUSE_SECONDS = 1.0
"""After a failure Redis is left alone for so long, so that a hanging one costs a call its timeout once."""

CLAIM = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class AgentStore:
    """What all workers of one installation know about agents. Every method raises PresenceUnavailable."""

    def __init__(self, url: str, *, prefix: str = "triageline:routing:", ttl: float = 15.0) -> None:
        """`url`: "unix:///path/to/socket" or "redis://host:port/0". `ttl`: seconds for which a reservation or a
        heartbeat outlives a worker that died."""
        # No retries: redis-py would repeat with pauses of its own, and a late answer is worth nothing here. No socket
        # timeout: `_try` bounds every attempt, and redis-py sends under one with asyncio.wait_for, which in Python 3.11
        # drops a cancellation that meets a finished write (a cancelled call would go on).
        self._redis: Redis = Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=None,
            socket_connect_timeout=None,
            retry=Retry(NoBackoff(), 0),
        )
        self._prefix = prefix
        self._ttl = round(ttl * 1000)
        self._claim = self._redis.register_script(CLAIM)
        self._release = self._redis.register_script(RELEASE)
        self._resume = 0.0
        self._lost = False

    async def look(self, agents: Sequence[str]) -> tuple[dict[str, Presence], dict[str, str]]:
        """Presence and holder by agent id, where known."""
        if not agents:
            return {}, {}
        return await self._try(lambda: self._look(agents))

    async def claim(self, agent: str, call: str) -> bool:
        """Reserve, or prolong the same call's reservation; False where another call holds the agent."""
        return bool(await self._try(lambda: self._claim(keys=[self._holder(agent)], args=[call, self._ttl])))

    async def release(self, agent: str, call: str) -> None:
        """Give the agent back, if this call holds him."""
        await self._try(lambda: self._release(keys=[self._holder(agent)], args=[call]))

    async def set_presence(self, agent: str, presence: Presence) -> None:
        """Write the presence; it has no end."""
        await self._try(lambda: _awaitable(self._redis.hset(f"{self._prefix}presence", agent, presence.value)))

    async def beat(self, worker: str) -> None:
        """Say that a worker lives."""
        await self._try(lambda: self._redis.set(f"{self._prefix}worker:{worker}", "alive", px=self._ttl))

    async def close(self) -> None:
        """Close the connections; never raises."""
        try:
            await self._redis.aclose()
        except (RedisError, OSError) as error:
            log.debug("closing redis: %s", type(error).__name__)

    def _holder(self, agent: str) -> str:
        return f"{self._prefix}holder:{agent}"

    async def _look(self, agents: Sequence[str]) -> tuple[dict[str, Presence], dict[str, str]]:
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hmget(f"{self._prefix}presence", list(agents))
            pipe.mget([self._holder(agent) for agent in agents])
            said, holders = await pipe.execute()
        words = {presence.value: presence for presence in Presence}
        presence = {agent: words[word] for agent, word in zip(agents, said, strict=True) if word in words}
        return presence, {agent: call for agent, call in zip(agents, holders, strict=True) if call}

    async def _try(self, ask: Callable[[], Awaitable[T]]) -> T:
        """One bounded attempt."""
        if time.monotonic() < self._resume:
            raise PresenceUnavailable("redis was lost a moment ago")
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                answer = await ask()
        except (RedisError, OSError, ValueError) as error:  # TimeoutError is an OSError, bad UTF-8 a ValueError
            self._resume = time.monotonic() + PAUSE_SECONDS
            self._note(lost=True)
            raise PresenceUnavailable("redis does not answer") from error
        self._note(lost=False)
        return answer

    def _note(self, *, lost: bool) -> None:
        """Say once that Redis went, once that it came back."""
        if lost and not self._lost:
            log.warning("redis does not answer: every agent counts as available until it does")
        if self._lost and not lost:
            log.warning("redis answers again")
        self._lost = lost


async def _awaitable(result: Any) -> Any:
    """redis-py types some commands as "value or awaitable"; on its asyncio client they are awaitables."""
    return await result
