"""From the caller's words or keys to a human, over real SIP: who rings, who hears what, and whose sound goes where."""

import time

import pytest

from tests.hotline.conftest import Desks, Speak
from tests.hotline.running import Hotline
from tests.hotline.softphone import Softphone
from tests.hotline.softphone_media import tone

pytestmark = pytest.mark.sip

DANGER = "i have chest pain and it hurts in my left arm"


def start(hotline: Hotline, phone: Softphone) -> None:
    """A call whose greeting is heard."""
    phone.call(hotline.port)
    phone.await_sound()


def test_words_of_danger_ring_an_agent_and_both_hear_each_other(
    hotline: Hotline, caller: Softphone, desks: Desks, speak: Speak
) -> None:
    desks.first.policy = "answer"
    start(hotline, caller)
    caller.say(speak(DANGER))
    rung = desks.first.await_request("INVITE", 10)
    assert desks.first.await_sound() > rung, "the summary"
    desks.first.press("1")
    hotline.await_entry("Bridged", 20)  # the emergency number is heard to its end before the bridge
    caller.say(tone(440, 3))
    desks.first.say(tone(1000, 3))
    desks.first.await_tone(440)
    caller.await_tone(1000)
    caller.hang_up()
    desks.first.await_request("BYE")
    hotline.await_outcome("bridged")
    shown = hotline.command_line("calls", "show", hotline.last()[0].call)
    assert "RED FLAG" in shown
    assert "chest pain" in shown


def test_an_agents_telephone_with_a_sip_library(hotline: Hotline, caller: Softphone, desks: Desks) -> None:
    phone = desks.third
    phone.do("on_arrival", policy="answer")
    start(hotline, caller)
    caller.press("0")
    leg = phone.wait_for("LegArrived")["leg"]
    phone.wait_for("LegAnswered", leg=leg)
    until = time.monotonic() + 4
    while phone.do("heard", leg)["rms"] < 300:
        assert time.monotonic() < until, "the summary is not heard"
        time.sleep(0.05)
    phone.do("keys", leg, digits="1", method="info")
    phone.hears_nothing(leg)
    phone.do("tone", leg, hz=900, ms=3000)
    caller.say(tone(500, 3))
    caller.await_tone(900)
    phone.hears(leg, 500)
    phone.do("hang_up", leg)
    gone = time.monotonic()
    phone.do("on_arrival", policy="486")
    caller.await_sound(since=gone)  # all busy by then: a callback is offered


@pytest.mark.parametrize("way", ["rfc4733", "info"])
def test_0_rings_an_agent(hotline: Hotline, caller: Softphone, desks: Desks, way: str) -> None:
    desks.first.policy = "ring"
    start(hotline, caller)
    if way == "rfc4733":
        caller.press("0")
    else:
        caller.request("INFO", "Signal=0\r\nDuration=160\r\n", kind="application/dtmf-relay")
        assert caller.status("INFO") == 200
    desks.first.await_request("INVITE", 3)
    hotline.await_reserved("nurse-1")


def test_0_in_a_question_rings_an_agent(hotline: Hotline, caller: Softphone, desks: Desks) -> None:
    desks.first.policy = "ring"
    start(hotline, caller)
    caller.press("5")
    time.sleep(1.5)
    caller.press("0")
    desks.first.await_request("INVITE", 3)


def test_a_key_of_the_menu_rings_an_agent_for_an_emergency(hotline: Hotline, caller: Softphone, desks: Desks) -> None:
    desks.first.policy = "ring"
    start(hotline, caller)
    caller.press("5")
    time.sleep(1.0)
    caller.press("1")
    desks.first.await_request("INVITE", 3)
    caller.hang_up()
    desks.first.await_request("CANCEL")
    hotline.assert_idle()
    hotline.await_outcome("callback")
    assert f"cb-{hotline.last()[0].call}" in hotline.command_line("callbacks", "list")


def test_the_prompt_stops_when_the_caller_speaks(hotline: Hotline, caller: Softphone, speak: Speak) -> None:
    start(hotline, caller)
    time.sleep(1.0)
    words = speak("hello hello can you hear me")
    onset = next(at for at in range(0, len(words), 320) if max(words[at + 1 : at + 320 : 2]) > 2) / 16000
    began = time.monotonic() + onset
    caller.say(words)
    stopped = caller.await_quiet(0.3, 3)
    assert stopped - began < 0.6, f"spoke for {stopped - began:.2f} s over the caller"


def test_a_busy_agent_is_followed_by_the_next(hotline: Hotline, caller: Softphone, desks: Desks) -> None:
    desks.second.policy = "ring"
    start(hotline, caller)
    caller.press("0")
    desks.second.await_request("INVITE", 3)
    assert desks.first.count("INVITE") == 1
    hotline.await_reserved("nurse-2")


def test_an_agent_who_does_not_answer_is_followed_by_the_next(
    hotline: Hotline, caller: Softphone, desks: Desks
) -> None:
    desks.first.policy = desks.second.policy = "ring"
    start(hotline, caller)
    caller.press("0")
    rung = desks.first.await_request("INVITE", 3)
    desks.first.await_request("CANCEL", 17)
    assert 14 < desks.second.await_request("INVITE", 17) - rung < 17
    assert desks.first.count("INVITE") == 1
    hotline.await_reserved("nurse-2")


def test_an_agent_who_passes_on_is_followed_by_the_next(hotline: Hotline, caller: Softphone, desks: Desks) -> None:
    desks.first.policy, desks.second.policy = "answer", "ring"
    start(hotline, caller)
    caller.press("0")
    desks.first.await_sound()
    desks.first.press("2")
    desks.first.await_request("BYE")
    desks.second.await_request("INVITE")


def test_a_diversion_by_an_agents_phone_is_not_followed(hotline: Hotline, caller: Softphone, desks: Desks) -> None:
    with Softphone(policy="ring") as elsewhere:
        desks.first.policy, desks.first.moved_to = "moved", f"sip:elsewhere@127.0.0.1:{elsewhere.port}"
        desks.second.policy = "ring"
        start(hotline, caller)
        caller.press("0")
        desks.second.await_request("INVITE", 3)
        assert elsewhere.received == []


def test_presence_set_on_the_command_line_decides_who_rings(
    hotline: Hotline, caller: Softphone, desks: Desks
) -> None:
    assert hotline.command_line("agents", "set", "nurse-1", "away") == "nurse-1 is away\n"
    try:
        assert "nurse-1          away" in hotline.command_line("agents", "list")
        desks.first.policy = desks.second.policy = "ring"
        start(hotline, caller)
        caller.press("0")
        desks.second.await_request("INVITE", 3)
        assert desks.first.count("INVITE") == 0
        listed = hotline.command_line("agents", "list")
        assert hotline.last()[0].call in next(line for line in listed.splitlines() if "nurse-2" in line)
    finally:
        hotline.command_line("agents", "set", "nurse-1", "available")


def test_two_calls_share_no_agent(hotline: Hotline, caller: Softphone, desks: Desks) -> None:
    desks.first.policy = desks.second.policy = "ring"
    with Softphone() as other:
        start(hotline, caller)
        start(hotline, other)
        caller.press("0")
        other.press("0")
        desks.first.await_request("INVITE", 3)
        desks.second.await_request("INVITE", 3)
        hotline.await_reserved("nurse-1", "nurse-2")
        assert len(set(hotline.reserved().values())) == 2
        assert desks.first.count("INVITE") == desks.second.count("INVITE") == 1
