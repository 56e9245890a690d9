"""Ordinary calls between two phones: both directions of sound, keys, ends, bridges."""

import re
import time
from pathlib import Path

import pytest

from tests.sip.raw_caller import RawCaller
from tests.sip.support import CALLER, Phone, PhoneError, Sipp

pytestmark = pytest.mark.sip


def _call(hotline: Phone, caller: Phone) -> tuple[str, str]:
    """A call that stands: the caller's leg and the hotline's."""
    here = caller.dial(hotline.address, shown=CALLER)
    there = hotline.wait_for("LegArrived")["leg"]
    for phone, leg in ((caller, here), (hotline, there)):
        phone.wait_for("LegAnswered", leg=leg)
    return here, there


def _end(leg: str, phone: Phone, other: Phone) -> None:
    phone.do("hang_up", leg)
    assert phone.wait_for("LegGone")["cause"] == "normal"
    assert other.wait_for("LegGone")["cause"] == "normal"


def test_caller_and_hotline_hear_each_other(hotline: Phone, caller: Phone) -> None:
    here = caller.dial(f"sip:night+line@127.0.0.1:{hotline.port}", shown=CALLER)
    arrived = hotline.wait_for("LegArrived")
    assert (arrived["caller"], arrived["dialled"]) == (CALLER, "night+line")
    caller.wait_for("LegRinging", leg=here)
    caller.wait_for("LegAnswered", leg=here)
    hotline.wait_for("LegAnswered")
    caller.do("tone", here, hz=440, ms=3000)
    hotline.do("tone", arrived["leg"], hz=1000, ms=3000)
    hotline.hears(arrived["leg"], 440)
    caller.hears(here, 1000)
    _end(here, caller, hotline)


@pytest.mark.parametrize("codec", ["G722", "PCMA"])
def test_other_codecs_carry_sound(hotline: Phone, codec: str) -> None:
    with Phone(codecs=[codec]) as phone:
        here, there = _call(hotline, phone)
        phone.do("tone", here, hz=700, ms=2000)
        hotline.hears(there, 700)
        _end(there, hotline, phone)


def test_a_call_over_tcp(hotline: Phone, caller: Phone) -> None:
    here = caller.dial(f"sip:x@127.0.0.1:{hotline.port};transport=tcp")
    caller.wait_for("LegAnswered", leg=here)
    hotline.wait_for("LegAnswered")
    _end(here, caller, hotline)


def test_an_end_of_a_play_is_told_when_it_has_left(hotline: Phone, caller: Phone) -> None:
    here, there = _call(hotline, caller)
    started = time.monotonic()
    hotline.do("tone", there, hz=500, ms=400, play=7)
    ended = hotline.wait_for("PlayEnded")
    assert (ended["play"], ended["complete"]) == (7, True)
    assert 0.35 < ended["t"] - started < 1.0
    _end(here, caller, hotline)


def test_stopped_and_replaced_plays_end_early(hotline: Phone, caller: Phone) -> None:
    here, there = _call(hotline, caller)
    hotline.do("tone", there, hz=500, ms=9000, play=1)
    caller.hears(here, 500)
    hotline.do("tone", there, hz=800, ms=9000, play=2)
    replaced = hotline.wait_for("PlayEnded")
    assert (replaced["play"], replaced["complete"]) == (1, False)
    caller.hears(here, 800)
    hotline.do("stop", there)
    stopped = hotline.wait_for("PlayEnded")
    assert (stopped["play"], stopped["complete"]) == (2, False)
    caller.hears_nothing(here)
    _end(here, caller, hotline)


def test_silence_is_heard_too_and_time_passes(hotline: Phone, caller: Phone) -> None:
    here, there = _call(hotline, caller)
    before, began = hotline.do("heard", there)["frames"], time.monotonic()
    time.sleep(1.0)
    frames, seconds = hotline.do("heard", there)["frames"] - before, time.monotonic() - began
    assert frames == pytest.approx(50 * seconds, rel=0.25)
    assert hotline.do("elapsed", there) == pytest.approx(seconds, abs=0.4)
    _end(here, caller, hotline)


@pytest.mark.parametrize("method", ["rfc4733", "info"])
def test_every_key_is_heard_once(hotline: Phone, caller: Phone, method: str) -> None:
    here, _ = _call(hotline, caller)
    caller.do("keys", here, digits="1150*#", method=method)
    assert [hotline.wait_for("KeyPressed")["digit"] for _ in "1150*#"] == list("1150*#")
    _end(here, caller, hotline)


def test_the_hotline_hangs_up(hotline: Phone, caller: Phone) -> None:
    _, there = _call(hotline, caller)
    _end(there, hotline, caller)
    hotline.do("hang_up", there)
    with pytest.raises(PhoneError, match="gone"):
        hotline.do("answer", there)


def test_two_legs_are_joined_and_the_second_outlives_the_first(hotline: Phone, caller: Phone) -> None:
    here, patient = _call(hotline, caller)
    agent = hotline.dial(caller.address, shown="hotline")
    desk = caller.wait_for("LegArrived")
    assert desk["caller"] is None
    caller.wait_for("LegAnswered", leg=desk["leg"])
    hotline.wait_for("LegAnswered", leg=agent)
    hotline.do("bridge", patient, other=agent)
    frames = hotline.do("heard", patient)["frames"]
    caller.do("tone", here, hz=440, ms=4000)
    caller.do("tone", desk["leg"], hz=900, ms=4000)
    caller.hears(desk["leg"], 440)
    caller.hears(here, 900)
    assert hotline.do("heard", patient)["frames"] - frames <= 2
    caller.do("hang_up", here)
    assert hotline.wait_for("LegGone")["leg"] == patient
    caller.wait_for("LegGone", leg=here)
    hotline.do("tone", agent, hz=600, ms=2000)
    caller.hears(desk["leg"], 600)
    caller.do("tone", desk["leg"], hz=700, ms=3000)
    assert hotline.hears(agent, 700), "who outlives a bridge is heard again"
    _end(agent, hotline, caller)


def test_only_answered_legs_are_joined(hotline: Phone, caller: Phone) -> None:
    here, there = _call(hotline, caller)
    with pytest.raises(PhoneError, match="answered"):
        hotline.do("bridge", there, other=there)
    _end(here, caller, hotline)


def test_a_refused_call_tells_the_caller(hotline: Phone, caller: Phone) -> None:
    hotline.do("on_arrival", policy="486")
    caller.dial(hotline.address)
    assert caller.wait_for("LegGone")["cause"] == "busy"
    assert hotline.waiting("LegGone") == []


def test_another_vendors_phone_calls(hotline: Phone, tmp_path: Path) -> None:
    sipp = Sipp("plain_call", tmp_path, target=hotline.port)
    assert hotline.wait_for("LegArrived")["caller"] == "+12025550147"
    hotline.wait_for("LegAnswered")
    assert hotline.wait_for("LegGone")["cause"] == "normal"
    sipp.finish()


@pytest.mark.parametrize(
    ("scenario", "cause"),
    [("busy", "busy"), ("declined", "declined"), ("unknown", "unreachable"), ("moved", "failed")],
)
def test_why_a_dialled_phone_did_not_come_up(hotline: Phone, tmp_path: Path, scenario: str, cause: str) -> None:
    sipp = Sipp(scenario, tmp_path)
    time.sleep(0.3)
    leg = hotline.dial(f"sip:phone@127.0.0.1:{sipp.port}")
    gone = hotline.wait_for("LegGone")
    assert (gone["leg"], gone["cause"]) == (leg, cause)
    sipp.finish()


def test_a_dialled_phone_sees_nothing_of_the_caller(hotline: Phone, caller: Phone) -> None:
    here, _ = _call(hotline, caller)
    with RawCaller(hotline.port) as agent:
        leg = hotline.dial(f"sip:desk@127.0.0.1:{agent.sip.getsockname()[1]}", shown="hotline")
        invite = agent.wait_request("INVITE")
        agent.refuse(invite)
        hotline.wait_for("LegGone", leg=leg)
        for digits in (CALLER, CALLER.lstrip("+")):
            assert digits not in invite
        assert re.search(r'^From: "Triageline" <sip:hotline@127.0.0.1', invite, re.MULTILINE)
        assert re.search(r"^Contact: .*<sip:triage@127.0.0.1", invite, re.MULTILINE)
        names = {line.split(":", 1)[0].lower() for line in invite.split("\r\n\r\n")[0].splitlines()[1:]}
        assert names.isdisjoint({"p-asserted-identity", "remote-party-id", "diversion", "history-info", "referred-by"})
    _end(here, caller, hotline)


def test_giving_up_a_phone_that_only_rings(hotline: Phone, tmp_path: Path) -> None:
    sipp = Sipp("rings", tmp_path)
    time.sleep(0.3)
    leg = hotline.dial(f"sip:phone@127.0.0.1:{sipp.port}")
    hotline.wait_for("LegRinging", leg=leg)
    hotline.do("hang_up", leg)
    assert hotline.wait_for("LegGone")["cause"] == "no_answer"
    sipp.finish()


def test_giving_up_an_address_where_nobody_is(hotline: Phone) -> None:
    leg = hotline.dial("sip:phone@127.0.0.1:9")
    hotline.do("hang_up", leg)
    assert hotline.wait_for("LegGone", timeout=2)["leg"] == leg


@pytest.mark.parametrize("address", ["sip:a@b?Subject=x", "http://127.0.0.1", "sip:a@127.0.0.1>\r\nX: y", "", "sip:"])
def test_odd_addresses_are_not_dialled(hotline: Phone, address: str) -> None:
    with pytest.raises(PhoneError, match="address"):
        hotline.dial(address)
