"""What a recogniser or a keyboard gives, as plain words to match patterns against. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

TOKEN = re.compile(
    r"\[unk\]|[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+(?:'[^\W_\u3400-\u9fff]+)*|[.;:!?\u3002\uff01\uff1f\n]|,"
)
"""A word outside the grammar, one Han character, one word, one sentence mark or a comma."""

MARKS = frozenset(".;:!?\u3002\uff01\uff1f\n")
"""Marks that end a sentence. Recognisers write none; people who type do."""

APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "`": "'", "\u00b4": "'"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One utterance as plain words."""

    tokens: tuple[str, ...]
    """Lower-case words without marks; Han script one character a word."""
    stops: frozenset[int] = frozenset()
    """Positions of words that begin a new sentence: a negation does not reach across."""


class Spoken:
    """The habits of one language's spelling: contractions are opened so that every "not" is a word of its own."""

    def __init__(self, *, whole: Mapping[str, str], endings: Mapping[str, str], interjections: frozenset[str]) -> None:
        """`whole` replaces a word ("can't" by "can not"), `endings` its end ("n't" by " not"); a comma after one of
        `interjections` ("no, my chest hurts") parts it from the rest."""
        self._whole = {word: tuple(into.split()) for word, into in whole.items()}
        self._endings = tuple(endings.items())
        self._interjections = interjections

    def words(self, text: str) -> Words:
        """Plain words of any text; never raises."""
        tokens: list[str] = []
        stops: set[int] = set()
        plain = unicodedata.normalize("NFKC", text).lower().translate(APOSTROPHES)
        for found in TOKEN.finditer(plain):
            piece = found.group()
            if piece in MARKS or (piece == "," and tokens and tokens[-1] in self._interjections):
                stops.add(len(tokens))
            elif piece != ",":
                tokens.extend(self._open(piece))
        return Words(tokens=tuple(tokens), stops=frozenset(stops))

    def _open(self, word: str) -> tuple[str, ...]:
        """A word without contraction."""
        if word in self._whole:
            return self._whole[word]
        for ending, into in self._endings:
            if word.endswith(ending) and len(word) > len(ending):
                return tuple((word[: -len(ending)] + into).split())
        return (word,)
