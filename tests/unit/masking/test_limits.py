"""Abuse limits, in memory and in a real Redis."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest
from redis import Redis

from masking.buckets import MOST_KEPT, SOURCE_FACTOR, LocalBuckets, Rates
from masking.leaks import LeakOracle
from masking.limits_redis import PAUSE_SECONDS, RedisLimits
from masking.memory_diary import MemoryDiary
from masking.port import Admission, Happened
from tests.contract.desk_rigs import Clock
from tests.unit.masking.hook_rig import RING
from tests.unit.routing.redis_private import PrivateRedis, private_redis

X = "+12025550100"
SMALL = Rates(
    caller_hour=6, pair_hour=4, number_minute=50, stranger_hour=5, stranger_number_minute=12, source_minute=40,
    scan_numbers=3, scan_window=60.0, scan_pause=600.0,
)  # fmt: skip
A, TRUNK = "party-a", "trunk-one"
Admit = Callable[..., Awaitable[Admission]]


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateRedis]:
    with private_redis(tmp_path_factory.mktemp("redis") / "r") as server:
        yield server


@dataclass(slots=True, kw_only=True)
class Told:
    """A process's limits and what they told."""

    limits: RedisLimits
    diary: MemoryDiary


@contextmanager
def limits(
    redis: PrivateRedis,
    rates: Rates = SMALL,
    *,
    clock: Clock | None = None,
    clean: bool = True,
    patience: float = 60.0,
) -> Iterator[Told]:
    if clean:
        with Redis.from_url(redis.url) as client:
            client.flushall()
    diary = MemoryDiary()
    sealer = RING.sealer("masking limits")
    made = RedisLimits(redis.url, sealer, rates, diary, clock=Clock(), now=clock or Clock(), patience=patience)
    yield Told(limits=made, diary=diary)


@dataclass(slots=True, kw_only=True)
class Local:
    """The fallback, with the same door."""

    buckets: LocalBuckets
    kinds: list[Happened] = field(default_factory=list)

    async def admit(self, number: str, caller: str, source: str, *, known: bool) -> Admission:
        return self.buckets.admit(number, caller, source, known=known)


def both(redis: PrivateRedis, work: Callable[[Admit], Awaitable[None]], rates: Rates = SMALL) -> None:
    """The same with the same result, wherever it is counted."""
    local = Local(buckets=LocalBuckets(rates, Clock()))
    asyncio.run(_run(work, local.admit))
    with limits(redis, rates) as told:

        async def run() -> None:
            await work(told.limits.admit)
            await told.limits.close()

        asyncio.run(run())


async def _run(work: Callable[[Admit], Awaitable[None]], admit: Admit) -> None:
    await work(admit)


def test_a_patient_may_call_again_and_again_and_only_then_is_limited(redis: PrivateRedis) -> None:
    async def work(admit: Admit) -> None:
        assert [await admit(X, A, TRUNK, known=True) for _ in range(5)] == [Admission.ADMITTED] * 4 + [Admission.PAIR]
        assert await admit(X + "1", A, TRUNK, known=True) == Admission.ADMITTED
        assert await admit(X + "2", A, TRUNK, known=True) == Admission.ADMITTED
        assert await admit(X + "3", A, TRUNK, known=True) == Admission.CALLER
        assert await admit(X, "party-b", TRUNK, known=True) == Admission.ADMITTED

    both(redis, work)


def test_strangers_cannot_use_up_what_patients_need(redis: PrivateRedis) -> None:
    async def work(admit: Admit) -> None:
        said = [await admit(X, f"party-{at}", TRUNK, known=False) for at in range(14)]
        assert said == [Admission.ADMITTED] * 12 + [Admission.NUMBER] * 2
        assert await admit(X, "", TRUNK, known=False) == Admission.NUMBER
        assert await admit(X, A, TRUNK, known=True) == Admission.ADMITTED

    both(redis, work)


def test_number_after_number_without_a_binding_is_a_scan(redis: PrivateRedis) -> None:
    async def work(admit: Admit) -> None:
        said = [await admit(f"{X}{at}", A, TRUNK, known=False) for at in range(4)]
        assert said == [Admission.ADMITTED] * 2 + [Admission.SCAN] * 2
        assert await admit(X, A, TRUNK, known=False) == Admission.SCAN
        assert await admit(X, A, TRUNK, known=True) == Admission.ADMITTED, "a patient is never locked out"
        assert await admit(X, "party-b", TRUNK, known=False) == Admission.ADMITTED

    both(redis, work)


def test_the_same_number_again_is_no_scan(redis: PrivateRedis) -> None:
    async def work(admit: Admit) -> None:
        said = [await admit(X, A, TRUNK, known=False) for _ in range(6)]
        assert said == [Admission.ADMITTED] * 5 + [Admission.CALLER]

    both(redis, work)


def test_a_trunk_that_scans_with_changing_callers_is_found(redis: PrivateRedis) -> None:
    async def work(admit: Admit) -> None:
        count = SMALL.scan_numbers * SOURCE_FACTOR
        said = [await admit(f"{X}{at}", f"party-{at}", TRUNK, known=False) for at in range(count + 1)]
        assert said == [Admission.ADMITTED] * (count - 1) + [Admission.SCAN] * 2
        assert await admit(X, "party-z", "trunk-two", known=False) == Admission.ADMITTED
        assert await admit(X, "party-z", TRUNK, known=True) == Admission.ADMITTED

    both(redis, work)


def test_withheld_callers_from_one_source_are_bounded(redis: PrivateRedis) -> None:
    rates = replace(SMALL, stranger_number_minute=1000, source_minute=5)

    async def work(admit: Admit) -> None:
        assert [await admit(X, "", TRUNK, known=False) for _ in range(6)] == [Admission.ADMITTED] * 5 + [Admission.SCAN]

    both(redis, work, rates)


def test_what_was_used_up_comes_back(redis: PrivateRedis) -> None:
    clock = Clock()
    local = LocalBuckets(SMALL, clock)
    said = [local.admit(X, A, TRUNK, known=True) for _ in range(5)]
    assert said[-1] == Admission.PAIR
    clock.now += 900
    assert local.admit(X, A, TRUNK, known=True) == Admission.ADMITTED
    assert local.admit(X, A, TRUNK, known=True) == Admission.PAIR
    for at in range(3):
        local.admit(f"{X}{at}", A, TRUNK, known=False)
    assert local.admit(X, A, TRUNK, known=False) == Admission.SCAN
    clock.now += SMALL.scan_pause
    assert local.admit(X, A, TRUNK, known=False) == Admission.ADMITTED


def test_many_processes_count_together_and_exactly(redis: PrivateRedis) -> None:
    async def run() -> list[Admission]:
        with limits(redis) as one, limits(redis, clean=False) as two:
            both = (one.limits, two.limits)
            said = await asyncio.gather(*(both[at % 2].admit(X, A, TRUNK, known=True) for at in range(20)))
            await asyncio.gather(*(each.close() for each in both))
            return said

    assert asyncio.run(run()).count(Admission.ADMITTED) == SMALL.pair_hour


def test_limits_and_scans_are_told_once_and_to_the_operator(redis: PrivateRedis) -> None:
    with limits(redis) as told:

        async def run() -> None:
            for at in range(6):
                await told.limits.admit(f"{X}{at}", A, TRUNK, known=False)
            for _ in range(8):
                await told.limits.admit(X, A, TRUNK, known=True)
            await told.limits.close()

        asyncio.run(run())
        events = [one.event for one in told.diary.written]
        assert [(event.kind, event.owner) for event in events] == [(Happened.SCAN_SUSPECT, ""), (Happened.LIMITED, "")]
        assert events[1].data == {"number": X, "caller": A, "source": TRUNK, "why": "pair_limit"}


def test_redis_holds_no_number_no_party_and_every_key_has_an_end(redis: PrivateRedis) -> None:
    with limits(redis) as told:

        async def run() -> None:
            for at in range(5):
                await told.limits.admit(f"{X}{at}", A, TRUNK, known=False)
                await told.limits.admit(X, A, TRUNK, known=True)
            await told.limits.close()

        asyncio.run(run())
    with Redis.from_url(redis.url) as client:
        keys = list(client.scan_iter())
        assert keys
        assert all(client.pttl(key) > 0 for key in keys)
        dump = b" ".join(key + b" " + client.dump(key) for key in keys)
    assert A.encode() not in dump
    assert TRUNK.encode() not in dump
    assert LeakOracle([X]).scan(dump) == ()


def test_without_redis_each_process_is_stricter_and_asks_again_later(redis: PrivateRedis) -> None:
    clock = Clock()
    with limits(redis, clock=clock, patience=2.0) as told:

        async def run() -> None:
            redis.pause(signal.SIGSTOP)
            try:
                said = [await told.limits.admit(X, A, TRUNK, known=True) for _ in range(5)]
            finally:
                redis.pause(signal.SIGCONT)
            assert said == [Admission.ADMITTED] * 4 + [Admission.PAIR]
            assert [await told.limits.admit(X, "party-b", TRUNK, known=False) for _ in range(3)][-1] == Admission.CALLER
            clock.now += PAUSE_SECONDS + 1
            assert await told.limits.admit(X, A, TRUNK, known=True) == Admission.ADMITTED
            await told.limits.close()

        asyncio.run(run())


def test_no_redis_at_all_never_raises() -> None:
    async def run() -> None:
        sealer = RING.sealer("masking limits")
        alone = RedisLimits("unix:///nowhere/redis.sock", sealer, SMALL, MemoryDiary(), now=Clock())
        assert await alone.admit(X, A, TRUNK, known=True) == Admission.ADMITTED
        await alone.close()

    asyncio.run(run())


def test_the_fallback_forgets_the_oldest() -> None:
    local = LocalBuckets(Rates(), Clock())
    for at in range(MOST_KEPT + 50):
        local.admit(f"{X}{at}", "", "", known=True)
    assert len(local._left) == MOST_KEPT
