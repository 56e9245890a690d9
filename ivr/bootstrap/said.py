"""What callers may say, gathered from the hotline's own files, for the recogniser's language model."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_WORDS = ("answer", "person", "severity", "moment", "age_group", "administrative", "hints")
"""Tables of dialogs/words whose entries are whole phrases."""
_MISHEARD = ("misheard_no", "sounds_like")
"""What recognisers make of other words: nobody says it."""
_MARKED = re.compile(r"\[([^\]]*)\][({][^)}]*[)}]")
_EXAMPLE = re.compile(r"^\s+- (?!intent:|lookup:|synonym:|regex:)(.+)$", re.MULTILINE)


def said(root: Path, language: str) -> list[str]:
    """Phrases of the knowledge, expected answers, commands, words of danger and the dialogue's own examples, in a
    language; empty for one that the hotline does not speak. `root` is the program's folder. Raises OSError,
    TOMLDecodeError."""
    short, dialogs = language.partition("-")[0], root / "dialogs"
    found: list[str] = []
    for path in sorted((dialogs / "knowledge").glob("*.toml")):
        found += _phrases(_table(path), short)
    words = _table(dialogs / "words" / f"{short}.toml")
    for name in _WORDS:
        found += _texts({key: value for key, value in words.get(name, {}).items() if key not in _MISHEARD})
    for room in ("commands", "red_flags"):
        found += _texts(_table(dialogs / room / f"{short}.toml").get("classes", {}))
    always = dialogs / "always" / f"{short}.txt"
    if always.is_file():
        found += [line for line in always.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    return found + (_examples(dialogs / "rasa_project/data/nlu.yml") if short == "en" else [])


def _table(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _texts(value: Any) -> Iterator[str]:
    """Every string in a value, however deep."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)


def _phrases(value: Any, language: str) -> Iterator[str]:
    """Entries of `phrases.<language>`, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "phrases" and isinstance(inner, dict):
                yield from _texts(inner.get(language, []))
            elif name not in _MISHEARD:
                yield from _phrases(inner, language)
    for inner in value if isinstance(value, list) else ():
        yield from _phrases(inner, language)


def _examples(path: Path) -> list[str]:
    """The sentences of Rasa's NLU file, without the marks of entities."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return [_MARKED.sub(r"\1", line).strip() for line in _EXAMPLE.findall(text)]
