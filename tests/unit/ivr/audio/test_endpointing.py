from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogs.port import Expect
from ivr.audio.endpointing import (
    PATIENCE,
    PRE_ROLL_SECONDS,
    Endpoint,
    Endpointer,
    NothingHeard,
    Patience,
    SpeechEnded,
    SpeechStarted,
    patience_for,
)
from ivr.audio.hints import Hint, hint

OPEN = patience_for("open")


def run(endpointer: Endpointer, voiced: bool, seconds: float, *, waiting: bool = True) -> list[Endpoint]:
    found = [endpointer.feed(voiced, waiting=waiting) for _ in range(round(seconds / 0.02))]
    return [event for event in found if event is not None]


def silence_needed(patience: Patience, given: Hint = Hint.NONE, pause: float = 0.0) -> float:
    endpointer = Endpointer(patience)
    run(endpointer, True, 1.0)
    if pause:
        assert run(endpointer, False, pause) == []
        run(endpointer, True, 0.5)
    endpointer.hint(given)
    (ended,) = [event for event in run(endpointer, False, 4.0) if isinstance(event, SpeechEnded)]
    return round(ended.at - ended.voice_end, 3)


def test_every_kind_of_answer_has_its_patience() -> None:
    assert set(PATIENCE) == {kind.value for kind in Expect}
    assert PATIENCE[Expect.YES_NO].end_seconds < PATIENCE[Expect.OPEN].end_seconds < PATIENCE["number"].end_seconds
    assert patience_for("no such kind") == OPEN


def test_speech_starts_after_a_little_voice_and_the_pre_roll_covers_it() -> None:
    endpointer = Endpointer(OPEN)
    run(endpointer, False, 1.0)
    (started,) = run(endpointer, True, 0.5)
    assert isinstance(started, SpeechStarted)
    assert started.onset == 1.0
    assert 0.1 <= started.at - started.onset <= 0.16
    assert started.at - started.onset < PRE_ROLL_SECONDS


def test_a_click_starts_nothing() -> None:
    endpointer = Endpointer(OPEN)
    for _ in range(5):
        assert run(endpointer, True, 0.08) + run(endpointer, False, 0.4) == []


@pytest.mark.parametrize("expect", list(PATIENCE))
def test_speech_ends_after_the_patience(expect: str) -> None:
    patience = patience_for(expect)
    assert silence_needed(patience) == pytest.approx(patience.end_seconds, abs=0.011)


def test_words_shorten_and_lengthen_the_wait() -> None:
    assert (
        silence_needed(OPEN, Hint.COMPLETE) < 0.45 < silence_needed(OPEN) < 1.0 < silence_needed(OPEN, Hint.UNFINISHED)
    )
    assert silence_needed(patience_for("yes_no"), Hint.COMPLETE) == pytest.approx(0.3)


def test_a_pause_inside_a_sentence_buys_time_for_the_next() -> None:
    assert silence_needed(OPEN, pause=0.4) > silence_needed(OPEN, pause=0.2) == silence_needed(OPEN)


def test_a_blip_does_not_prolong_the_silence() -> None:
    endpointer = Endpointer(OPEN)
    run(endpointer, True, 1.0)
    events = run(endpointer, False, 0.4) + run(endpointer, True, 0.04) + run(endpointer, False, 0.3)
    assert [type(event) for event in events] == [SpeechEnded]


def test_endless_speech_is_cut() -> None:
    endpointer = Endpointer(Patience(start_seconds=5, end_seconds=0.5, max_seconds=3))
    events = run(endpointer, True, 3.1)
    assert isinstance(events[1], SpeechEnded)
    assert events[1].cut
    assert events[1].at == pytest.approx(3.0)


def test_the_wait_for_an_answer_counts_from_the_end_of_the_prompt() -> None:
    endpointer = Endpointer(OPEN)
    assert run(endpointer, False, 20, waiting=False) == []
    (nothing,) = run(endpointer, False, 20)
    assert isinstance(nothing, NothingHeard)
    assert nothing.at == pytest.approx(27.0)
    endpointer.expect(OPEN)
    assert len(run(endpointer, False, 20)) == 1


@settings(deadline=None)
@given(st.lists(st.booleans(), max_size=3000), st.sampled_from(sorted(PATIENCE)))
def test_starts_and_ends_take_turns_and_time_never_runs_back(decisions: list[bool], expect: str) -> None:
    endpointer, speaking, last = Endpointer(patience_for(expect)), False, 0.0
    for decision in decisions:
        match endpointer.feed(decision):
            case SpeechStarted(onset=onset, at=at):
                assert not speaking
                assert last <= onset + 0.001
                speaking, last = True, at
            case SpeechEnded(voice_end=voice_end, at=at):
                assert speaking
                assert last - 0.001 <= at
                assert voice_end <= at
                speaking, last = False, at
        assert endpointer.speaking == speaking


@pytest.mark.parametrize(
    ("text", "expect", "phrases", "expected"),
    [
        ("yes", "yes_no", (), Hint.COMPLETE),
        ("yes but", "yes_no", (), Hint.UNFINISHED),
        ("yes", "open", (), Hint.NONE),
        ("i have a pain in my", "open", (), Hint.UNFINISHED),
        ("it started because", "open", (), Hint.UNFINISHED),
        ("i have chest pain", "open", (), Hint.NONE),
        ("forty two", "number", (), Hint.COMPLETE),
        ("forty", "number", (), Hint.NONE),
        ("one hundred and", "number", (), Hint.UNFINISHED),
        ("three", "duration", (), Hint.UNFINISHED),
        ("three days", "duration", (), Hint.COMPLETE),
        ("seven", "severity", (), Hint.COMPLETE),
        ("forty", "number", ("forty", "forty two"), Hint.NONE),
        ("chest", "choice", ("chest", "chest pain", "fever"), Hint.NONE),
        ("fever", "choice", ("chest", "fever"), Hint.COMPLETE),
        ("it began two days ago", "open", (), Hint.LIKELY),
        ("a doctor please", "open", (), Hint.LIKELY),
        ("my right knee really hurts a lot outside", "open", (), Hint.LIKELY),
        ("my right knee really hurts a lot since", "open", (), Hint.UNFINISHED),
        ("i took", "open", (), Hint.UNFINISHED),
        ("two", "duration", ("two", "two days"), Hint.UNFINISHED),
        ("yes [unk]", "yes_no", (), Hint.NONE),
        ("", "yes_no", (), Hint.NONE),
    ],
)
def test_what_the_words_suggest(text: str, expect: str, phrases: tuple[str, ...], expected: Hint) -> None:
    assert hint(text, expect, phrases) is expected


def test_a_language_without_words_gives_no_hints() -> None:
    assert hint("ja", "yes_no", (), "de") is Hint.NONE
    assert hint("yes", "yes_no", (), "en-us") is Hint.COMPLETE


def test_a_hint_never_ends_speech_that_goes_on() -> None:
    for given_hint, patience in product(Hint, PATIENCE.values()):
        endpointer = Endpointer(patience)
        run(endpointer, True, 0.5)
        endpointer.hint(given_hint)
        assert run(endpointer, True, 2.0) == []
