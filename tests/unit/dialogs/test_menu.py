"""The keypad menu: every way ends well."""

import asyncio
from pathlib import Path

import pytest

from dialogs.menu import KeypadMenu
from dialogs.menu_tree import MenuError, load_menu, load_menu_words
from dialogs.port import Expect, Heard, Level, Turn
from dialogs.prompts import load_sentences

ROOM = Path(__file__).parents[3] / "dialogs"
TREE = load_menu(ROOM / "menu.toml")
WORDS = load_menu_words(ROOM / "menu")
KEYS = "0123456789*#"


def menu() -> KeypadMenu:
    """The shipped menu."""
    return KeypadMenu(TREE, WORDS)


async def played(keys: str, dialogue: KeypadMenu) -> Turn:
    """The turn after some keys."""
    turn = await dialogue.start("call", "en")
    for key in keys:
        turn = await dialogue.press("call", key)
    return turn


def after(keys: str) -> Turn:
    """The turn after some keys on a fresh menu."""
    return asyncio.run(played(keys, menu()))


async def _walk(keys: str, found: list[tuple[str, Turn]]) -> None:
    """All ways through the menu with up to two mistakes, by every key there is."""
    turn = await played(keys, menu())
    if turn.question is None:
        found.append((keys, turn))
        return
    assert len(keys) < 9, "the menu does not end"
    for key in KEYS:
        if key != "*":
            await _walk(keys + key, found)


def test_every_way_ends_at_a_human_or_at_a_safe_result() -> None:
    found: list[tuple[str, Turn]] = []
    asyncio.run(_walk("", found))
    assert len(found) > 100
    sentences = load_sentences(ROOM / "prompts")["en"]
    for keys, turn in found:
        if turn.handover is None:
            assert turn.result is not None, keys
            assert turn.result.level in (Level.ROUTINE, Level.SELF_CARE), keys
            assert any(prompt.key.startswith("safety_net.") for prompt in turn.say), keys
            assert any("{emergency}" in sentences[prompt.key] for prompt in turn.say), keys
        else:
            assert turn.handover.summary, keys
            if turn.result is not None:
                assert turn.handover.level == turn.result.level, keys
        if turn.result is not None:
            assert turn.result.version == TREE.version


def test_every_end_can_be_reached_and_every_node() -> None:
    found: list[tuple[str, Turn]] = []
    asyncio.run(_walk("", found))
    reasons = {turn.handover.reason for _, turn in found if turn.handover}
    reasons |= {reason for _, turn in found if turn.result for reason in turn.result.reasons}
    assert reasons >= {end.reason for end in TREE.ends.values()} | {"asked", "not_understood"}


@pytest.mark.parametrize(
    ("keys", "level", "department", "human"),
    [
        ("1", Level.EMERGENCY, "emergency", True),
        ("211", Level.EMERGENCY, "emergency", True),
        ("212", Level.URGENT, "general_practice", True),
        ("222", Level.URGENT, "general_practice", True),
        ("311", Level.URGENT, "general_practice", True),
        ("312", Level.ROUTINE, "dermatology", False),
        ("322", Level.SELF_CARE, "general_practice", False),
        ("332", Level.ROUTINE, "general_practice", False),
    ],
)
def test_where_the_keys_lead(keys: str, level: Level, department: str, human: bool) -> None:
    turn = after(keys)
    assert turn.result is not None
    assert (turn.result.level, turn.result.department) == (level, department)
    assert (turn.handover is not None) is human


def test_an_emergency_says_the_number_and_cannot_be_interrupted() -> None:
    turn = after("1")
    assert [prompt.key for prompt in turn.say] == ["red_flag.dial"]
    assert not turn.say[0].interruptible


def test_appointments_go_to_a_human_without_a_result() -> None:
    turn = after("4")
    assert turn.handover is not None
    assert turn.result is None


def test_zero_is_a_human_everywhere() -> None:
    for keys in ("0", "20", "310", "220"):
        turn = after(keys)
        assert turn.handover is not None
        assert turn.handover.reason == "asked"


def test_one_mistake_repeats_and_two_in_a_row_call_a_human() -> None:
    once, twice, recovered = after("9"), after("9#"), after("929")
    assert not once.understood
    assert once.question == after("").question
    assert twice.handover is not None
    assert (twice.handover.reason, twice.handover.level) == ("not_understood", Level.URGENT)
    assert recovered.handover is None


def test_star_repeats_without_counting() -> None:
    assert after("****") == after("")


def test_spoken_answers() -> None:
    async def spoken(*texts: str) -> Turn:
        dialogue = menu()
        turn = await dialogue.start("call", "en")
        for text in texts:
            turn = await dialogue.hear("call", Heard(text=text))
        return turn

    assert asyncio.run(spoken("one")) == after("1")
    assert asyncio.run(spoken("Three.", "[unk] one", "no")) == after("312")
    assert asyncio.run(spoken("two", "yeah", "yes")) == after("211")
    assert not asyncio.run(spoken("yes")).understood
    assert asyncio.run(spoken("zero")) == after("0")


def test_questions_tell_the_ears_what_to_expect() -> None:
    first, yes_no = after("").question, after("2").question
    assert first is not None
    assert yes_no is not None
    assert first.expect is Expect.KEYS
    assert "one" in first.hints
    assert yes_no.expect is Expect.YES_NO
    assert {"yes", "no"} <= set(yes_no.hints)


def test_a_language_without_words_is_served_by_keys() -> None:
    async def run() -> Turn:
        dialogue = menu()
        await dialogue.start("call", "xx")
        assert not (await dialogue.hear("call", Heard(text="one"))).understood
        return await dialogue.press("call", "1")

    assert asyncio.run(run()) == after("1")


@pytest.mark.parametrize(
    ("before", "after_", "complaint"),
    [
        ('1 = "emergency"', '1 = "nowhere"', "leads to 'nowhere'"),
        ('1 = "risk_worse"', '1 = "first"', "reached from itself"),
        ('unclear = "urgent"', 'unclear = "soon"', "soon"),
        ('start = "first"', 'start = "last"', "last"),
        ("[node.first]", "[node.first", r"menu\.toml"),
    ],
)
def test_a_faulty_menu_is_refused(tmp_path: Path, before: str, after_: str, complaint: str) -> None:
    text = (ROOM / "menu.toml").read_text()
    assert before in text
    path = tmp_path / "menu.toml"
    path.write_text(text.replace(before, after_, 1))
    with pytest.raises(MenuError, match=complaint):
        load_menu(path)
