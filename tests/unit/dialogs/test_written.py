"""Written words reach the safety net as it knows them."""

from pathlib import Path

import pytest

from dialogs.red_flags import load_rule_books
from dialogs.safety_net import RuleSafetyNet
from dialogs.written import as_heard, danger_in

DANGER = danger_in(RuleSafetyNet(load_rule_books(Path(__file__).parents[3] / "dialogs")), "en")


@pytest.mark.parametrize(
    "text", ["I can't breathe!", "i can\u2019t breathe.", "CHEST PAIN, since 7:30", "I want to kill myself"]
)
def test_danger_is_seen_however_it_is_written(text: str) -> None:
    assert DANGER(text)


@pytest.mark.parametrize("text", ["", "thanks, see you", "no chest pain", "STOP", "10 mg x2", "\U0001f600"])
def test_nothing_is_made_of_the_rest(text: str) -> None:
    assert not DANGER(text)


def test_words_are_written_as_a_recogniser_writes_them() -> None:
    assert as_heard("I  CAN\u2019T - breathe…!\n") == "i can't breathe"
