"""The engine: what it concludes, and that it can only grow more careful."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogs.engine import evaluate
from dialogs.facts import Facts, Finding, Who
from dialogs.knowledge_base import RANK, load
from dialogs.port import Expect, Level

KB = load(Path(__file__).resolve().parents[3] / "dialogs/knowledge")
NAMES = sorted(KB.complaints)
FINDINGS = sorted(KB.findings)
MODIFIERS = sorted(KB.modifiers)

facts = st.builds(
    Facts,
    complaint=st.sampled_from(NAMES),
    also=st.lists(st.sampled_from(NAMES), max_size=2, unique=True).map(tuple),
    for_whom=st.sampled_from([None, *Who]),
    age_years=st.none() | st.floats(0, 110),
    onset_hours=st.none() | st.floats(0, 20000),
    severity=st.none() | st.integers(0, 10),
    findings=st.dictionaries(st.sampled_from(FINDINGS), st.sampled_from(Finding), max_size=6),
    modifiers=st.frozensets(st.sampled_from(MODIFIERS), max_size=2),
    risk_asked=st.booleans(),
    unknown=st.frozensets(st.sampled_from(["for_whom", "age", "onset", "severity", "risk"]), max_size=3),
)


def rank(value: Facts) -> int:
    return RANK[evaluate(value, KB).level]


@given(facts, st.sampled_from(FINDINGS))
def test_another_positive_finding_never_lowers_the_level(value: Facts, finding: str) -> None:
    assert rank(value.with_finding(finding, Finding.PRESENT)) >= rank(value)


@given(facts, st.sampled_from(FINDINGS))
def test_unknown_is_never_below_absent_nor_above_present(value: Facts, finding: str) -> None:
    absent, unknown, present = (
        rank(value.with_finding(finding, answer)) for answer in (Finding.ABSENT, Finding.UNKNOWN, Finding.PRESENT)
    )
    assert absent <= unknown <= present


@given(facts, st.sampled_from(MODIFIERS))
def test_a_modifier_never_lowers_the_level(value: Facts, modifier: str) -> None:
    assert rank(replace(value, modifiers=value.modifiers | {modifier})) >= rank(value)


@given(facts, st.sampled_from(NAMES))
def test_a_further_complaint_never_lowers_the_level(value: Facts, name: str) -> None:
    assert rank(replace(value, also=(*value.also, name))) >= rank(value)


@given(facts)
def test_more_pain_never_lowers_the_level(value: Facts) -> None:
    ranks = [rank(replace(value, severity=severity)) for severity in range(11)]
    assert ranks == sorted(ranks)


@given(facts)
def test_it_is_deterministic_and_its_facts_survive_the_tracker(value: Facts) -> None:
    assert evaluate(value, KB) == evaluate(Facts.from_json(value.to_json()), KB)


@given(facts, st.sampled_from(Finding))
def test_every_conversation_ends(value: Facts, answer: Finding) -> None:
    for _ in range(16):
        ask = evaluate(value, KB).next_question
        if ask is None:
            return
        if ask.finding:
            value = value.with_finding(ask.finding, answer)
        else:
            value = replace(value, unknown=value.unknown | {ask.slot})
    raise AssertionError("more than sixteen questions")


@pytest.mark.parametrize("name", NAMES)
def test_a_calm_caller_is_asked_at_most_ten_questions(name: str) -> None:
    value, asked = Facts(complaint=name), 0
    answers: dict[str, dict[str, Any]] = {
        "for_whom": {"for_whom": Who.SELF},
        "age": {"age_years": 40.0},
        "onset": {"onset_hours": 24.0},
    }
    answers |= {"severity": {"severity": 3}, "risk": {"risk_asked": True}}
    while (ask := evaluate(value, KB).next_question) is not None:
        asked += 1
        value = value.with_finding(ask.finding, Finding.ABSENT) if ask.finding else replace(value, **answers[ask.slot])
    assert asked <= 10
    assert evaluate(value, KB).level is KB.complaints[name].level


@pytest.mark.parametrize("name", NAMES)
def test_an_emergency_question_comes_within_the_first_two(name: str) -> None:
    first = evaluate(Facts(complaint=name), KB).next_question
    second = evaluate(Facts(complaint=name, age_years=40.0), KB).next_question
    assert first is not None
    assert second is not None
    assert "." in second.id
    assert first.id in (second.id, "age")
    yes = Facts(complaint=name, age_years=40.0).with_finding(second.finding or "", Finding.PRESENT)
    assert evaluate(yes, KB).level is Level.EMERGENCY
    assert evaluate(yes, KB).next_question is None


def test_without_a_complaint_the_complaint_is_asked_freely() -> None:
    ask = evaluate(Facts(), KB).next_question
    assert ask is not None
    assert (ask.id, ask.expect, ask.danger) == ("complaint", Expect.OPEN, None)


def test_a_danger_question_names_the_rule_of_the_safety_net() -> None:
    ask = evaluate(Facts(complaint="rash"), KB).next_question
    assert ask is not None
    assert (ask.id, ask.danger) == ("rash.face_swelling", "anaphylaxis")


@pytest.mark.parametrize(
    ("value", "level", "department"),
    [
        (Facts(complaint="fever", age_years=0.25), Level.EMERGENCY, "emergency"),
        (Facts(complaint="fever", age_years=0.7), Level.URGENT, "paediatrics"),
        (Facts(complaint="fever", age_years=30), Level.ROUTINE, "general_practice"),
        (Facts(complaint="fever", age_years=30, onset_hours=24 * 6), Level.URGENT, "general_practice"),
        (Facts(complaint="fever", unknown=frozenset({"age"})), Level.URGENT, "general_practice"),
        (Facts(complaint="cough", age_years=30), Level.SELF_CARE, "general_practice"),
        (Facts(complaint="cough", age_years=80), Level.ROUTINE, "general_practice"),
        (Facts(complaint="rash", severity=8), Level.URGENT, "dermatology"),
        (Facts(complaint="rash", age_years=5), Level.ROUTINE, "dermatology"),
        (Facts(complaint="rash", modifiers=frozenset({"pregnancy"})), Level.URGENT, "dermatology"),
        (Facts(complaint="cough", modifiers=frozenset({"anticoagulation"})), Level.ROUTINE, "general_practice"),
        (Facts(complaint="cough", also=("chest_pain",)), Level.URGENT, "general_practice"),
        (
            Facts(
                complaint="injury",
                modifiers=frozenset({"anticoagulation"}),
                findings={"head_hit": Finding.PRESENT},
            ),
            Level.EMERGENCY,
            "emergency",
        ),
    ],
)
def test_levels_by_rule(value: Facts, level: Level, department: str) -> None:
    found = evaluate(value, KB)
    assert (found.level, found.department) == (level, department)


def test_reasons_name_the_rules_that_decided() -> None:
    assert evaluate(Facts(complaint="fever", age_years=0.2), KB).reasons == ("fever.rule1",)
    assert "age.old" in evaluate(Facts(complaint="cough", age_years=80), KB).reasons


def test_a_head_blow_is_still_asked_of_somebody_on_blood_thinners() -> None:
    value = Facts(
        complaint="injury",
        age_years=50,
        for_whom=Who.SELF,
        onset_hours=2,
        severity=3,
        modifiers=frozenset({"anticoagulation"}),
        findings={"heavy_bleeding": Finding.ABSENT, "fainted": Finding.ABSENT},
    )
    ask = evaluate(value, KB).next_question
    assert ask is not None
    assert ask.finding == "head_hit"


def test_an_unknown_complaint_is_an_error() -> None:
    with pytest.raises(KeyError):
        evaluate(Facts(complaint="hiccups"), KB)


def test_an_assessment_takes_far_less_than_a_turn() -> None:
    value = Facts(complaint="fever", also=("cough", "headache"), findings=dict.fromkeys(FINDINGS, Finding.ABSENT))
    evaluate(value, KB)
    began = time.process_time()
    for _ in range(100):
        evaluate(value, KB)
    assert (time.process_time() - began) / 100 < 0.005
