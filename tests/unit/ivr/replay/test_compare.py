"""What counts as an alarm, and what is only different."""

import pytest

from ivr.replay.compare import Verdict, as_data, compare
from ivr.replay.show import render, render_table
from ivr.replay.story import Flag, Rank, Story, story
from ivr.replay.tape import Mark

FLAG = Flag(rule="chest_pain", at=4.0)
DANGER = Story(flags=(FLAG,), rank=Rank.EMERGENCY, human=True, outcome="bridged", path=("greeting", "seeking"))
NURSE = Story(rank=Rank.URGENT, level="urgent", department="surgery", human=True, outcome="bridged")
ADVICE = Story(rank=Rank.NOTHING, level="routine", department="dermatology", outcome="advised")
ASKED = Story(rank=Rank.HUMAN, human=True, outcome="bridged")


@pytest.mark.parametrize(
    ("before", "after", "alarm"),
    [
        (DANGER, ADVICE, "taken for emergency and is now taken for not urgent"),
        (DANGER, ADVICE, "the red flag chest_pain is missing"),
        (DANGER, ADVICE, "a human was sought and is not sought now"),
        (DANGER, NURSE, "taken for emergency and is now taken for urgent"),
        (NURSE, ADVICE, "the triage said urgent and now says routine"),
        (NURSE, ASKED, "not urgent, though a human is sought"),
        (ASKED, ADVICE, "a human was sought and is not sought now"),
        (DANGER, Story(flags=(Flag(rule="stroke", at=4.0),), rank=Rank.EMERGENCY, human=True), "chest_pain is missing"),
        (DANGER, Story(flags=(Flag(rule="chest_pain", at=5.2),), rank=Rank.EMERGENCY, human=True), "1.2 s later"),
    ],
)
def test_what_is_an_alarm(before: Story, after: Story, alarm: str) -> None:
    verdict = compare(before, after)
    assert not verdict.safe
    assert any(alarm in one for one in verdict.alarms), verdict.alarms


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (DANGER, DANGER),
        (ADVICE, DANGER),
        (ADVICE, NURSE),
        (NURSE, DANGER),
        (DANGER, Story(flags=(Flag(rule="chest_pain", at=4.9),), rank=Rank.EMERGENCY, human=True)),
        (DANGER, Story(flags=(Flag(rule="chest_pain", at=1.0),), rank=Rank.EMERGENCY, human=True)),
        (ADVICE, Story(rank=Rank.NOTHING, level="self_care", department="primary_care", outcome="advised")),
    ],
)
def test_what_is_none(before: Story, after: Story) -> None:
    assert compare(before, after).alarms == ()


def test_the_same_is_no_difference_at_all() -> None:
    verdict = compare(ADVICE, ADVICE)
    assert verdict.differences == ()
    assert render("x", verdict) == "call x: as it was\n"


def test_how_late_a_flag_may_come_can_be_said() -> None:
    later = Story(flags=(Flag(rule="chest_pain", at=6.0),), rank=Rank.EMERGENCY, human=True)
    assert compare(DANGER, later, late=3.0).safe
    assert not compare(DANGER, later, late=1.5).safe


def test_a_call_without_end_is_an_alarm() -> None:
    assert not compare(ADVICE, ADVICE, overlong=True).safe


def test_side_by_side() -> None:
    text = render("x", compare(DANGER, ADVICE, unsaid=("ask.age",)))
    assert "LESS SAFE" in text
    assert "urgency       emergency                                 nothing" in text
    assert "chest_pain at 4.0 s" in text
    assert "caller had an answer: ask.age" in text


def test_the_table_counts_alarms_and_failures() -> None:
    safe, alarm = compare(ADVICE, ADVICE), compare(DANGER, ADVICE)
    rows: list[tuple[str, Verdict | str]] = [("one", safe), ("two", alarm), ("three", "it is damaged")]
    text = render_table(rows)
    assert "3 calls, 2 with an alarm" in text
    assert "NOT REPLAYED: it is damaged" in text


def test_data_names_ranks() -> None:
    data = as_data(compare(DANGER, ADVICE))
    assert (data["safe"], data["before"]["rank"], data["after"]["rank"]) == (False, "emergency", "nothing")


def test_the_story_of_marks() -> None:
    turn = {
        "question": {"id": "age"},
        "handover": {"level": "urgent", "reason": "result"},
        "result": {"level": "urgent", "department": "surgery", "complaint": "fall", "reasons": ["after_fall"]},
    }
    marks = (
        Mark(frame=10, kind="Heard", data={"words": {"text": "i fell"}}),
        Mark(frame=20, kind="TurnReady", data={"ask": 1, "turn": turn}),
        Mark(frame=30, kind="order", data={"order": "FindAgent", "level": "urgent", "department": ""}),
        Mark(frame=250, kind="RedFlagRaised", data={"flag": {"rule": "injury", "words": "x"}}),
        Mark(frame=260, kind="order", data={"order": "Finish", "outcome": "bridged"}),
        Mark(frame=260, kind="unheard_of", data={}),
    )
    told = story(marks)
    assert told.flags == (Flag(rule="injury", at=5.0),)
    assert (told.rank, told.level, told.human, told.outcome) == (Rank.EMERGENCY, "urgent", True, "bridged")
    assert (told.heard, told.asked, told.reasons) == (("i fell",), ("age",), ("result", "after_fall"))
