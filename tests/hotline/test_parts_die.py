"""Parts that die in the middle of a call: the caller reaches a human all the same, and the part comes back."""

import time

import pytest

from tests.hotline.conftest import Desks, Speak
from tests.hotline.running import Hotline
from tests.hotline.softphone import Softphone

pytestmark = pytest.mark.sip


@pytest.mark.parametrize("part", ["redis", "actions", "rasa"])
def test_a_part_dies_in_a_call(hotline: Hotline, caller: Softphone, desks: Desks, speak: Speak, part: str) -> None:
    """The caller speaks, which asks the dialogue, and then presses 0."""
    desks.first.policy = "answer"
    hotline.await_dialogue()
    caller.call(hotline.port)
    caller.await_sound()
    printed = hotline.kill(part)
    caller.say(speak("my stomach hurts"))
    time.sleep(4.0)
    caller.await_sound(since=time.monotonic(), timeout=8)
    caller.press("0")
    desks.first.await_sound(timeout=8)
    desks.first.press("1")
    hotline.await_entry("Bridged", 15)
    hotline.await_restart(part, printed)
    caller.hang_up()
    desks.first.await_request("BYE")
    hotline.assert_idle()
    hotline.await_outcome("bridged")


def test_keys_lead_to_a_human_without_the_dialogue(hotline: Hotline, caller: Softphone, desks: Desks) -> None:
    desks.first.policy = "ring"
    printed = hotline.kill("rasa")
    caller.call(hotline.port)
    caller.await_sound()
    caller.press("5")
    time.sleep(1.0)
    caller.press("1")
    desks.first.await_request("INVITE", 3)
    hotline.await_restart("rasa", printed)


def test_words_of_danger_need_neither_dialogue_nor_redis(
    hotline: Hotline, caller: Softphone, desks: Desks, speak: Speak
) -> None:
    desks.first.policy = "ring"
    caller.call(hotline.port)
    printed = hotline.kill("rasa")
    hotline.kill("redis")
    caller.say(speak("i have chest pain and it hurts in my left arm"))
    desks.first.await_request("INVITE", 10)
    for part in ("rasa", "redis"):
        hotline.await_restart(part, printed)


def test_the_worker_is_back_within_seconds_on_the_same_port(hotline: Hotline, caller: Softphone) -> None:
    caller.call(hotline.port)
    caller.await_sound()
    port, name = hotline.port, hotline.worker
    printed = hotline.kill(name)
    caller.forsake()
    with Softphone() as following:
        following.dial(port)
        assert following.answered_within(10)
        following.await_sound()
    hotline.await_restart(name, printed)
    assert hotline.port == port
