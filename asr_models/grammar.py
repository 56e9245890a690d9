"""Turns the phrases that a question expects into a grammar that also notices everything else.

Vosk makes a bigram model of the phrases (vosk-api src/language_model.cc), so their words may come in any order, and a
phrase repeated counts more. Where the model has no pronunciation for "[unk]", every sound is forced into the expected
words: "I have chest pain" becomes "I yes", with full confidence. So some hundreds of short words of the model's own
vocabulary are let in as fillers, each far rarer than an expected phrase; a filler that wins is written "[unk]".
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

UNKNOWN = "[unk]"
"""Stands for a word outside the grammar."""
FILLERS = 1000
"""How many short words catch what is not expected; more cost time at the start of a stream, and gain nothing."""
WEIGHT = 5
"""How many times an expected phrase counts against one filler."""
SINGLE_WEIGHT = 50
"""The same for a phrase of one word: "no" must win over the "know" of "I don't know", which sounds alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """What one question expects."""

    words: frozenset[str]
    """Words of the phrases that were kept: all others are shown as "[unk]"."""
    source: str
    """JSON list for the recogniser."""
    dropped: int
    """Phrases left out because the model does not know one of their words."""

    def show(self, word: str) -> str:
        """The word, or "[unk]" where it is a filler."""
        return word if word in self.words else UNKNOWN


def build(hints: Sequence[str], knows: Callable[[str], bool], fillers: Iterable[str]) -> Grammar | None:
    """The grammar of the hints; None where no hint is left, which means free speech."""
    phrases = list(dict.fromkeys(_plain(hint) for hint in hints))
    phrases = [phrase for phrase in phrases if phrase and phrase != UNKNOWN]
    kept = [phrase for phrase in phrases if all(knows(word) for word in phrase.split())]
    if not kept:
        return None
    words = frozenset(word for phrase in kept for word in phrase.split())
    spare = [word for word in fillers if word not in words and not _confusable(word, words)]
    weighted = [phrase for phrase in kept for _ in range(WEIGHT if " " in phrase else SINGLE_WEIGHT)]
    return Grammar(words=words, source=json.dumps(weighted + spare + [UNKNOWN]), dropped=len(phrases) - len(kept))


def fillers(vocabulary: Iterable[str], count: int = FILLERS) -> tuple[str, ...]:
    """The shortest ordinary words of a vocabulary: short ones can be strung together to anything."""
    return tuple(sorted((word for word in vocabulary if word[:1].isalpha()), key=lambda w: (len(w), w))[:count])


def vocabulary(lines: Iterable[str]) -> list[str]:
    """The words of a words.txt (a word and its number a line)."""
    return [line.split(maxsplit=1)[0] for line in lines if line.strip()]


def _plain(hint: str) -> str:
    return " ".join(hint.lower().split())


def _confusable(word: str, words: frozenset[str]) -> bool:
    """Whether a filler is so near to an expected word ("yet" for "yes") that it would take its place."""
    return any(word[0] == other[0] and _one_edit(word, other) for other in words)


def _one_edit(one: str, other: str) -> bool:
    """Whether one letter put in, left out or exchanged turns one into the other."""
    if abs(len(one) - len(other)) > 1:
        return False
    if len(one) > len(other):
        one, other = other, one
    start = next((i for i, letter in enumerate(one) if letter != other[i]), len(one))
    rest = one[start + 1 :] if len(one) == len(other) else one[start:]
    return rest == other[start + 1 :]
