"""Whole conversations without Rasa: what is asked, noted, corrected, and how they end."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogs.conversation import Intent, Outcome, Said, Talk, Triage
from dialogs.facts import Facts, Finding, Who
from dialogs.knowledge_base import load
from dialogs.outcome import close
from dialogs.port import Level, Turn
from dialogs.wire import turn_from_json, turn_to_json
from dialogs.words import load_words

ROOM = Path(__file__).resolve().parents[3] / "dialogs"
TRIAGE = Triage(kb=load(ROOM / "knowledge"), words=load_words(ROOM / "words/en.toml"))


def talk_to(*lines: str) -> Talk:
    talk = Talk()
    for line in lines:
        assert talk.outcome is Outcome.OPEN, line
        talk = TRIAGE.hear(talk, Said(text=line))
    return talk


def to_the_end(*lines: str, then: str = "no") -> tuple[Turn, list[str]]:
    talk, asked, rest = Talk(), [], list(lines)
    while talk.outcome is Outcome.OPEN:
        question = TRIAGE.ask(talk).question
        assert question is not None
        asked.append(question.id)
        talk = TRIAGE.hear(talk, Said(text=rest.pop(0) if rest else then))
    return close(TRIAGE, talk), asked


def keys(turn: Turn) -> list[str]:
    return [prompt.key for prompt in turn.say]


def test_an_itchy_rash_is_routine_and_told_what_to_watch_for() -> None:
    turn, asked = to_the_end("i have an itchy rash for three days", "no", "nope", "forty two", "three", "not really")
    assert len(asked) == 8
    assert turn.result is not None
    assert (turn.result.level, turn.result.department) == (Level.ROUTINE, "dermatology")
    assert turn.result.version == TRIAGE.kb.version
    assert turn.handover is None
    assert turn.question is None
    assert keys(turn)[:3] == ["result.routine", "department.dermatology", "result.within_1_week"]
    assert "safety_net.rash" in keys(turn)


@pytest.mark.parametrize("heard", ["each he rash", "it she rash for three days"])
def test_a_misheard_rash_is_still_a_rash(heard: str) -> None:
    assert talk_to(heard).facts.complaint == "rash"


def test_several_facts_in_one_breath_fill_several_slots() -> None:
    facts = talk_to("my head hurts since this morning, seven").facts
    assert (facts.complaint, facts.onset_hours, facts.severity, facts.for_whom) == ("headache", 6.0, 7, Who.SELF)


def test_a_fever_of_an_infant_is_an_emergency_at_once() -> None:
    turn, asked = to_the_end("my three month old has a fever")
    assert asked == ["complaint"]
    assert turn.handover is not None
    assert turn.handover.level is Level.EMERGENCY
    assert keys(turn)[0] == "result.emergency"
    assert not any(prompt.interruptible for prompt in turn.say)
    assert "summary.infant" in [prompt.key for prompt in turn.handover.summary]


def test_a_yes_to_a_danger_ends_the_questions() -> None:
    turn, asked = to_the_end("i have an itchy rash", "yes")
    assert asked == ["complaint", "rash.face_swelling"]
    assert turn.result is not None
    assert turn.result.level is Level.EMERGENCY


def test_not_knowing_moves_up() -> None:
    talk = talk_to("my head hurts", "no", "i don't know")
    assert talk.facts.findings["stroke_signs"] is Finding.UNKNOWN
    turn, _ = to_the_end("my head hurts", "no", "i don't know")
    assert turn.result is not None
    assert turn.result.level is Level.URGENT


def test_an_unsure_no_counts_as_unknown_and_an_unsure_yes_as_yes() -> None:
    begun = talk_to("i have a rash")
    faint_no = TRIAGE.hear(begun, Said(text="no", confidence=0.1))
    faint_yes = TRIAGE.hear(begun, Said(text="yes", confidence=0.1))
    assert faint_no.facts.findings["face_swelling"] is Finding.UNKNOWN
    assert faint_yes.facts.findings["face_swelling"] is Finding.PRESENT


@pytest.mark.parametrize("line", ["i want to book an appointment", "what are your opening hours", "i need a refill"])
def test_administrative_callers_get_a_colleague_without_alarm(line: str) -> None:
    turn, asked = to_the_end(line)
    assert asked == ["complaint"]
    assert turn.handover is not None
    assert (turn.handover.level, turn.handover.reason) == (Level.ROUTINE, "administrative")
    assert turn.result is None


def test_a_complaint_beats_an_administrative_wish() -> None:
    assert talk_to("i want an appointment because my chest hurts").outcome is Outcome.RESULT


def test_a_wish_for_a_human_is_granted_at_any_question() -> None:
    talk = TRIAGE.hear(talk_to("i have a rash"), Said(text="somebody real please", intent=Intent.HUMAN))
    turn = close(TRIAGE, talk)
    assert turn.handover is not None
    assert turn.handover.reason == "asked"


def test_a_question_is_repeated_without_blame() -> None:
    before = talk_to("i have a rash")
    after = TRIAGE.hear(before, Said(text="pardon", intent=Intent.REPEAT))
    assert after == before
    assert TRIAGE.ask(after).understood


def test_what_was_not_understood_is_asked_again_and_then_a_human_comes() -> None:
    talk = talk_to("i have a rash", "banana")
    turn = TRIAGE.ask(talk)
    assert not turn.understood
    assert turn.question is not None
    assert turn.question.id == "rash.face_swelling"
    talk = TRIAGE.hear(TRIAGE.hear(talk, Said(text="banana")), Said(text="banana"))
    assert talk.outcome is Outcome.NOT_UNDERSTOOD
    handover = close(TRIAGE, talk).handover
    assert handover is not None
    assert handover.level is Level.URGENT


def test_words_without_a_complaint_in_them_have_it_asked_with_its_phrases() -> None:
    talk = talk_to("my her since yesterday")
    again = TRIAGE.ask(talk)
    assert talk.facts.onset_hours == 24
    assert keys(again) == ["ask.noted", "ask.complaint_again"]
    assert again.question is not None
    assert "earache" in again.question.hints
    assert TRIAGE.hear(talk, Said(text="earache")).facts.complaint == "ear"


@pytest.mark.parametrize("text", ["my are since yesterday", "my are hurts a lot", "my or eight"])
def test_an_ear_that_is_misheard_is_still_an_ear(text: str) -> None:
    assert talk_to(text).facts.complaint == "ear"


def test_an_unheard_complaint_is_asked_with_its_phrases_and_then_goes_the_general_way() -> None:
    talk = talk_to("banana")
    again = TRIAGE.ask(talk)
    assert keys(again) == ["ask.complaint_again"]
    assert again.question is not None
    assert "itchy rash" in again.question.hints
    talk = TRIAGE.hear(talk, Said(text="banana banana"))
    assert talk.facts.complaint == "other"
    question = TRIAGE.ask(talk).question
    assert question is not None
    assert question.danger == "breathing"


def test_corrections_are_taken_and_the_question_stands() -> None:
    talk = talk_to("i have a rash for three days", "no", "no", "forty", "sorry it is my son and it began a week ago")
    assert (talk.facts.for_whom, talk.facts.onset_hours) == (Who.CHILD, 168.0)
    turn = TRIAGE.ask(talk)
    assert turn.understood
    assert keys(turn) == ["ask.noted", "ask.severity"]


def test_danger_volunteered_in_the_middle_is_not_lost() -> None:
    talk = talk_to("i have a rash", "no", "no", "i can't breathe and my lips are swollen")
    assert talk.outcome is Outcome.RESULT
    assert close(TRIAGE, talk).result is not None


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("forty and my chest hurts", Level.EMERGENCY),
        ("i can not breathe", Level.URGENT),
        ("forty and i want to die", Level.EMERGENCY),
        ("forty and also i am coughing up blood", Level.URGENT),
    ],
)
def test_danger_counts_whatever_was_asked_and_whatever_the_complaint_is(line: str, level: Level) -> None:
    turn, _ = to_the_end("i have a rash for three days", "no", "no", line, "forty")
    assert turn.result is not None
    assert turn.result.level is level


def test_a_denial_in_passing_takes_nothing_back() -> None:
    talk = talk_to("i have a cough and i feel feverish", "thirty", "no", "no fever any more but i am weak")
    assert talk.facts.findings["fever"] is Finding.UNKNOWN


def test_risk_names_or_a_plain_yes_raise() -> None:
    for answer in ("yes", "i am pregnant", "blood thinners"):
        turn, _ = to_the_end("i have a rash for three days", "no", "no", "forty", "three", "no", "no", answer)
        assert turn.result is not None
        assert turn.result.level is Level.URGENT, answer


@given(
    st.lists(
        st.sampled_from(["yes", "no", "i don't know", "banana", "seven", "my son", "a rash", "fever"]), max_size=30
    )
)
def test_every_conversation_ends_and_survives_the_tracker_and_the_wire(lines: list[str]) -> None:
    talk, count = Talk(), 0
    for line in [*lines, *["banana"] * 5]:
        if talk.outcome is not Outcome.OPEN:
            break
        turn = TRIAGE.ask(talk)
        assert turn_from_json(turn_to_json(turn)) == turn
        assert Talk.from_json(talk.to_json()) == talk
        talk, count = TRIAGE.hear(talk, Said(text=line)), count + 1
    turn = close(TRIAGE, talk)
    assert turn_from_json(turn_to_json(turn)) == turn
    assert count <= 40


def test_an_open_conversation_cannot_be_closed_nor_a_closed_one_asked() -> None:
    with pytest.raises(ValueError, match="open"):
        close(TRIAGE, Talk())
    with pytest.raises(ValueError, match="nothing"):
        TRIAGE.ask(Talk(facts=Facts(complaint="fever", age_years=0.1)))
