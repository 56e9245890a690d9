"""A whole call in memory, its tape, and the tape run again: the same, with slower sentences, and without rules."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from dialogs.port import Command, Heard, Question, RedFlag
from ivr.bootstrap.replay import as_json, exit_code
from ivr.call.state import State
from ivr.replay.compare import Verdict
from ivr.replay.run import Parts, replay
from ivr.replay.tape import Mark, Tape, TapeError
from ivr.voices.silent import SilentVoice
from tests.calls.people import NEVER, PASSES, TAKES, Act, Habit, during, hangs_up, presses, says, talking
from tests.calls.world import World
from tests.unit.ivr.replay.tapes import parts, recorded

LEAVES = hangs_up(during(State.BRIDGED, 2))
ANSWERS = (says("i have a rash"), says("forty two"), says("no"))
PAIN = (says("i have chest pain and it hurts a lot"), LEAVES)


class NoRules:
    """A safety net with nothing in it."""

    def check(self, heard: Heard, question: Question | None, language: str) -> RedFlag | None:
        """No danger."""
        return None

    def command(self, heard: Heard, language: str) -> Command | None:
        """No command."""
        return None


class SlowVoice(SilentVoice):
    """Everything takes longer."""

    async def speak(self, text: str, *, keep: bool) -> bytes:
        """More than twice as long."""
        return 2 * await super().speak(text, keep=keep) + bytes(16000)


def again(tape: Tape, today: Parts) -> Verdict:
    """One replay."""
    return asyncio.run(replay(tape, today, "bcdfgh"))


CALLS: dict[str, Callable[[], World]] = {
    "interview": lambda: World(acts=ANSWERS),
    "danger": lambda: World(acts=PAIN),
    "danger over the question": lambda: World(acts=(says("i have chest pain", talking()), LEAVES)),
    "person by key": lambda: World(acts=(presses("0"), LEAVES)),
    "nobody comes": lambda: World(acts=(presses("0"), says("yes", during(State.OFFERING, 7))),
                                  nurses={"one": (NEVER,)}),
    "the second takes it": lambda: World(acts=(presses("0"), LEAVES), nurses={"one": (PASSES,), "two": (TAKES,)}),
    "the agent leaves": lambda: World(acts=(presses("0"), hangs_up(during(State.PARTED, 3))),
                                      nurses={"one": (Habit(stays=12.0),)}),
    "silence": lambda: World(acts=(LEAVES,)),
    "gone in the greeting": lambda: World(acts=(hangs_up(talking()),)),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("voice", [SilentVoice, SlowVoice])
def test_the_same_version_tells_the_same_story(name: str, voice: Any) -> None:
    world = CALLS[name]()
    held, tape = recorded(world)
    assert held.over
    verdict = again(tape, parts(world.acts, voice=voice()))
    assert verdict.differences == ()
    assert verdict.alarms == ()
    assert verdict.after.outcome == held.outcome


def test_the_same_replay_gives_the_same_bytes() -> None:
    world = World(acts=ANSWERS)
    tape = recorded(world)[1]
    assert as_json([("x", again(tape, parts(world.acts)))]) == as_json([("x", again(tape, parts(world.acts)))])


def test_rules_that_are_lost_are_an_alarm() -> None:
    world = World(acts=PAIN)
    verdict = again(recorded(world)[1], parts(world.acts, net=NoRules()))
    assert not verdict.safe
    assert "the red flag chest_pain is missing" in verdict.alarms
    assert exit_code([("x", verdict)]) == 1


def test_words_that_are_not_heard_any_more_are_an_alarm() -> None:
    world = World(acts=PAIN)
    verdict = again(recorded(world)[1], parts(world.acts, heard=["i have a pain"]))
    assert not verdict.safe
    heard = [one.before for one in verdict.differences if one.what == "heard"]
    assert heard == [("i have chest pain and it hurts a lot",)]


def test_other_words_in_a_harmless_call_are_none() -> None:
    world = World(acts=ANSWERS)
    verdict = again(recorded(world)[1], parts(world.acts, heard=["i have a brush", "forty two", "no"]))
    assert verdict.safe
    assert [one.what for one in verdict.differences] == ["heard"]
    assert exit_code([("x", verdict)]) == 0


def test_a_tape_of_other_events_is_refused_in_a_sentence() -> None:
    odd = Mark(frame=0, kind="RedFlagRaised", data={"flag": "chest_pain"})
    with pytest.raises(TapeError, match="not of a kind that this version can read"):
        again(Tape(language="en", pcm=b"", marks=(odd,)), parts(()))


def test_what_cannot_be_looked_at_is_no_success() -> None:
    assert exit_code([("x", "it is damaged")]) == 1


def test_nothing_of_the_talk_with_an_agent_is_on_the_tape() -> None:
    from tests.calls.people import CALLER_SOUND, NURSE_SOUND

    tape = recorded(World(acts=(presses("0"), LEAVES)))[1]
    assert CALLER_SOUND not in tape.pcm
    assert NURSE_SOUND not in tape.pcm
    joined = next(mark.frame for mark in tape.marks if mark.kind == "Bridged")
    assert not any(tape.pcm[joined * 320 :])


def test_a_tape_names_nobody() -> None:
    act: tuple[Act, ...] = (presses("0"), LEAVES)
    text = str(recorded(World(acts=act))[1].marks)
    assert "party" not in text
    assert "sip:" not in text
    assert "2025550142" not in text
