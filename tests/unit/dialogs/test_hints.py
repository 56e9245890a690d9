"""Hints: small closed grammars whose every phrase the extractors understand."""

from pathlib import Path

import pytest

from dialogs import extract, extract_numbers
from dialogs.hints import hints
from dialogs.port import Expect
from dialogs.words import load_words

WORDS = load_words(Path(__file__).resolve().parents[3] / "dialogs/words/en.toml")
COMMANDS = {"help", "agent", "repeat", "emergency"}


def test_an_open_question_is_free_speech() -> None:
    assert hints(Expect.OPEN, WORDS) == ()


@pytest.mark.parametrize("expect", [item for item in Expect if item not in (Expect.OPEN, Expect.KEYS)])
def test_hints_are_unique_and_lower_case(expect: Expect) -> None:
    phrases = hints(expect, WORDS)
    assert phrases
    assert len(set(phrases)) == len(phrases)
    assert all(phrase == phrase.lower().strip() for phrase in phrases)


def test_every_yes_no_hint_but_the_commands_is_understood() -> None:
    phrases = set(hints(Expect.YES_NO, WORDS)) - COMMANDS
    assert [phrase for phrase in phrases if extract.yes_no(phrase, WORDS) is None] == []


def test_yes_no_hints_stay_few() -> None:
    assert len(hints(Expect.YES_NO, WORDS)) <= 40


@pytest.mark.parametrize(("phrase", "age"), [("one", 1), ("forty two", 42), ("ninety nine", 99)])
def test_ages_are_offered_and_understood(phrase: str, age: int) -> None:
    assert phrase in hints(Expect.NUMBER, WORDS)
    assert extract_numbers.age_years(phrase, WORDS, asked=True) == age


@pytest.mark.parametrize("phrase", ["three days", "a week", "twelve months", "since yesterday", "an hour"])
def test_durations_are_offered_and_understood(phrase: str) -> None:
    assert phrase in hints(Expect.DURATION, WORDS)
    assert extract_numbers.duration_hours(phrase, WORDS, asked=True) is not None


def test_every_severity_number_is_offered() -> None:
    phrases = hints(Expect.SEVERITY, WORDS)
    assert {"one", "ten", "seven out of ten"} <= set(phrases)
    assert extract_numbers.severity("seven out of ten", WORDS, asked=True) == 7
