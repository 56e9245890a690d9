"""Dangers in what else an utterance may have been, and in what another engine hears."""

import asyncio
from pathlib import Path

import pytest

from asr_models.port import AsrUnavailable, Transcript
from asr_models.scripted import Line, ScriptedRecogniser
from asr_models.second_pass import SecondPass
from dialogs.port import Expect, Question
from dialogs.red_flags import load_rule_books
from dialogs.safety_net import RuleSafetyNet
from ivr.audio.format import frames, silence
from ivr.call import events as ev
from ivr.hearing import Ears, Hearing
from ivr.voices.espeak import EspeakVoice

ROOT = Path(__file__).resolve().parents[3]
NET = RuleSafetyNet(load_rule_books(ROOT / "dialogs"))
DANGER = Question(id="chest", expect=Expect.YES_NO, hints=("yes", "no"), danger="chest_pain")


@pytest.fixture(scope="module")
def voice() -> bytes:
    """A second of speech, quiet around it."""
    said = asyncio.run(EspeakVoice().speak("here is something for you", keep=False))
    return silence(0.4) + said + silence(1.5)


class Unsure:
    """Hears one thing at a second look, and could have heard another."""

    def __init__(self, *alternatives: str) -> None:
        self.alternatives = alternatives

    async def __call__(self, first: Transcript, pcm: bytes) -> Transcript:
        return Transcript(text="my chess set is lost", confidence=0.9, alternatives=self.alternatives)


async def broken(pcm: bytes) -> Transcript:
    raise ValueError("boom")


def hear(audio: bytes, said: str, *, look: Unsure | None = None, second: object = None) -> list[ev.Event]:
    told: list[ev.Event] = []
    ears = Ears(
        recogniser=ScriptedRecogniser([said]), second_look=look, net=NET, affirms=lambda text: None,
        second_pass=second,  # type: ignore[arg-type]
    )  # fmt: skip
    hearing = Hearing(ears, "en", told.append)

    async def go() -> None:
        task = asyncio.create_task(hearing.run())
        hearing.listen(DANGER)
        for frame in frames(audio):
            hearing.push(frame)
        await hearing.settle()
        task.cancel()
        hearing.close()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(go())
    return told


def flags(told: list[ev.Event]) -> list[str]:
    return [one.flag.rule for one in told if isinstance(one, ev.RedFlagRaised)]


def passing(script: str | Line, failures: list[str] | None = None) -> SecondPass:
    return SecondPass(ScriptedRecogniser([script]), on_failure=(failures if failures is not None else []).append)


def test_a_danger_among_the_other_readings_is_raised_before_the_answer(voice: bytes) -> None:
    told = hear(voice, "something", look=Unsure("my cat is lost", "he stopped breathing"))
    assert flags(told) == ["breathing"]
    assert [type(one).__name__ for one in told][-2:] == ["RedFlagRaised", "Heard"]
    assert flags(hear(voice, "something", look=Unsure("my cat is lost"))) == []


def test_a_bare_yes_among_the_other_readings_affirms_no_danger(voice: bytes) -> None:
    assert flags(hear(voice, "something", look=Unsure("yes"))) == []


def test_the_other_engine_raises_an_urgency_behind_the_answer(voice: bytes) -> None:
    told = hear(voice, "no", second=passing("i have chest pain"))
    assert flags(told) == ["chest_pain"]
    assert [type(one).__name__ for one in told][-2:] == ["Heard", "RedFlagRaised"]
    assert flags(hear(voice, "no", second=passing("yes"))) == ["chest_pain"], "it affirmed the danger asked for"


def test_the_other_engine_never_takes_a_danger_back(voice: bytes) -> None:
    assert flags(hear(voice, "i have chest pain", second=passing("no nothing at all"))) == ["chest_pain"]


@pytest.mark.parametrize("step", ["stream", "feed", "finish"])
def test_another_engine_that_fails_changes_nothing(voice: bytes, step: str) -> None:
    failures: list[str] = []
    script = Line(fails=step)  # type: ignore[arg-type]
    told = hear(voice, "no", second=passing(script, failures))
    assert (flags(told), failures) == ([], ["scripted"])
    assert isinstance(told[-1], ev.Heard)


def test_a_fault_in_the_other_engine_leaves_the_ears_alive(voice: bytes, caplog: pytest.LogCaptureFixture) -> None:
    told = hear(voice, "no", second=broken)
    assert isinstance(told[-1], ev.Heard)
    assert "second pass" in caplog.text
    assert AsrUnavailable.__name__ not in caplog.text
