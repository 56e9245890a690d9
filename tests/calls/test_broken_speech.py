"""Voice, ears and dialogue break in turn, and hang where they can: the caller reaches a human."""

import pytest

from asr_models.port import Transcript
from asr_models.scripted import ScriptedRecogniser
from dialogs.fallback import FallbackDialogue
from dialogs.port import Heard, Prompt, Turn
from dialogs.scripted import ScriptedDialogue, Trouble
from ivr.call.state import State
from ivr.voices.silent import FailingVoice
from tests.calls.broken import Bug
from tests.calls.parts import COMPLAINT, INTERVIEW, menu
from tests.calls.people import NEVER, Act, during, hangs_up, presses, says
from tests.calls.runner import hold
from tests.calls.world import World

RASH = says("i have a rash")
LEAVES = hangs_up(during(State.BRIDGED, 1))


# Voice ---------------------------------------------------------------------------------------------------------


def test_without_any_voice_the_caller_hears_tones_and_reaches_a_human() -> None:
    held = hold(World(voice=FailingVoice(), acts=(hangs_up(during(State.BRIDGED, 1)),)))
    assert held.bridged
    assert any(frame.heard for frame in held.caller.frames)


def test_a_voice_that_breaks_in_mid_call_leads_to_a_human() -> None:
    held = hold(World(voice=FailingVoice(good=2), acts=(RASH, hangs_up(during(State.BRIDGED, 1)))))
    assert held.bridged


def test_somebody_who_waits_without_a_voice_does_not_hear_a_machine_gun() -> None:
    held = hold(World(voice=FailingVoice(), nurses={"n": (NEVER,)}, acts=(hangs_up(during(State.SEEKING, 10)),)))
    assert held.kinds.count("Said") <= 5


# Ears ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["stream", "feed", "finish"])
def test_a_recogniser_that_fails_leads_to_the_keys_and_by_them_to_a_human(where: str) -> None:
    failing = Act(words="i have a rash", fails=where)  # type: ignore[arg-type]
    acts = (failing, presses("1"), LEAVES)
    held = hold(World(acts=acts))
    assert held.said[2:4] == ["call.keys_instead", "menu.first"]
    assert "red_flag.dial" in held.said
    assert held.bridged


@pytest.mark.parametrize("where", ["stream", "feed", "finish"])
def test_a_recogniser_that_goes_on_failing_leaves_nobody_waiting(where: str) -> None:
    failing = tuple(Act(words="i have a rash", fails=where) for _ in range(6))  # type: ignore[arg-type]
    held = hold(World(acts=(*failing, hangs_up(during(State.BRIDGED, 1)))), seconds=300)
    assert held.over
    assert held.bridged


def test_without_ears_the_keys_lead() -> None:
    held = hold(World(deaf=True, acts=(presses("3"), presses("1"), presses("2"))))
    assert "menu.first" in held.said
    assert held.outcome == "advised"


class BuggyEars(ScriptedRecogniser):
    """A stream that fails in a way that its door does not know."""

    def stream(self, hints: tuple[str, ...] = ()) -> "BuggyStream":  # type: ignore[override]
        """One that breaks."""
        return BuggyStream()


class BuggyStream:
    """Breaks."""

    async def feed(self, pcm: bytes) -> Transcript | None:
        """Raises."""
        raise Bug

    async def finish(self) -> Transcript:
        """Raises."""
        raise Bug

    def close(self) -> None:
        """Nothing."""


def test_a_mistake_in_the_ears_costs_the_ears_only() -> None:
    held = hold(World(recogniser=BuggyEars(), acts=(RASH, presses("0"), LEAVES)))
    assert held.bridged


# Dialogue ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [Trouble.FAIL, Trouble.HANG])
@pytest.mark.parametrize("script", [0, 1, 2])
def test_a_dialogue_that_fails_or_hangs_gives_way_to_the_keypad_menu(trouble: Trouble, script: int) -> None:
    talk = FallbackDialogue(ScriptedDialogue((*INTERVIEW[:script], trouble)), menu(), seconds=0.02)
    held = hold(World(talk=talk, acts=(*(RASH, says("forty"))[:script], presses("1"), LEAVES)))
    assert held.said.index("call.keys_instead") + 1 == held.said.index("menu.first")
    assert "red_flag.dial" in held.said, "the first key of the menu is the emergency"
    assert held.bridged


@pytest.mark.parametrize("script", [0, 1, 2])
def test_when_both_dialogues_fail_a_human_takes_over(script: int) -> None:
    talk = FallbackDialogue(ScriptedDialogue((*INTERVIEW[:script], Trouble.FAIL)), ScriptedDialogue((Trouble.FAIL,)))
    held = hold(World(talk=talk, acts=(*(RASH, says("forty"))[:script], LEAVES)))
    assert "call.trouble" in held.said
    assert held.bridged


def test_a_dialogue_without_any_bound_gives_way_to_the_keys_and_a_human() -> None:
    talk = ScriptedDialogue((COMPLAINT, Trouble.HANG))
    held = hold(World(talk=talk, acts=(RASH, LEAVES), patience=0.003))
    assert held.said[2:4] == ["call.filler", "call.keys_instead"]
    assert held.bridged


class BuggyDialogue(ScriptedDialogue):
    """Fails in a way that its door does not know."""

    async def hear(self, call: str, heard: Heard) -> Turn:
        """Raises."""
        raise Bug


def test_a_mistake_in_the_dialogue_ends_at_a_human() -> None:
    held = hold(World(talk=BuggyDialogue((COMPLAINT,)), acts=(RASH, LEAVES)))
    assert held.bridged


def test_a_sentence_that_does_not_exist_ends_at_a_human() -> None:
    lost = Turn(say=(Prompt(key="ask.no_such_sentence"),), question=COMPLAINT.question)
    held = hold(World(talk=ScriptedDialogue((lost,)), acts=(LEAVES,)))
    assert held.bridged
