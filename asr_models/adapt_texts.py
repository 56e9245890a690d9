"""The sentences that a hotline's callers say, for a language model: a file of them, and templates with slots.

Templates are drawn with a fixed seed, so the same files always give the same sentences.
"""

import random
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from asr_models.errors import BadTexts

SENTENCES = Path(__file__).with_name("sentences")
WEIGHT = 4
"""How often a written sentence counts against one drawn from a template."""
_SLOT = re.compile(r"\{(\w+)\}")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*'?|'[^\W\d_]+")
_DEEP = 8
"""Slots inside slots: more than this is a circle."""


def words(text: str) -> list[str]:
    """The words of a sentence as a recogniser spells them: lower case, apostrophes kept, all other marks dropped. A
    sentence with a digit gives none, since nobody knows how it would be read."""
    if any(letter.isdigit() for letter in text):
        return []
    return _WORD.findall(text.lower().replace("’", "'"))


def own(language: str, folder: Path = SENTENCES) -> list[str]:
    """The sentences that come with the program for a language ("en-us" takes "en"), weighted by repetition; empty where
    there are none. Raises BadTexts."""
    base = folder / language.lower().replace("_", "-").partition("-")[0]
    texts: list[str] = []
    if (plain := base.with_suffix(".txt")).is_file():
        texts += list(lines(plain)) * WEIGHT
    if (slotted := base.with_suffix(".toml")).is_file():
        texts += expand(slotted)
    return texts


def lines(path: Path) -> Iterator[str]:
    """The sentences of a file, one a line; "#" starts a comment. Raises BadTexts."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise BadTexts(f"The sentences in {path} cannot be read: {error}.") from error
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.strip()


def expand(path: Path) -> list[str]:
    """The sentences of a file of templates: a table `slots` of lists, and tables `template` with `say` and `count`.
    Raises BadTexts."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return [said for place, row in enumerate(table["template"]) for said in _drawn(row, table["slots"], place)]
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise BadTexts(f"The templates in {path} cannot be used: {type(error).__name__} {error}.") from error


def _drawn(row: Mapping[str, Any], slots: Mapping[str, Sequence[str]], place: int) -> Iterable[str]:
    chance = random.Random(place)
    for _ in range(int(row["count"])):
        yield " ".join(_filled(str(row["say"]), slots, chance, _DEEP).split())


def _filled(text: str, slots: Mapping[str, Sequence[str]], chance: random.Random, deep: int) -> str:
    if not deep and _SLOT.search(text):
        raise ValueError("a slot holds itself")

    def draw(found: re.Match[str]) -> str:
        return _filled(chance.choice(slots[found[1]]), slots, chance, deep - 1)

    return _SLOT.sub(draw, text)
