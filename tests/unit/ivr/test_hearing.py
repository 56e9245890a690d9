"""The ears of a call: events out of audio, with a recogniser that follows a script."""

import asyncio
from pathlib import Path

import pytest

from asr_models.port import Transcript
from asr_models.scripted import Line, ScriptedRecogniser
from dialogs.port import Command, Expect, Question
from dialogs.red_flags import load_rule_books
from dialogs.safety_net import RuleSafetyNet
from ivr.audio.format import FRAME_BYTES, frames, silence
from ivr.audio.tones import tone
from ivr.call import events as ev
from ivr.hearing import BACKLOG_FRAMES, Ears, Hearing, SecondLook
from ivr.voices.espeak import EspeakVoice

ROOT = Path(__file__).resolve().parents[3]
NET = RuleSafetyNet(load_rule_books(ROOT / "dialogs"))
FEVER = Question(id="fever", expect=Expect.YES_NO, hints=("yes", "no"))
ALWAYS = ("chest pain", "agent")


@pytest.fixture(scope="module")
def voice() -> bytes:
    """Three seconds of speech, quiet around it."""
    said = asyncio.run(EspeakVoice().speak("i have something to tell you about my health today", keep=False))
    return silence(0.4) + said + silence(1.5)


def affirms(text: str) -> bool | None:
    return {"yes": True, "no": False}.get(text)


def hear(
    script: list[str | Line],
    audio: bytes,
    question: Question | None = None,
    look: SecondLook | None = None,
    left: float = 0.0,
) -> tuple[list[ev.Event], ScriptedRecogniser, Hearing]:
    """Everything told about so much audio."""
    recogniser, told = ScriptedRecogniser(script), list[ev.Event]()
    ears = Ears(recogniser=recogniser, second_look=look, net=NET, affirms=affirms, always=ALWAYS)
    hearing = Hearing(ears, "en", told.append, left=lambda: left)

    async def go() -> None:
        task = asyncio.create_task(hearing.run())
        hearing.listen(question)
        for frame in frames(audio):
            hearing.push(frame)
            await hearing.settle()
        task.cancel()
        hearing.close()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(go())
    return told, recogniser, hearing


def kinds(told: list[ev.Event]) -> list[str]:
    return [type(one).__name__ for one in told]


def test_an_utterance_is_told_from_beginning_to_end(voice: bytes) -> None:
    told, _, _ = hear(["my head hurts"], voice)
    assert kinds(told) == ["SpeechStarted", "Heard"]
    assert isinstance(told[1], ev.Heard)
    assert (told[1].words.text, told[1].words.final, told[1].yes) == ("my head hurts", True, None)


def test_silence_and_tones_are_no_speech() -> None:
    told, recogniser, _ = hear([], silence(3) + tone((697, 1209), 0.3, -12) + silence(2))
    assert (told, recogniser.asked) == ([], [])


def test_a_danger_is_raised_before_the_utterance_ends_and_once_a_call(voice: bytes) -> None:
    told, _, _ = hear(["i have chest pain since this morning", "the chest pain again"], voice + voice)
    assert kinds(told) == ["SpeechStarted", "RedFlagRaised", "Heard", "SpeechStarted", "Heard"]


def test_a_danger_that_only_the_final_shows_is_raised_too(voice: bytes) -> None:
    told, _, _ = hear([" ".join(["well"] * 30) + " chest pain"], voice)
    assert kinds(told) == ["SpeechStarted", "RedFlagRaised", "Heard"]


@pytest.mark.parametrize(("words", "command"), [("agent", Command.HUMAN), ("repeat that please", Command.REPEAT)])
def test_commands_are_told_as_commands(voice: bytes, words: str, command: Command) -> None:
    told, _, _ = hear([words], voice)
    assert told[-1] == ev.CommandHeard(command=command)
    assert "Heard" not in kinds(told)


def test_a_sound_without_words_is_told_with_its_length(voice: bytes) -> None:
    told, _, _ = hear([""], voice)
    assert isinstance(told[-1], ev.NothingHeard)
    assert 1.5 < told[-1].seconds < 4.0


@pytest.mark.parametrize(("words", "yes"), [("yes", True), ("no", False), ("maybe", None)])
def test_a_plain_yes_or_no_is_marked(voice: bytes, words: str, yes: bool | None) -> None:
    told, _, _ = hear([words], voice, FEVER)
    assert isinstance(told[-1], ev.Heard)
    assert told[-1].yes is yes


def test_every_grammar_contains_what_must_always_be_heard(voice: bytes) -> None:
    _, recogniser, _ = hear(["yes"], voice, FEVER)
    assert recogniser.asked == [("yes", "no", *ALWAYS)]


def test_free_speech_has_no_grammar(voice: bytes) -> None:
    _, recogniser, _ = hear(["yes"], voice, Question(id="complaint", expect=Expect.OPEN))
    assert recogniser.asked == [()]


@pytest.mark.parametrize("where", ["stream", "feed", "finish"])
def test_a_recogniser_that_fails_is_told_once_and_the_utterance_still_ends(voice: bytes, where: str) -> None:
    told, _, _ = hear([Line(text="yes", fails=where), "no"], voice + voice)  # type: ignore[arg-type]
    assert kinds(told) == ["SpeechStarted", "Trouble", "NothingHeard", "SpeechStarted", "Heard"]
    assert told[1] == ev.Trouble(what="recogniser")


class OtherWords:
    """A second look that hears something else."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.seconds = 0.0

    async def __call__(self, first: Transcript, pcm: bytes) -> Transcript:
        """Other words."""
        self.seconds = len(pcm) / 16000
        return Transcript(text=self._text, confidence=0.9)


def test_a_grammar_is_given_a_second_look_with_the_whole_utterance(voice: bytes) -> None:
    look = OtherWords("i don't know")
    told, _, _ = hear(["[unk]"], voice, FEVER, look)
    assert isinstance(told[-1], ev.Heard)
    assert told[-1].words.text == "i don't know"
    assert look.seconds > 2.0


def test_a_danger_in_the_first_look_is_not_lost_by_the_second(voice: bytes) -> None:
    told, _, _ = hear(["chest pain"], voice, FEVER, OtherWords("no"))
    assert "RedFlagRaised" in kinds(told)


def test_free_speech_is_heard_once(voice: bytes) -> None:
    look = OtherWords("never")
    told, _, _ = hear(["my head hurts"], voice, None, look)
    assert look.seconds == 0.0
    assert kinds(told)[-1] == "Heard"


def test_audio_that_cannot_be_heard_in_time_is_lost_and_counted() -> None:
    ears = Ears(recogniser=ScriptedRecogniser(), second_look=None, net=NET, affirms=affirms)
    hearing = Hearing(ears, "en", lambda event: None)
    for _ in range(BACKLOG_FRAMES + 7):
        hearing.push(bytes(FRAME_BYTES))
    assert hearing.lost_frames == 7


DANGEROUS = Question(id="breath", expect=Expect.YES_NO, danger="breathing")


@pytest.fixture(scope="module")
def word() -> bytes:
    """Half a second of voice, quiet around it."""
    return silence(0.4) + asyncio.run(EspeakVoice().speak("yes", keep=False)) + silence(1.5)


def test_a_sign_of_listening_over_a_prompt_is_told_as_one(word: bytes) -> None:
    told, _, _ = hear(["mm hmm"], word, left=5.0)
    assert kinds(told) == ["SpeechStarted", "Heard"]
    assert isinstance(told[1], ev.Heard)
    assert told[1].aside


def test_a_yes_is_an_answer_once_the_question_is_nearly_out_and_not_before(word: bytes) -> None:
    for left, aside in ((5.0, True), (0.5, False), (0.0, False)):
        told, _, _ = hear(["yes"], word, FEVER, left=left)
        assert isinstance(told[-1], ev.Heard)
        assert (told[-1].aside, told[-1].yes) == (aside, True)


def test_a_yes_to_a_danger_that_was_not_asked_yet_is_none(word: bytes) -> None:
    assert "RedFlagRaised" not in kinds(hear(["yes"], word, DANGEROUS, left=5.0)[0])
    assert "RedFlagRaised" in kinds(hear(["yes"], word, DANGEROUS, left=0.5)[0])


def test_words_over_a_prompt_take_the_turn_before_they_end(voice: bytes) -> None:
    told, _, _ = hear(["my head hurts very much today"], voice, left=5.0)
    assert kinds(told) == ["SpeechStarted", "TurnTaken", "Heard"]
    assert told[-1] == ev.Heard(words=told[-1].words)  # type: ignore[union-attr]


def test_a_danger_over_a_prompt_is_raised_as_soon_as_ever(voice: bytes) -> None:
    over, _, _ = hear(["chest pain"], voice, left=5.0)
    assert kinds(over)[:2] == ["SpeechStarted", "RedFlagRaised"]


def test_the_rest_of_a_sentence_is_marked_and_shows_a_danger_that_spans_both(voice: bytes, word: bytes) -> None:
    first = voice[: -len(silence(1.5))]
    told, _, hearing = hear(["i have pain in my", "chest"], first + silence(1.4) + word)
    assert kinds(told) == ["SpeechStarted", "Heard", "SpeechStarted", "RedFlagRaised", "Heard"]
    assert isinstance(told[-1], ev.Heard)
    assert told[-1].continues
