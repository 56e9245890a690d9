"""What is taken out of words: answers, persons, numbers, durations, complaints."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogs import extract, extract_numbers
from dialogs.complaints import complaints
from dialogs.facts import Finding, Who
from dialogs.knowledge_base import load
from dialogs.words import load_words

ROOM = Path(__file__).resolve().parents[3] / "dialogs"
WORDS = load_words(ROOM / "words/en.toml")
KB = load(ROOM / "knowledge")


@pytest.mark.parametrize(
    "text", ["yes", "Yeah!", "yep", "i think so", "a little bit", "yes it is", "uh yes", "sometimes"]
)
def test_yes(text: str) -> None:
    assert extract.yes_no(text, WORDS) is Finding.PRESENT


@pytest.mark.parametrize(
    "text", ["no", "Nope.", "not really", "i don't think so", "no it isn't", "not at all", "no no", "nothing like that"]
)
def test_no(text: str) -> None:
    assert extract.yes_no(text, WORDS) is Finding.ABSENT


@pytest.mark.parametrize("text", ["i don't know", "no idea", "maybe", "i'm not sure", "hard to say", "dont know"])
def test_unknown(text: str) -> None:
    assert extract.yes_no(text, WORDS) is Finding.UNKNOWN


@pytest.mark.parametrize("text", ["", "[unk]", "banana", "yes no", "no yes"])
def test_no_answer(text: str) -> None:
    assert extract.yes_no(text, WORDS) is None


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("it's for me", Who.SELF),
        ("my son", Who.CHILD),
        ("it is not me it is my daughter", Who.CHILD),
        ("about my mother", Who.OTHER),
        ("somebody else", Who.OTHER),
        ("banana", None),
    ],
)
def test_person(text: str, who: Who | None) -> None:
    assert extract.person(text, WORDS) is who


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("forty two", 42),
        ("i'm forty two", 42),
        ("I am 42 years old", 42),
        ("she is eighty", 80),
        ("one hundred and four", 104),
        ("three months", 0.25),
        ("a month old", 0.083),
        ("two weeks old", 0.038),
        ("seven", 7),
        ("newborn", 0.08),
        ("four hundred", None),
        ("banana", None),
    ],
)
def test_age_where_asked(text: str, age: float | None) -> None:
    found = extract_numbers.age_years(text, WORDS, asked=True)
    assert found == pytest.approx(age, abs=0.01) if age is not None else found is None


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("my three month old has a fever", 0.25),
        ("i'm forty two and my head hurts", 42),
        ("my mother is eighty two and dizzy", 82),
        ("i have had a rash for three days", None),
        ("the pain is seven", None),
        ("my son has a fever of forty", None),
    ],
)
def test_age_said_unasked(text: str, age: float | None) -> None:
    found = extract_numbers.age_years(text, WORDS, asked=False)
    assert found == pytest.approx(age, abs=0.01) if age is not None else found is None


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("for three days", 72),
        ("since yesterday", 24),
        ("a week ago", 168),
        ("an hour", 1),
        ("2 weeks", 336),
        ("for a couple of days", 48),
        ("since this morning", 6),
        ("half an hour", 1),
        ("twenty minutes", 0.34),
        ("two or three weeks", 504),
        ("three", 72),
        ("for tree daze", 72),
        ("banana", None),
    ],
)
def test_duration_where_asked(text: str, hours: float | None) -> None:
    found = extract_numbers.duration_hours(text, WORDS, asked=True)
    assert found == pytest.approx(hours, abs=0.01) if hours is not None else found is None


def test_an_age_is_no_duration() -> None:
    assert extract_numbers.duration_hours("my three month old has a fever", WORDS, asked=False) is None
    assert extract_numbers.duration_hours("i am twenty weeks pregnant", WORDS, asked=False) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("seven", 7),
        ("seven out of ten", 7),
        ("it's a 9", 9),
        ("ten", 10),
        ("really bad", 8),
        ("quite mild", 3),
        ("unbearable", 10),
        ("not so bad", 3),
        ("banana", None),
    ],
)
def test_severity_where_asked(text: str, value: int | None) -> None:
    assert extract_numbers.severity(text, WORDS, asked=True) == value


def test_severity_unasked_needs_more() -> None:
    assert extract_numbers.severity("my head hurts since this morning, seven", WORDS, asked=False) == 7
    assert extract_numbers.severity("it hurts eight out of ten", WORDS, asked=False) == 8
    assert extract_numbers.severity("for three days", WORDS, asked=False) is None
    assert extract_numbers.severity("i am seven", WORDS, asked=False) is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("i have an itchy rash for three days", ("rash",)),
        ("each he rash", ("rash",)),
        ("it she rash", ("rash",)),
        ("my head hurts", ("headache",)),
        ("had ache since yesterday", ("headache",)),
        ("bellow ache", ("abdominal_pain",)),
        ("shortness of breast", ("breathlessness",)),
        ("i have a cough and a fever", ("fever", "cough")),
        ("i have no fever but a cough", ("cough",)),
        ("a cough but my chest hurts too", ("chest_pain", "cough")),
        ("stomach flu", ("vomiting",)),
        ("i want to book an appointment", ()),
        ("is there parking at the clinic", ()),
        ("is the nurse in today", ()),
        ("", ()),
    ],
)
def test_complaints(text: str, names: tuple[str, ...]) -> None:
    assert complaints(text, KB, "en", WORDS) == names


@pytest.mark.parametrize("name", [name for name in sorted(KB.complaints) if name != "other"])
def test_every_phrase_leads_to_its_complaint(name: str) -> None:
    for phrase in KB.complaints[name].phrases["en"]:
        assert name in complaints(f"hello i have {phrase}", KB, "en", WORDS), phrase


def test_findings_present_and_negated() -> None:
    found = extract.findings("i am short of breath but i have no fever", KB.findings, "en", WORDS)
    assert found == {"breathless": Finding.PRESENT, "fever": Finding.ABSENT}


def test_a_finding_said_both_ways_is_present() -> None:
    found = extract.findings("no fever yesterday but now a high temperature", KB.findings, "en", WORDS)
    assert found["fever"] is Finding.PRESENT


def test_modifiers() -> None:
    assert extract.modifiers("i take blood thinners", KB.modifiers, "en", WORDS) == {"anticoagulation"}
    assert extract.modifiers("i am not pregnant", KB.modifiers, "en", WORDS) == set()


@pytest.mark.parametrize(
    "text", ["i want to book an appointment", "is there parking at the clinic", "what about my bill"]
)
def test_administrative(text: str) -> None:
    assert extract.administrative(text, WORDS)


@given(st.text(max_size=200))
def test_no_text_breaks_the_extractors(text: str) -> None:
    extract.yes_no(text, WORDS)
    extract.person(text, WORDS)
    extract_numbers.age_years(text, WORDS, asked=True)
    extract_numbers.duration_hours(text, WORDS, asked=True)
    extract_numbers.severity(text, WORDS, asked=True)
    complaints(text, KB, "en", WORDS)
