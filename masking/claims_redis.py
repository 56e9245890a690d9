"""Which pairs are being connected, told by all processes to each other in Redis.

A claim is a lease: it is renewed while its call lasts, and gone ten seconds after its process. Without Redis each
process knows its own calls only. Keys are keyed hashes.
"""

import asyncio
import base64
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from masking.port import Sealer

log = logging.getLogger(__name__)

PATIENCE = 0.1
"""Seconds that a call waits for the answer at most."""
PAUSE_SECONDS = 1.0
"""After a failure Redis is left alone for so long, so that a hanging one costs a call its patience once."""
LEASE_SECONDS = 10.0
RENEW_SECONDS = 3.0
"""Three renewals may fail before a claim is lost."""

TAKE = """
local mine = {}
for i = 1, #KEYS do
  local held = redis.call('GET', KEYS[i])
  if held and held ~= ARGV[i + 1] then
    mine[i] = 0
  else
    redis.call('SET', KEYS[i], ARGV[i + 1], 'PX', ARGV[1])
    mine[i] = 1
  end
end
return mine
"""
FREE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class RedisClaims:
    """Claims."""

    def __init__(
        self,
        url: str,
        sealer: Sealer,
        *,
        now: Callable[[], float] = time.monotonic,
        prefix: str = "triageline:masking:pair:",
        patience: float = PATIENCE,
        lease: float = LEASE_SECONDS,
        renew: float = RENEW_SECONDS,
    ) -> None:
        """`url`: as for limits. `sealer`: makes names of pairs. `now`: seconds that only go forward. `patience`,
        `lease` and `renew`: seconds."""
        # No socket timeout and no retries: `_ask` bounds every attempt.
        self._redis: Redis = Redis.from_url(
            url, decode_responses=True, socket_timeout=None, socket_connect_timeout=None, retry=Retry(NoBackoff(), 0)
        )
        self._take, self._free = self._redis.register_script(TAKE), self._redis.register_script(FREE)
        self._sealer, self._now, self._prefix = sealer, now, prefix
        self._patience, self._lease, self._renew = patience, lease, renew
        self._held: dict[str, str] = {}
        self._renewing: asyncio.Task[None] | None = None
        self._freeing: set[asyncio.Task[None]] = set()
        self._resume = float("-inf")
        self._lost = False

    async def take(self, call: str, pair: str) -> bool:
        """As the port says."""
        key = self._key(pair)
        self._held[key] = call
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._keep())
        mine = await self._took({key: call})
        if mine == [0]:
            self._held = {one: by for one, by in self._held.items() if (one, by) != (key, call)}
            return False
        if self._held.get(key) != call:  # the call ended meanwhile
            self._spawn(key, call)
        return True

    def free(self, call: str) -> None:
        """As the port says."""
        for key in [one for one, by in self._held.items() if by == call]:
            del self._held[key]
            self._spawn(key, call)

    async def drop(self, call: str, pair: str) -> None:
        """As the port says."""
        await self._freed(self._key(pair), call)

    async def settle(self) -> None:
        """Wait until what was freed is free; never raises."""
        await asyncio.gather(*self._freeing, return_exceptions=True)

    async def close(self) -> None:
        """Give back what is held, and the connections; never raises."""
        for call in set(self._held.values()):
            self.free(call)
        await self.settle()
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        try:
            await self._redis.aclose()
        except (RedisError, OSError) as error:
            log.debug("closing redis: %s", type(error).__name__)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._renew)
            if self._held:
                await self._took(dict(self._held), patience=self._renew)

    async def _took(self, wanted: dict[str, str], *, patience: float = 0.0) -> Any:
        """For each whether it is ours; None where Redis cannot say."""
        args: list[str | int] = [round(self._lease * 1000), *wanted.values()]
        return await self._ask(self._take, list(wanted), args, patience or self._patience)

    def _spawn(self, key: str, call: str) -> None:
        task = asyncio.create_task(self._freed(key, call))
        self._freeing.add(task)
        task.add_done_callback(self._freeing.discard)

    async def _freed(self, key: str, call: str) -> None:
        await self._ask(self._free, [key], [call], self._renew)

    async def _ask(self, script: Any, keys: Sequence[str], args: Sequence[str | int], patience: float) -> Any:
        if self._now() < self._resume:
            return None
        try:
            async with asyncio.timeout(patience):
                answer = await script(keys=keys, args=args)
        except (RedisError, OSError, ValueError) as error:  # TimeoutError is an OSError, bad UTF-8 a ValueError
            self._resume = self._now() + PAUSE_SECONDS
            if not self._lost:
                log.warning("redis does not answer (%s): each process knows its own pairs only", type(error).__name__)
            self._lost = True
            return None
        if self._lost:
            log.warning("redis answers again: pairs are known to all processes")
        self._lost = False
        return answer

    def _key(self, pair: str) -> str:
        return self._prefix + base64.urlsafe_b64encode(self._sealer.tag(pair.encode(), b"pairs")[:18]).decode()
