"""Utterances, keys and hang-ups hang on what the hotline said."""

from collections.abc import Mapping
from typing import Any

from ivr.audio.format import FRAME_BYTES
from ivr.replay.acts import LEAD_FRAMES, Point, script
from tests.unit.ivr.replay.tapes import said, tape

ANSWERED: tuple[int, str, Mapping[str, Any]] = (0, "answered", {})
GREETING_END = Point(what="end", key="call.greeting", nth=1)


def test_an_answer_hangs_on_the_end_of_the_question() -> None:
    marks = [ANSWERED, (0, "Said", said(1, "call.greeting")), (100, "say_end", {"say": 1, "complete": True})]
    (act,) = script(tape(400, marks, (150, "i have a rash"))).acts
    assert act.point == GREETING_END
    assert 100 + act.offset == act.start
    assert 130 <= act.start <= 160
    assert len(act.pcm) == (400 - act.start) * FRAME_BYTES
    assert 20 < act.voiced < 120


def test_who_interrupts_is_tied_to_the_start() -> None:
    marks = [ANSWERED, (10, "Said", said(1, "call.greeting")), (130, "say_end", {"say": 1, "complete": False})]
    (act,) = script(tape(400, marks, (100, "i have a rash"))).acts
    assert act.point == Point(what="start", key="call.greeting", nth=1)
    assert 60 <= act.offset <= 100


def test_nobody_answers_a_sentence_that_has_just_begun() -> None:
    marks = [
        *(ANSWERED, (0, "Said", said(1, "call.greeting")), (50, "say_end", {"say": 1, "complete": True})),
        (95, "Said", said(2, "call.no_input", "ask.age")),
    ]
    (act,) = script(tape(300, marks, (100, "forty two"))).acts
    assert act.point == GREETING_END


def test_the_same_question_is_told_apart_by_how_often_it_was_asked() -> None:
    marks = [
        *(ANSWERED, (0, "Said", said(1, "ask.age")), (50, "say_end", {"say": 1, "complete": True})),
        *((100, "Said", said(2, "call.no_input", "ask.age")), (150, "say_end", {"say": 2, "complete": True})),
    ]
    (act,) = script(tape(400, marks, (200, "forty two"))).acts
    assert act.point == Point(what="end", key="ask.age", nth=2)


def test_two_utterances_are_two_acts_and_a_breath_is_none() -> None:
    marks = [ANSWERED, (0, "Said", said(1, "a.b")), (20, "say_end", {"say": 1, "complete": True})]
    found = script(tape(600, marks, (60, "hello"), (300, "hello"))).acts
    assert len(found) == 2
    assert found[0].start + len(found[0].pcm) // FRAME_BYTES == found[1].start, "no frame is lost between them"
    assert 300 - LEAD_FRAMES - 10 <= found[1].start <= 310


def test_all_sound_is_kept() -> None:
    recording = tape(500, [ANSWERED], (60, "hello there"), (300, "how are you"))
    made = script(recording)
    assert made.prelude + b"".join(act.pcm for act in made.acts) == recording.pcm


def test_keys_and_the_callers_own_hang_up() -> None:
    marks = [
        *(ANSWERED, (0, "Said", said(1, "menu.first")), (40, "key", {"digit": "3"})),
        *((50, "say_end", {"say": 1, "complete": False}), (90, "gone", {"cause": "normal"})),
    ]
    key, end = script(tape(100, marks)).acts
    assert (key.keys, key.point.what, key.offset) == ("3", "start", 40)
    assert (end.hang_up, end.point.what, end.offset) == (True, "end", 40)


def test_a_hang_up_of_ours_is_not_the_callers() -> None:
    marks = [ANSWERED, (50, "order", {"order": "HangUp"}), (51, "gone", {"cause": "normal"})]
    assert script(tape(100, marks)).acts == ()


def test_silence_fills_what_the_tape_does_not_have() -> None:
    made = script(tape(500, [ANSWERED], (100, "hello")))
    assert made.room == bytes(100 * FRAME_BYTES)
    assert script(tape(0, [ANSWERED])).room == bytes(FRAME_BYTES)
