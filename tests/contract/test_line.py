"""What every phone line promises to the engine, on real SIP and on audio in memory."""

import time
from collections.abc import Iterator

import pytest

from tests.contract.line_rigs import Refused, Rig, SipRig, WavRig
from tests.sip.support import Phone

pytestmark = pytest.mark.sip


@pytest.fixture(scope="module")
def phones() -> Iterator[tuple[Phone, Phone]]:
    """The line under test and the phone at the other end, for the real one."""
    with Phone() as hotline, Phone() as caller:
        yield hotline, caller


@pytest.fixture(params=["sip", "wav"])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """A line under test."""
    if request.param == "wav":
        wav = WavRig()
        yield wav
        wav.close()
        return
    hotline, caller = request.getfixturevalue("phones")
    yield SipRig(hotline, caller)
    for phone in (hotline, caller):
        phone.do("hang_up_all")
    time.sleep(0.3)
    for phone in (hotline, caller):
        phone.forget()


def test_an_answered_leg_lives_and_its_time_passes(rig: Rig) -> None:
    leg = rig.arrive()
    rig.event("LegAnswered", leg=leg)
    rig.order("tone", leg, hz=500, ms=800)
    rig.event("PlayEnded", leg=leg)
    assert 0.5 < rig.order("elapsed", leg) < 3.0


def test_what_is_played_is_heard_and_its_end_is_told_once(rig: Rig) -> None:
    leg = rig.arrive()
    rig.event("LegAnswered", leg=leg)
    rig.order("tone", leg, hz=800, ms=900, play=7)
    rig.far_hears(leg, 800)
    ended = rig.event("PlayEnded", leg=leg)
    assert (ended["play"], ended["complete"]) == (7, True)
    assert not rig.left("PlayEnded")


def test_a_stopped_or_replaced_play_is_told_as_incomplete(rig: Rig) -> None:
    leg = rig.arrive()
    rig.event("LegAnswered", leg=leg)
    rig.order("tone", leg, hz=800, ms=5000, play=1)
    rig.order("tone", leg, hz=900, ms=5000, play=2)
    replaced = rig.event("PlayEnded", leg=leg)
    assert (replaced["play"], replaced["complete"]) == (1, False)
    rig.far_hears(leg, 900)
    rig.order("stop", leg)
    stopped = rig.event("PlayEnded", leg=leg)
    assert (stopped["play"], stopped["complete"]) == (2, False)


def test_a_held_play_is_silent_keeps_its_place_and_ends_complete_once(rig: Rig) -> None:
    leg = rig.arrive()
    rig.event("LegAnswered", leg=leg)
    rig.order("tone", leg, hz=800, ms=1600, play=3)
    rig.far_hears(leg, 800)
    rig.order("hold", leg)
    left = rig.order("left", leg)
    assert 0 < left < 1.6
    rig.far_hears_nothing(leg)
    assert rig.order("left", leg) == left
    assert not rig.left("PlayEnded")
    rig.order("go_on", leg)
    assert rig.order("left", leg) <= left + 0.5
    rig.far_hears(leg, 800)
    ended = rig.event("PlayEnded", leg=leg)
    assert (ended["play"], ended["complete"]) == (3, True)
    rig.order("go_on", leg)
    rig.order("hold", leg)
    assert rig.order("left", leg) == 0
    assert not rig.left("PlayEnded")


def test_a_held_play_can_be_stopped_and_replaced(rig: Rig) -> None:
    leg = rig.arrive()
    rig.event("LegAnswered", leg=leg)
    rig.order("tone", leg, hz=800, ms=5000, play=1)
    rig.far_hears(leg, 800)
    rig.order("hold", leg)
    rig.order("tone", leg, hz=600, ms=5000, play=2)
    replaced = rig.event("PlayEnded", leg=leg)
    assert (replaced["play"], replaced["complete"]) == (1, False)
    rig.far_hears(leg, 600)
    rig.order("hold", leg)
    rig.order("stop", leg)
    stopped = rig.event("PlayEnded", leg=leg)
    assert (stopped["play"], stopped["complete"]) == (2, False)
    rig.order("go_on", leg)
    rig.far_hears_nothing(leg)
    assert not rig.left("PlayEnded")


def test_hanging_up_while_a_play_is_held_ends_the_leg_alone(rig: Rig) -> None:
    leg = rig.arrive()
    rig.event("LegAnswered", leg=leg)
    rig.order("tone", leg, hz=800, ms=5000, play=1)
    rig.order("hold", leg)
    rig.far("hang_up", leg)
    rig.event("LegGone", leg=leg)
    rig.order("go_on", leg)
    rig.order("hold", leg)
    assert rig.order("left", leg) == 0
    assert not rig.left("LegGone", "PlayEnded")


def test_keys_come_once_each_in_order(rig: Rig) -> None:
    leg = rig.arrive()
    rig.event("LegAnswered", leg=leg)
    rig.far("tone", leg, hz=500, ms=600)
    rig.hears(leg, 500)
    rig.far("keys", leg, digits="1#0")
    assert [rig.event("KeyPressed", leg=leg)["digit"] for _ in range(3)] == ["1", "#", "0"]
    assert not rig.left("KeyPressed")


@pytest.mark.parametrize("who", ["caller", "hotline"])
def test_the_end_of_a_leg_is_told_once_and_orders_after_it_hurt_nobody(rig: Rig, who: str) -> None:
    leg = rig.arrive()
    rig.event("LegAnswered", leg=leg)
    if who == "caller":
        rig.far("hang_up", leg)
    else:
        rig.order("hang_up", leg)
    assert rig.event("LegGone", leg=leg)["cause"] == "normal"
    rig.order("tone", leg, hz=500, ms=100)
    rig.order("stop", leg)
    rig.order("hang_up", leg)
    assert not rig.left("LegGone", "PlayEnded")


def test_a_leg_that_is_gone_cannot_be_answered_or_joined(rig: Rig) -> None:
    leg, other = rig.arrive(), rig.arrive()
    rig.event("LegAnswered", leg=leg)
    rig.event("LegAnswered", leg=other)
    rig.order("hang_up", leg)
    rig.event("LegGone", leg=leg)
    with pytest.raises(Refused):
        rig.order("answer", leg)
    with pytest.raises(Refused):
        rig.order("bridge", leg, other=other)


def test_a_called_phone_rings_and_answers(rig: Rig) -> None:
    leg = rig.dial(reachable=True)
    assert rig.event("LegRinging", "LegAnswered", leg=leg)["event"] == "LegRinging"
    rig.event("LegAnswered", leg=leg)
    rig.order("tone", leg, hz=700, ms=1500)
    rig.far_hears(leg, 700)


def test_a_bridge_joins_both_ways_and_who_stays_is_heard_again(rig: Rig) -> None:
    patient, agent = rig.arrive(), rig.dial(reachable=True)
    rig.event("LegAnswered", leg=patient)
    rig.event("LegAnswered", leg=agent)
    rig.order("bridge", patient, other=agent)
    rig.far("tone", patient, hz=440, ms=3000)
    rig.far("tone", agent, hz=900, ms=3000)
    rig.far_hears(agent, 440)
    rig.far_hears(patient, 900)
    for leg in (patient, agent):
        rig.order("tone", leg, hz=1400, ms=200, play=9)  # heard over the other side, without taking them apart
        rig.event("PlayEnded", leg=leg)
    rig.far("hang_up", agent)
    rig.event("LegGone", leg=agent)
    rig.far("tone", patient, hz=600, ms=3000)
    rig.hears(patient, 600)
    rig.order("tone", patient, hz=1000, ms=2000)
    rig.far_hears(patient, 1000)


def test_nobody_at_an_address_ends_the_leg(rig: Rig) -> None:
    leg = rig.dial(reachable=False)
    assert rig.event("LegGone", leg=leg)["cause"] in ("unreachable", "no_answer", "failed")
