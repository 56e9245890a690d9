"""A caller's pace, learnt from pauses, and the end-pointer that goes by it."""

from hypothesis import given
from hypothesis import strategies as st

from ivr.audio.endpointing import Endpoint, Endpointer, SpeechEnded, SpeechStarted, patience_for
from ivr.audio.hints import Hint
from ivr.audio.pace import NOTABLE_SECONDS, STRANGER, Pace


def run(endpointer: Endpointer, voiced: bool, seconds: float) -> list[Endpoint]:
    found = [endpointer.feed(voiced) for _ in range(round(seconds / 0.02))]
    return [event for event in found if event is not None]


def silence_needed(endpointer: Endpointer, hint: Hint = Hint.NONE) -> float:
    run(endpointer, True, 1.5)
    endpointer.hint(hint)
    (ended,) = [event for event in run(endpointer, False, 4.0) if isinstance(event, SpeechEnded)]
    return round(ended.at - ended.voice_end, 2)


def test_a_seen_pause_is_waited_for_and_slowly_forgotten() -> None:
    slow = Pace().paused(1.2)
    assert slow.needed > 1.3
    assert slow.paused(0.6) == slow
    later = slow
    for _ in range(10):
        later = later.finished(3.0)
    assert 0.8 < later.needed < slow.needed


def test_short_pauses_and_short_answers_teach_nothing() -> None:
    assert Pace().paused(NOTABLE_SECONDS / 2) == Pace()
    assert STRANGER.finished(0.4) == STRANGER


def test_a_stranger_is_given_time_until_one_whole_sentence_came_without_a_pause() -> None:
    assert STRANGER.needed > 0.9
    assert STRANGER.finished(2.0).needed < 0.5
    assert STRANGER.paused(0.5).needed < STRANGER.needed


@given(st.lists(st.one_of(st.floats(0, 10), st.none()), max_size=60))
def test_it_stays_within_bounds(pauses: list[float | None]) -> None:
    pace = STRANGER
    for pause in pauses:
        pace = pace.finished(2.0) if pause is None else pace.paused(pause)
        assert 0 <= pace.needed <= 1.9
    for _ in range(200):
        pace = pace.finished(2.0)
    assert pace == Pace()


def test_who_pauses_long_inside_a_sentence_is_waited_for_in_the_next() -> None:
    endpointer = Endpointer(patience_for("number"))
    before = silence_needed(endpointer)
    run(endpointer, True, 1.0)
    assert run(endpointer, False, 0.6) == []
    run(endpointer, True, 1.0)
    run(endpointer, False, 3.0)
    endpointer.expect(patience_for("open"))
    assert silence_needed(endpointer) > before


def test_a_sentence_that_was_cut_off_buys_patience_for_the_rest_of_the_call() -> None:
    endpointer = Endpointer(patience_for("open"))
    run(endpointer, True, 1.5)
    run(endpointer, False, 1.2)
    (started,) = [event for event in run(endpointer, True, 0.5) if isinstance(event, SpeechStarted)]
    assert started.pause == 1.2
    endpointer.cut_off(started.pause)
    run(endpointer, False, 3.0)
    assert silence_needed(endpointer) > 1.4
    assert silence_needed(endpointer, Hint.COMPLETE) < silence_needed(endpointer, Hint.LIKELY)


def test_a_stranger_whose_sentence_is_whole_is_answered_sooner_than_one_who_breaks_off() -> None:
    waits = {}
    for given_hint in (Hint.LIKELY, Hint.NONE, Hint.UNFINISHED):
        endpointer = Endpointer(patience_for("open"))
        endpointer.pace = STRANGER
        waits[given_hint] = silence_needed(endpointer, given_hint)
    assert waits[Hint.LIKELY] < 0.8 < 1.1 < waits[Hint.UNFINISHED] < waits[Hint.NONE] < 1.4


def test_who_is_known_to_pause_is_waited_for_after_a_whole_sentence_and_a_sound_without_words_too() -> None:
    endpointer = Endpointer(patience_for("open"))
    endpointer.pace = Pace().paused(1.0)
    assert silence_needed(endpointer, Hint.LIKELY) > 1.4
    endpointer.pace = Pace().paused(1.0)
    run(endpointer, True, 0.3)
    (ended,) = [event for event in run(endpointer, False, 4.0) if isinstance(event, SpeechEnded)]
    assert ended.at - ended.voice_end > 1.4


def test_who_speaks_again_much_later_says_something_new() -> None:
    endpointer = Endpointer(patience_for("open"))
    run(endpointer, True, 1.5)
    run(endpointer, False, 2.5)
    (started,) = [event for event in run(endpointer, True, 0.5) if isinstance(event, SpeechStarted)]
    assert started.pause is None


def test_a_sign_of_listening_is_over_soon_however_slow_the_caller() -> None:
    endpointer = Endpointer(patience_for("open"))
    endpointer.pace = Pace().paused(1.3)
    assert silence_needed(endpointer, Hint.ASIDE) < 0.4


def test_a_few_words_into_a_sentence_of_ours_are_over_before_it_is_given_up() -> None:
    endpointer = Endpointer(patience_for("open"))
    endpointer.pace = Pace().paused(1.3)
    assert silence_needed(endpointer, Hint.BRIEF) <= 0.8


def test_an_eager_ear_takes_a_shorter_sound() -> None:
    eager, usual = Endpointer(patience_for("open")), Endpointer(patience_for("open"))
    assert [eager.feed(True, eager=True) is not None for _ in range(4)] == [False, False, False, True]
    assert not any(usual.feed(True) for _ in range(4))
