"""Parts that freeze (SIGSTOP) in a call: they neither answer nor fail, and the caller hears no silence all the same."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.hotline.conftest import Desks, Speak
from tests.hotline.running import Hotline
from tests.hotline.softphone import Softphone

pytestmark = pytest.mark.sip

LONGEST = 2.5
"""Seconds without energy on the caller's phone, while the caller is silent and nothing was asked."""
PATIENCE = 0.9
"""Seconds after the last word in which the caller may be thinking."""


@contextmanager
def frozen(hotline: Hotline, *parts: str) -> Iterator[None]:
    """Parts of this hotline stand still."""
    pids = [hotline.pids()[part] for part in parts]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def longest_gap(phone: Softphone, begin: float, end: float) -> float:
    """The longest time without energy in between."""
    times = [begin, *(at for at in phone.loud_times(begin) if at <= end), end]
    return max(later - earlier for earlier, later in zip(times, times[1:], strict=False))


def test_dialogue_and_redis_freeze_in_a_call(hotline: Hotline, caller: Softphone, desks: Desks, speak: Speak) -> None:
    desks.first.policy = "answer"
    hotline.await_dialogue()
    caller.call(hotline.port)
    caller.await_sound()
    caller.await_quiet(1.5, timeout=45)
    with frozen(hotline, "rasa", "actions", "redis"):
        caller.say(speak("my stomach hurts"))
        while caller.talking:
            time.sleep(0.02)
        silent = time.monotonic()
        time.sleep(5.0)
        caller.press("0")
        desks.first.await_sound(timeout=8)
        desks.first.press("1")
        hotline.await_entry("Bridged", 15)
        joined = time.monotonic()
        assert longest_gap(caller, silent + PATIENCE, joined) <= LONGEST
        caller.hang_up()
        desks.first.await_request("BYE")
    hotline.assert_idle()
    kinds = hotline.last()[1]
    assert "DialogueFailed" not in kinds
    assert hotline.last()[0].outcome == "bridged"
