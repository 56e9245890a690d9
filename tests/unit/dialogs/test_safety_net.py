"""The rules of danger against lists of what people say."""

from pathlib import Path

import pytest

from dialogs.port import Command, Expect, Heard, Question
from dialogs.red_flags import load_rule_books
from dialogs.safety_net import RuleSafetyNet

DATA = Path(__file__).parent / "data"
ROOM = Path(__file__).parents[3] / "dialogs"
NET = RuleSafetyNet(load_rule_books(ROOM))

MUST_HAVE = frozenset(
    [
        "chest_pain",
        "stroke",
        "breathing",
        "unconscious",
        "bleeding",
        "anaphylaxis",
        "seizure",
        "suicide",
        "poisoning",
        "pregnancy_bleeding",
        "infant_fever",
    ]
)


def lines(name: str) -> list[str]:
    """Entries of a data file."""
    return [line for line in (DATA / name).read_text().splitlines() if line and not line.startswith("#")]


def pairs(name: str) -> list[tuple[str, str]]:
    """Entries of "name | words" lines."""
    return [(left.strip(), right.strip()) for left, _, right in (line.partition("|") for line in lines(name))]


def rule(text: str, *, final: bool = True, confidence: float = 1.0, question: Question | None = None) -> str | None:
    """Name of the rule that the words fire."""
    flag = NET.check(Heard(text=text, final=final, confidence=confidence), question, "en")
    return None if flag is None else flag.rule


def prefixes(text: str) -> list[str]:
    """What a recogniser shows while the words are said."""
    words = text.split()
    return [" ".join(words[:count]) for count in range(1, len(words) + 1)]


def test_every_danger_in_the_list_is_recognised() -> None:
    missed = [(wanted, text, rule(text)) for wanted, text in pairs("dangers.txt") if rule(text) != wanted]
    assert missed == []


def test_recognition_survives_capitals_marks_and_low_confidence() -> None:
    for wanted, text in pairs("dangers.txt"):
        assert rule(text.upper() + "!", confidence=0.05) == wanted, text
        assert rule(text.replace("'", "\u2019"), confidence=0.0) == wanted, text


def test_nothing_harmless_raises_an_alarm_neither_whole_nor_half_said() -> None:
    false = [
        (part, rule(part, final=False))
        for text in lines("harmless.txt")
        for part in prefixes(text)
        if rule(part, final=False) is not None
    ]
    false += [(text, rule(text)) for text in lines("harmless.txt") if rule(text) is not None]
    assert false == []


def test_lists_are_long_enough_and_every_rule_is_covered() -> None:
    dangers = pairs("dangers.txt")
    assert len({text for _, text in dangers}) >= 200
    assert len(set(lines("harmless.txt"))) >= 100
    names = {name for name, _ in dangers}
    assert names == set(NET.rules("en"))
    assert names >= MUST_HAVE
    assert all(sum(name == wanted for wanted, _ in dangers) >= 4 for name in names)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("no rash but chest pain", "chest_pain"),
        ("no, chest pain", "chest_pain"),
        ("No. Chest pain.", "chest_pain"),
        ("chest pain no", "chest_pain"),
        ("no it's chest pain", "chest_pain"),
        ("no chest pain", None),
        ("no no chest pain", None),
        ("i do not have any severe chest pain", None),
        ("i don't have a cough or a fever or chest pain", None),
        ("i don't know if it is a cold or chest pain", "chest_pain"),
        ("isn't this chest pain", "chest_pain"),
        ("not only chest pain", "chest_pain"),
        ("i do not sleep because of chest pain", "chest_pain"),
        ("my chest does not stop hurting", "chest_pain"),
        ("my chest is fine but i have pain in my leg", None),
        ("he is not breathing", "breathing"),
        ("i don't have any trouble breathing", None),
        ("i have no pulse", "unconscious"),
        ("he can't move his arm", "stroke"),
        ("pregnant and no bleeding", None),
        ("not pregnant but heavy bleeding", "bleeding"),
    ],
)
def test_negation_reaches_its_own_clause_only(text: str, wanted: str | None) -> None:
    assert rule(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("i had chest pain this morning", "chest_pain"),
        ("i had chest pain an hour ago", "chest_pain"),
        ("i had chest pain last week", "chest_pain"),
        ("i had chest pain ten years ago", None),
        ("ten years ago i had chest pain", None),
        ("i had a heart attack last year and now my chest hurts", "chest_pain"),
        ("my father had a heart attack years ago and my chest hurts", "chest_pain"),
        ("my chest pain started two years ago and it is worse now", "chest_pain"),
        ("i tried to kill myself years ago", "suicide"),
    ],
)
def test_only_clear_history_takes_a_danger_back(text: str, wanted: str | None) -> None:
    assert rule(text) == wanted


def test_a_partial_fires_as_soon_as_the_words_are_complete() -> None:
    assert rule("i have chest", final=False) is None
    assert rule("i have chest pain", final=False) == "chest_pain"
    assert rule("he's not", final=False) is None
    assert rule("he's not breathing", final=False) == "breathing"


def test_a_past_tense_in_a_partial_waits_for_what_follows() -> None:
    assert rule("i had chest pain", final=False) is None
    assert rule("i had chest pain this morning", final=False) == "chest_pain"
    assert rule("i had chest pain", final=True) == "chest_pain"


def test_the_word_emergency_counts_when_the_caller_has_finished() -> None:
    assert rule("emergency", final=False) is None
    assert rule("emergency") == "emergency_word"
    assert rule("emergency department opening hours") is None


def test_the_gravest_danger_is_named() -> None:
    assert rule("chest pain and now he is not breathing") == "breathing"
    assert rule("it's an emergency my wife is unconscious") == "unconscious"


def test_words_unknown_to_the_grammar_count_as_a_gap() -> None:
    assert rule("chest [unk] [unk] pain") == "chest_pain"
    assert rule("[unk] [unk] [unk]") is None
    assert rule("chest [unk] [unk] [unk] [unk] [unk] [unk] pain") is None


DANGER = Question(id="chest_pain.breathless", expect=Expect.YES_NO, danger="breathing")
HARMLESS = Question(id="itch", expect=Expect.YES_NO)


@pytest.mark.parametrize(
    "text", ["yes", "yeah", "yes it does", "uh yes i think so", "i do", "a little", "yes no", "[unk] yes", "uh huh"]
)
def test_yes_to_a_danger_fires_its_rule(text: str) -> None:
    assert rule(text, question=DANGER, confidence=0.2) == "breathing"
    assert rule(text, question=HARMLESS) is None
    assert rule(text) is None


@pytest.mark.parametrize(
    "text",
    ["no", "nope", "not really", "i don't know", "i'm not sure", "no i do not", "i am not", "", "[unk]", "three"],
)
def test_no_and_unclear_do_not_fire(text: str) -> None:
    assert rule(text, question=DANGER) is None


def test_yes_counts_only_when_finished() -> None:
    assert rule("yes", final=False, question=DANGER) is None


def test_a_danger_without_a_rule_still_calls_for_help() -> None:
    unknown = Question(id="x", expect=Expect.YES_NO, danger="something_new")
    flag = NET.check(Heard(text="yes"), unknown, "en")
    assert flag is not None
    assert flag.rule == "something_new"
    assert flag.prompts[0].key == "red_flag.dial"


def test_a_flag_says_the_number_first_and_cannot_be_interrupted() -> None:
    for name in NET.rules("en"):
        flag = NET.flag(name, "en")
        assert flag.prompts[0].key in {"red_flag.dial", "red_flag.suicide_dial"}
        assert len(flag.prompts) == 2
        assert not any(prompt.interruptible for prompt in flag.prompts)


def test_a_language_without_rules_is_checked_against_all() -> None:
    assert NET.languages == ("en",)
    flag = NET.check(Heard(text="chest pain"), None, "xx")
    assert flag is not None


def test_the_matched_words_are_kept() -> None:
    flag = NET.check(Heard(text="well i have this pain in my chest today"), None, "en")
    assert flag is not None
    assert flag.words == "pain in my chest"


def test_commands() -> None:
    wrong = []
    for wanted, text in pairs("commands.txt"):
        found = NET.command(Heard(text=text), "en")
        if (found or "none") != wanted:
            wrong.append((text, found, wanted))
    assert wrong == []


def test_a_command_counts_only_when_finished() -> None:
    assert NET.command(Heard(text="agent", final=False), "en") is None
    assert NET.command(Heard(text="agent", confidence=0.1), "en") is Command.HUMAN
