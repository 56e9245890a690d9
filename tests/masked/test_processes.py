"""Masked calls of several processes: one call for a pair, and what is kept of each call in case its process dies."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from ivr.masked.ledger import SETUP_SECONDS, Pairs, pair_name
from masking.claims_redis import RedisClaims
from masking.port import Binding, LegEnd, MaskingUnavailable
from tests.masked.world import DOCTOR, DOCTOR_NUMBER, PATIENT, PATIENT_NUMBER, Do, House, Person
from tests.unit.masking.hook_rig import RING
from tests.unit.routing.redis_private import PrivateRedis, private_redis


def busy_phone(number: str) -> Person:
    """It takes the call if it rings at all."""
    return Person(number, Do(after=2.0, keys="1"), Do(after=8, hang_up=True))


def houses() -> tuple[House, House]:
    """Two processes of one hotline."""
    one, other = (House({DOCTOR: lambda: busy_phone(DOCTOR), PATIENT: lambda: busy_phone(PATIENT)}) for _ in "12")
    for shared in ("desk", "masking", "bindings", "numbers", "exchange", "clock", "wanted", "ours", "diary"):
        setattr(other, shared, getattr(one, shared))
    other.doors = replace(other.doors, masking=one.masking, clock=one.clock)
    other.worker = type(other.worker)(other.doors, other.worker.limits, other.sessions.append, other._masked)
    return one, other


async def both_dial(one: House, other: House) -> tuple[Person, Person]:
    """The patient in one process, the doctor in the other, at once."""
    await one.furnish()
    made: Binding = await one.bind()
    patient, doctor = (Person(number, Do(after=20, hang_up=True)) for number in (PATIENT, DOCTOR))
    one.ring(patient, made.patient_number)
    other.ring(doctor, made.doctor_number)
    assert all(await asyncio.gather(one.live(), other.live()))
    return patient, doctor


@pytest.mark.parametrize("redis_is", ["there", "lost"])
def test_both_dial_at_once_in_different_processes(tmp_path: Path, redis_is: str) -> None:
    async def go(server: PrivateRedis) -> None:
        one, other = houses()
        claims = [RedisClaims(server.url, RING.sealer("masking pairs"), patience=20) for _ in "12"]
        one.pairs, other.pairs = (Pairs(each) for each in claims)
        if redis_is == "lost":
            server.kill()
        patient, doctor = await both_dial(one, other)
        ends = sorted(record.end for record in one.diary.records)
        if redis_is == "lost":  # as in one process each: both ring, and nothing is crossed
            assert (one.rung, other.rung) == ([DOCTOR], [PATIENT])
        else:
            assert sorted(one.rung + other.rung) in ([DOCTOR], [PATIENT]), "one second leg rang, not two"
            assert ends == [LegEnd.BUSY, LegEnd.COMPLETED, LegEnd.COMPLETED]
            late, early = (doctor, patient) if one.rung else (patient, doctor)
            assert late.sounds > 10, "it hears why"
            assert early.hears(late.number), "the other is connected"
            pair = pair_name(one.diary.records[0].binding, one.wanted[DOCTOR], one.wanted[PATIENT])
            await asyncio.gather(*(each.settle() for each in claims))
            assert await claims[0].take("later", pair), "the pair is free again"
        for each in claims:
            await each.close()

    with private_redis(tmp_path / "r") as server:
        asyncio.run(go(server))


def test_what_would_be_left_is_kept_from_the_first_moment_on() -> None:
    async def go() -> None:
        house = House({DOCTOR: lambda: busy_phone(DOCTOR)})
        house.doors = replace(house.doors, keeper="worker-1.abc")
        await house.furnish()
        made = await house.bind()
        began = house.clock.now
        house.ring(Person(PATIENT), made.patient_number)
        assert await house.live()
        first, last = house.legs.told[0], house.legs.told[-1]
        (a,) = first
        assert (a.leg, a.keeper, a.binding, a.number, a.started) == ("a", "worker-1.abc", "", PATIENT_NUMBER, began)
        a, b = last
        assert (a.leg, a.party, a.answered is None) == ("a", house.wanted[PATIENT], False)
        assert (b.leg, b.party, b.number, b.answered is None) == ("b", house.wanted[DOCTOR], DOCTOR_NUMBER, False)
        assert a.binding == b.binding == made.id
        assert {a.owner, b.owner} == {"ward"}
        assert a.until > began + SETUP_SECONDS, "the longest duration is known by now"
        assert len(house.legs.told) <= 5, "only what is new is written"

    asyncio.run(go())


def test_legs_that_cannot_be_kept_cost_no_call() -> None:
    class Lost:
        async def hold(self, legs: object) -> None:
            raise MaskingUnavailable("lost")

        async def held(self) -> tuple[()]:
            return ()

    async def go() -> None:
        house = House({DOCTOR: lambda: busy_phone(DOCTOR)})
        house.legs = Lost()  # type: ignore[assignment]
        await house.furnish()
        made = await house.bind()
        caller = Person(PATIENT)
        house.ring(caller, made.patient_number)
        assert await house.live()
        assert caller.hears(DOCTOR)
        assert {one.end for one in house.diary.records} == {LegEnd.COMPLETED}

    asyncio.run(go())
