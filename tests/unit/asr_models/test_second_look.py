"""When to listen again, and which of two transcripts to believe."""

import asyncio

import pytest

from asr_models.port import Transcript, Word
from asr_models.scripted import Line, ScriptedRecogniser
from asr_models.second_look import SecondLook, choose, wanted


def _heard(text: str, confidence: float = 1.0, step: float = 0.3) -> Transcript:
    words = tuple(
        Word(text=word, start=i * step, end=(i + 1) * step, confidence=confidence)
        for i, word in enumerate(text.split())
    )
    return Transcript(text=text, confidence=confidence if words else 0.0, words=words)


@pytest.mark.parametrize(
    ("text", "confidence", "again"),
    [("yes", 1.0, False), ("yes", 0.4, True), ("yes [unk]", 1.0, True), ("", 0.0, True), ("[unk]", 0.9, True)],
)
def test_what_is_listened_to_again(text: str, confidence: float, again: bool) -> None:
    assert wanted(_heard(text, confidence), 0.5) is again


@pytest.mark.parametrize(
    ("first", "second", "chosen"),
    [
        ("[unk] [unk] no", "i don't know", "i don't know"),
        ("[unk] no", "oh no", "oh no"),
        ("yes [unk] do", "year i do", "yes i do"),
        ("", "help", "help"),
        ("yes [unk]", "", "yes [unk]"),
        ("", "", ""),
    ],
)
def test_which_words_are_believed(first: str, second: str, chosen: str) -> None:
    assert choose(_heard(first), _heard(second)).text == chosen


def _look(first: Transcript, line: Line) -> tuple[Transcript, ScriptedRecogniser, list[str]]:
    failures: list[str] = []
    recogniser = ScriptedRecogniser([line])
    look = SecondLook(recogniser, on_failure=failures.append)
    return asyncio.run(look(first, bytes(50_000))), recogniser, failures


def test_the_whole_utterance_is_heard_again_without_a_grammar() -> None:
    chosen, recogniser, failures = _look(_heard("[unk] [unk]"), Line(text="chest pain"))
    assert (chosen.text, recogniser.asked, recogniser.heard_bytes, failures) == ("chest pain", [()], 50_000, [])


def test_a_sure_answer_costs_nothing() -> None:
    chosen, recogniser, _ = _look(_heard("yes"), Line(text="chest pain"))
    assert (chosen.text, recogniser.asked) == ("yes", [])


@pytest.mark.parametrize("step", ["stream", "feed", "finish"])
def test_a_failing_recogniser_leaves_the_first_look_and_is_reported(step: str) -> None:
    chosen, _, failures = _look(_heard("yes [unk]"), Line(fails=step))  # type: ignore[arg-type]
    assert (chosen.text, failures) == ("yes [unk]", ["scripted"])
