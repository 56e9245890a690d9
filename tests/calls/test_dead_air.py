"""No dead air: outside the bridge, and while the caller is silent, the hotline is never quiet for long."""

import pytest

from dialogs.scripted import ScriptedDialogue, Trouble
from ivr.call.state import State
from ivr.voices.silent import FailingVoice
from tests.calls.parts import ADVISED, COMPLAINT
from tests.calls.people import NEVER, PASSES, VOICEMAIL, Act, Habit, during, hangs_up, presses, says
from tests.calls.runner import Held, hold
from tests.calls.world import World

LISTENING_SECONDS = 10.0
"""The longest wait for an answer: keys are waited for nine seconds, from the end of a sound that was no word."""
WORKING_SECONDS = 2.5

RASH, ZERO = says("i have a rash"), presses("0")
ENDS = {"n": (Habit(stays=12),)}
CALLS: dict[str, World] = {
    "advised": World(acts=(RASH, says("forty"), says("no"))),
    "silent": World(acts=(), nurses=ENDS),
    "mumbles": World(acts=tuple(Act(noise="mumble mumble mumble") for _ in range(8)), nurses=ENDS),
    "coughs": World(acts=tuple(Act(noise="hm") for _ in range(12)), nurses=ENDS),
    "nobody": World(acts=(ZERO,), nurses={"n": (NEVER,), "m": (VOICEMAIL,), "on-call": (PASSES,)}),
    "danger, nobody": World(acts=(says("i have chest pain"),), nurses={"n": (NEVER,), "m": (NEVER,)}),
    "keys": World(acts=(presses("5"), presses("3"), presses("1"), presses("2"))),
    "no ears": World(acts=(), deaf=True, nurses=ENDS),
    "ears fail": World(acts=tuple(Act(words="i have a rash", fails="finish") for _ in range(8)), nurses=ENDS),
    "both dialogues fail": World(
        acts=(), talk=ScriptedDialogue((Trouble.FAIL,)), keys=ScriptedDialogue((Trouble.FAIL,)), nurses=ENDS
    ),
    "no voice": World(acts=(), voice=FailingVoice(), nurses=ENDS),
    "lost twice": World(acts=(ZERO,), nurses={"n": (Habit(stays=2), Habit(stays=2), Habit(stays=12))}),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_hotline_is_never_silent_for_long(name: str) -> None:
    held = hold(CALLS[name], seconds=400)
    assert held.over
    check(held)


def check(held: Held) -> None:
    """The longest silences."""
    waiting = held.dead_air(State.LISTENING, State.ASKING, State.PARTED, State.OFFERING)
    working = held.dead_air(State.GREETING, State.THINKING, State.SEEKING, State.CLOSING)
    assert waiting <= LISTENING_SECONDS
    assert working <= WORKING_SECONDS


def test_a_dialogue_that_takes_its_time_is_bridged_by_a_word() -> None:
    talk = ScriptedDialogue((COMPLAINT, Trouble.HANG))
    held = hold(World(talk=talk, acts=(RASH, hangs_up(during(State.THINKING, 2.8))), patience=0.003))
    assert "call.filler" in held.said
    assert held.dead_air(State.THINKING) <= WORKING_SECONDS


def test_a_caller_who_speaks_over_the_last_words_is_not_cut_off_nor_kept() -> None:
    talk = ScriptedDialogue((COMPLAINT, ADVISED))
    held = hold(World(talk=talk, acts=(RASH, says("thank you very much goodbye", during(State.CLOSING, 0.4)))))
    assert held.over
    assert held.outcome == "advised"
