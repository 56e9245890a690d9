"""Every sentence that something may want to say exists in every language that has sentences."""

import ast
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from dialogs.knowledge_base import load
from dialogs.port import Level
from dialogs.prompts import load_sentences, problems
from dialogs.red_flags import load_rule_books
from tests.rules.committed import ROOT, committed

SENTENCES = load_sentences(ROOT / "dialogs/prompts")
KEY = re.compile(r"[a-z_]+\.[a-z0-9_]+")
CODE = ("ivr", "dialogs")
SOUNDS = "sound."
SECTIONS = {key.partition(".")[0] for key in SENTENCES["en"]}


def literals() -> Iterator[tuple[str, str]]:
    """(file, key) for every sentence named in code: by Prompt(key="...") or by the machine's own prompt("...")."""
    for path in committed(".py"):
        name = path.relative_to(ROOT)
        if name.parts[0] not in CODE:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield from ((str(name), key) for key in keys_of(node))


def keys_of(call: ast.Call) -> Iterator[str]:
    """Keys that a call names outright."""
    function = getattr(call.func, "id", "")
    if function == "Prompt":
        for word in call.keywords:
            if word.arg == "key" and isinstance(word.value, ast.Constant):
                yield str(word.value.value)
    section = {"prompt": "call", "sentence": "masked"}.get(function)
    if section and call.args:
        for node in ast.walk(call.args[0]):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
                yield f"{section}.{node.value}"


@pytest.mark.parametrize("language", SENTENCES)
def test_every_sentence_named_in_code_exists(language: str) -> None:
    named = [(file, key) for file, key in literals() if not key.startswith(SOUNDS)]
    assert len(named) > 30
    assert [f"{file}: {key}" for file, key in named if key not in SENTENCES[language]] == []


def test_every_danger_has_its_sentences() -> None:
    for language, book in load_rule_books(ROOT / "dialogs").items():
        assert missing(language, book) == []


def test_every_word_of_the_knowledge_has_its_sentence() -> None:
    wanted: set[str] = set()
    for one in load(ROOT / "dialogs/knowledge").complaints.values():
        wanted |= {f"complaint.{one.id}", f"department.{one.department}", f"safety_net.{one.safety_net}"}
        wanted |= {f"department.{one.department_child}"} if one.department_child else set()
        wanted |= {f"result.within_{one.within}"} if one.level is Level.ROUTINE else set()
        wanted |= {f"advice.{advice}" for advice in one.advice}
        wanted |= {f"ask.{question.finding}" for question in one.questions}
    assert len(wanted) > 100
    assert sorted(wanted - SENTENCES["en"].keys()) == []


def test_every_sentence_of_the_menu_exists() -> None:
    tree = tomllib.loads((ROOT / "dialogs/menu.toml").read_text(encoding="utf-8"))
    wanted = {node["ask"] for node in tree["node"].values()}
    for end in tree["end"].values():
        wanted |= {*end["say"], *([end["summary"]] if "summary" in end else [])}
    assert len(wanted) > 10
    assert sorted(wanted - SENTENCES["en"].keys()) == []


def test_the_files_of_sentences_are_sound() -> None:
    assert problems(ROOT / "dialogs/prompts", frozenset({"emergency", "hotline", "digits"})) == ()


def missing(language: str, value: Any) -> list[str]:
    """Keys anywhere inside a value that have no sentence."""
    return sorted(key for key in keys_in(value) if key not in SENTENCES[language])


def keys_in(value: Any) -> set[str]:
    """Every `key` of a Prompt, and every text that looks like a key of a known section, inside a value."""
    if isinstance(value, str):
        return {value} if KEY.fullmatch(value) and value.partition(".")[0] in SECTIONS else set()
    return {key for part in parts(value) for key in keys_in(part)}


def parts(value: Any) -> list[Any]:
    """What a value is made of."""
    if isinstance(value, dict) or hasattr(value, "items"):
        return [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    slots = getattr(type(value), "__dataclass_fields__", {})
    return [getattr(value, name) for name in slots]
