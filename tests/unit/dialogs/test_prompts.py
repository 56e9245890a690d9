"""Sentences by name, and whether the shipped ones are whole."""

from pathlib import Path

import pytest

from dialogs.menu_tree import load_menu
from dialogs.port import Prompt
from dialogs.prompts import PromptsError, TomlPrompts, UnknownLanguage, load_sentences, problems
from dialogs.red_flags import load_rule_books
from dialogs.safety_net import UNKNOWN_SAY, UNKNOWN_WHISPER

ROOM = Path(__file__).parents[3] / "dialogs"
COMMON = {"emergency": "9 1 1", "hotline": "the city hotline"}


def written(folder: Path, text: str, language: str = "en") -> Path:
    """A folder with one file of sentences."""
    (folder / f"{language}.toml").write_text(text, encoding="utf-8")
    return folder


def test_the_shipped_sentences_have_no_problems() -> None:
    assert problems(ROOM / "prompts", frozenset({*COMMON, "digits"})) == ()


def test_every_key_that_the_rules_and_the_menu_use_exists() -> None:
    tree = load_menu(ROOM / "menu.toml")
    for language, book in load_rule_books(ROOM).items():
        used = {key for rule in book.rules.values() for key in (*rule.say, rule.whisper)}
        used |= {key for end in tree.ends.values() for key in (*end.say, end.summary) if key}
        used |= {node.ask for node in tree.nodes.values()} | {*UNKNOWN_SAY, UNKNOWN_WHISPER}
        used |= {"call.keys_instead", "agent.asked", "agent.not_understood"}
        assert used <= load_sentences(ROOM / "prompts")[language].keys()


def test_what_is_said_first_in_a_danger_names_the_emergency_number() -> None:
    prompts = TomlPrompts(ROOM / "prompts", COMMON)
    for language, book in load_rule_books(ROOM).items():
        for rule in book.rules.values():
            assert "9 1 1" in prompts.text(Prompt(key=rule.say[0]), language)


def test_text_fills_common_and_own_values(tmp_path: Path) -> None:
    prompts = TomlPrompts(written(tmp_path, '[a]\nb = "Dial {emergency}, {who}."\nc = "Hello."'), COMMON)
    assert prompts.text(Prompt(key="a.b", values={"who": "Mum"}), "en") == "Dial 9 1 1, Mum."
    assert prompts.fixed("en") == ("Hello.",)


@pytest.mark.parametrize("key", ["a.b", "a.missing", "missing"])
def test_a_missing_key_or_value_is_a_key_error(tmp_path: Path, key: str) -> None:
    prompts = TomlPrompts(written(tmp_path, '[a]\nb = "For {who}."'), COMMON)
    with pytest.raises(KeyError):
        prompts.text(Prompt(key=key), "en")


def test_an_unknown_language_is_named(tmp_path: Path) -> None:
    prompts = TomlPrompts(written(tmp_path, '[a]\nb = "B."'), COMMON)
    for ask in (lambda: prompts.text(Prompt(key="a.b"), "tlh"), lambda: prompts.fixed("tlh")):
        with pytest.raises(UnknownLanguage, match="'tlh'; there are: en"):
            ask()


@pytest.mark.parametrize("text", ["[a", 'b = "outside"', "[a]\nb = 3"])
def test_an_unusable_file_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(PromptsError, match=r"en\.toml"):
        TomlPrompts(written(tmp_path, text), COMMON)


def test_no_files_at_all(tmp_path: Path) -> None:
    with pytest.raises(PromptsError, match="no files"):
        TomlPrompts(tmp_path, COMMON)


def test_problems_are_found(tmp_path: Path) -> None:
    long = " ".join(["word"] * 31)
    written(tmp_path, f'[a]\nempty = " "\nodd = "{{nobody}}"\nstray = "{{ x"\nlong = "{long}."\nonly_en = "Yes."')
    written(tmp_path, '[a]\nempty = "x"\nodd = "x"\nstray = "x"\nlong = "x"', "de")
    found = problems(tmp_path, frozenset(COMMON))
    assert len(found) == 5
    for part in ("empty is empty", "placeholder {nobody}", "stray brace", "31 words", "de: a.only_en is missing"):
        assert any(part in line for line in found)
