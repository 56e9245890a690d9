"""Abuse limits counted in Redis, together for all processes; in doubt a stricter count of the process itself.

Keys are keyed hashes: neither numbers nor party ids lie in Redis. Every key has an end.
"""

import asyncio
import base64
import logging
import time
from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from masking.buckets import LocalBuckets, Rates, asked, scans
from masking.port import Admission, Event, Happened, MaskingUnavailable, Sealer
from masking.told import OnceTeller

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 0.2
"""Longest wait for Redis: a call must not be delayed by a part that only keeps abuse out."""
PAUSE_SECONDS = 1.0
"""After a failure Redis is left alone for so long, so that a hanging one costs a call its timeout once."""
QUIET_SECONDS = 600
"""A limited subject is told of once in so long."""

ADMIT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local buckets, looks = tonumber(ARGV[1]), tonumber(ARGV[2])
local window, pause, member, quiet = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6])
local scanning, fresh = 0, 0
for i = 1, looks do
  local tried, banned = KEYS[buckets + 2 * i - 1], KEYS[buckets + 2 * i]
  local first = redis.call('EXISTS', tried) == 0
  redis.call('SADD', tried, member)
  if first then redis.call('PEXPIRE', tried, window) end
  if redis.call('SCARD', tried) >= tonumber(ARGV[6 + 2 * buckets + i]) then
    if not redis.call('GET', banned) then fresh = i end
    redis.call('SET', banned, '1', 'PX', pause)
    redis.call('DEL', tried)
  end
  if redis.call('EXISTS', banned) == 1 then scanning = i end
end
if scanning > 0 then return {-scanning, fresh} end
local levels = {}
for i = 1, buckets do
  local size, period = tonumber(ARGV[5 + 2 * i]), tonumber(ARGV[6 + 2 * i])
  local held = redis.call('HMGET', KEYS[i], 'left', 'at')
  local left, at = tonumber(held[1]) or size, tonumber(held[2]) or now
  levels[i] = math.min(size, left + math.max(0, now - at) * size / period)
  if levels[i] < 1 then
    local told = redis.call('SET', KEYS[i] .. ':told', '1', 'NX', 'PX', quiet)
    return {i, told and 1 or 0}
  end
end
for i = 1, buckets do
  redis.call('HSET', KEYS[i], 'left', tostring(levels[i] - 1), 'at', now)
  redis.call('PEXPIRE', KEYS[i], tonumber(ARGV[6 + 2 * i]))
end
return {0, 0}
"""
"""All or nothing: an attempt that one bucket refuses is taken from none. Answers which bucket was empty (from 1) or who
scans (from -1), 0 for admitted, and whether this is to be told."""


class RedisLimits:
    """Limits."""

    def __init__(
        self,
        url: str,
        sealer: Sealer,
        rates: Rates,
        diary: OnceTeller,
        *,
        clock: Callable[[], float] = time.time,
        now: Callable[[], float] = time.monotonic,
        prefix: str = "triageline:masking:limit:",
        patience: float = TIMEOUT_SECONDS,
    ) -> None:
        """`url`: "unix:///path/to/socket" or "redis://host:port/0". `sealer`: makes names of subjects. `clock`: seconds
        since the epoch, for events. `now`: seconds that only go forward. `patience`: seconds before Redis counts as
        lost."""
        # No socket timeout and no retries: `_count` bounds every attempt, and redis-py's own time-out drops a
        # cancellation that meets a finished write in Python 3.11.
        self._redis: Redis = Redis.from_url(
            url, decode_responses=True, socket_timeout=None, socket_connect_timeout=None, retry=Retry(NoBackoff(), 0)
        )
        self._script = self._redis.register_script(ADMIT)
        self._sealer = sealer
        self._rates = rates
        self._diary = diary
        self._clock = clock
        self._now = now
        self._prefix = prefix
        self._patience = patience
        self._alone = LocalBuckets(rates.stricter(), now)
        self._resume = float("-inf")
        self._lost = False
        self._telling: set[asyncio.Task[None]] = set()

    async def admit(self, number: str, caller: str, source: str, *, known: bool) -> Admission:
        """Count an attempt. Never raises."""
        try:
            return await self._count(number, caller, source, known)
        except (RedisError, OSError, ValueError) as error:  # TimeoutError is an OSError, bad UTF-8 a ValueError
            self._note(lost=True, why=type(error).__name__)
            return self._alone.admit(number, caller, source, known=known)

    async def close(self) -> None:
        """Wait until all is told, and close the connections; never raises."""
        await asyncio.gather(*self._telling, return_exceptions=True)
        try:
            await self._redis.aclose()
        except (RedisError, OSError) as error:
            log.debug("closing redis: %s", type(error).__name__)

    async def _count(self, number: str, caller: str, source: str, known: bool) -> Admission:
        if self._now() < self._resume:
            raise ConnectionError("redis was lost a moment ago")
        buckets = asked(self._rates, number, caller, source, known=known)
        looks = () if known else scans(self._rates, caller, source)
        keys = [self._key(bucket.name) for bucket in buckets]
        keys += [key for look in looks for key in (self._key(look.name), self._key(look.name) + ":banned")]
        args: list[Any] = [len(buckets), len(looks), _ms(self._rates.scan_window), _ms(self._rates.scan_pause)]
        args += [self._name(number), QUIET_SECONDS * 1000]
        args += [value for bucket in buckets for value in (bucket.size, _ms(bucket.period))]
        args += [look.most for look in looks]
        async with asyncio.timeout(self._patience):
            which, tell = await self._script(keys=keys, args=args)
        self._note(lost=False)
        if which == 0:
            return Admission.ADMITTED
        answer = buckets[which - 1].answer if which > 0 else Admission.SCAN
        if tell:
            kind = Happened.LIMITED if which > 0 else Happened.SCAN_SUSPECT
            self._tell(kind, number, caller, source, answer)
        return answer

    def _key(self, name: str) -> str:
        return self._prefix + self._name(name)

    def _name(self, text: str) -> str:
        return base64.urlsafe_b64encode(self._sealer.tag(text.encode(), b"limits")[:18]).decode()

    def _tell(self, kind: Happened, number: str, caller: str, source: str, answer: Admission) -> None:
        """To the operator alone: whose binding is concerned, if any, is nobody else's business."""
        data: dict[str, str | float | None] = {"number": number, "caller": caller, "source": source, "why": answer}
        event = Event(kind=kind, owner="", binding="", at=self._clock(), data=data)
        task = asyncio.get_running_loop().create_task(self._told(event))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _told(self, event: Event) -> None:
        try:
            await self._diary.tell(event)
        except (MaskingUnavailable, ValueError) as error:
            log.error("an abuse limit could not be told: %s", type(error).__name__)

    def _note(self, *, lost: bool, why: str = "") -> None:
        """Say once that Redis went, once that it came back."""
        if lost and self._now() >= self._resume:
            self._resume = self._now() + PAUSE_SECONDS
        if lost and not self._lost:
            log.warning("redis does not answer (%s): abuse is limited by each process alone, more strictly", why)
        if self._lost and not lost:
            log.warning("redis answers again")
        self._lost = lost


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
