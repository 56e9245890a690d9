"""Callers and agents who leave, in every phase: nothing of the call is left, and the next call works."""

import os
import signal
import time

import pytest

from tests.hotline.conftest import Desks, Speak
from tests.hotline.running import Hotline
from tests.hotline.softphone import Softphone

pytestmark = pytest.mark.sip

MENU_KEY = "*"
"""In the greeting any key but 0 opens the keypad menu, whose first question is long."""


@pytest.fixture(autouse=True)
def _next_call(hotline: Hotline) -> object:
    """After every one of these ends the next caller is answered."""
    yield
    hotline.assert_idle()
    hotline.assert_answers()


def ring(hotline: Hotline, caller: Softphone, desk: Softphone, policy: str = "ring") -> None:
    """A call in which an agent's phone rings, or was answered."""
    desk.policy = policy
    caller.call(hotline.port)
    caller.await_sound()
    caller.press("0")
    desk.await_request("INVITE")


def brief(hotline: Hotline, caller: Softphone, desk: Softphone) -> None:
    """A call in which the agent hears the summary."""
    ring(hotline, caller, desk, "answer")
    desk.await_sound()


def bridge(hotline: Hotline, caller: Softphone, desk: Softphone) -> None:
    """A call in which caller and agent talk."""
    brief(hotline, caller, desk)
    desk.press("1")
    hotline.await_entry("Bridged")


def test_answered_at_once_with_a_greeting(hotline: Hotline, caller: Softphone) -> None:
    started = time.monotonic()
    caller.call(hotline.port)
    assert time.monotonic() - started < 2.0
    assert caller.await_sound() - started < 2.0
    time.sleep(2)
    assert len(caller.loud_times()) > 40


def test_cancelled_before_the_answer(hotline: Hotline, caller: Softphone) -> None:
    caller.dial(hotline.port)
    caller.cancel()
    assert caller.status("INVITE") in (200, 487)  # the answer may have been on its way


def test_left_in_the_greeting(hotline: Hotline, caller: Softphone) -> None:
    caller.call(hotline.port)
    caller.await_sound()
    caller.hang_up()
    hotline.assert_idle()
    hotline.await_outcome("hung_up")


def test_left_in_a_question(hotline: Hotline, caller: Softphone) -> None:
    caller.call(hotline.port)
    caller.await_sound()
    caller.press(MENU_KEY)
    time.sleep(1.0)
    caller.await_sound(since=time.monotonic())
    caller.hang_up()
    hotline.assert_idle()
    hotline.await_outcome("hung_up")


def test_left_while_the_dialogue_thinks(hotline: Hotline, caller: Softphone, speak: Speak) -> None:
    hotline.await_dialogue()
    rasa = hotline.pids()["rasa"]
    os.kill(rasa, signal.SIGSTOP)
    try:
        caller.call(hotline.port)
        caller.say(speak("headache"))
        time.sleep(2.0)
        caller.hang_up()
        hotline.assert_idle()
    finally:
        os.kill(rasa, signal.SIGCONT)
    hotline.await_outcome("hung_up")


def test_left_while_the_agent_is_rung(hotline: Hotline, caller: Softphone, desks: Desks) -> None:
    ring(hotline, caller, desks.first)
    hotline.await_reserved("nurse-1")
    caller.hang_up()
    desks.first.await_request("CANCEL")


def test_left_while_the_agent_hears_the_summary(hotline: Hotline, caller: Softphone, desks: Desks) -> None:
    brief(hotline, caller, desks.first)
    caller.hang_up()
    desks.first.await_request("BYE")


def test_left_by_the_caller_after_the_bridge(hotline: Hotline, caller: Softphone, desks: Desks) -> None:
    bridge(hotline, caller, desks.first)
    caller.hang_up()
    desks.first.await_request("BYE")
    hotline.assert_idle()
    hotline.await_outcome("bridged")


def test_an_agent_who_falls_out_of_the_line_is_rung_again(hotline: Hotline, caller: Softphone, desks: Desks) -> None:
    bridge(hotline, caller, desks.first)
    gone = time.monotonic()
    desks.first.policy = "ring"
    desks.first.hang_up()
    desks.first.await_request("INVITE", since=gone)
    caller.await_sound(since=gone)
    caller.hang_up()
    desks.first.await_request("CANCEL")


def test_an_agent_who_leaves_during_the_summary_is_followed_by_the_next(
    hotline: Hotline, caller: Softphone, desks: Desks
) -> None:
    desks.second.policy = "ring"
    brief(hotline, caller, desks.first)
    desks.first.hang_up()
    desks.second.await_request("INVITE")
    hotline.await_reserved("nurse-2")
    caller.hang_up()
    desks.second.await_request("CANCEL")
