"""Which complaints a text names, though the recogniser misheard it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from dialogs.extract import find, negated, tokens
from dialogs.knowledge_base import OTHER, RANK, KnowledgeBase
from dialogs.words import Words

FEWEST: Final = 4
"""Consonants that a phrase must have to be known by its sound: shorter ones are alike by chance."""
MOST: Final = 3
"""Complaints kept of one utterance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A complaint named in a text."""

    complaint: str
    """Its name."""
    start: int
    """Index of the first token."""
    words: int
    """Length in tokens."""


def complaints(text: str, kb: KnowledgeBase, language: str, words: Words, *, sounds: bool = True) -> tuple[str, ...]:
    """Complaints named, the main one first: the gravest, then the longest phrase, then the first said. Negated ones
    are left out. Sounds are compared only where no phrase was found, and not at all without `sounds`."""
    said = tokens(text)
    mentions = _strongest(list(_exact(said, kb, language, words)))
    if sounds and not mentions:
        mentions = list(_heard_alike(said, kb, language, words))
    order = sorted(mentions, key=lambda item: (-RANK[kb.complaints[item.complaint].level], -item.words, item.start))
    return tuple(dict.fromkeys(mention.complaint for mention in order))[:MOST]


def _exact(said: tuple[str, ...], kb: KnowledgeBase, language: str, words: Words) -> Iterator[Mention]:
    for complaint in kb.complaints.values():
        for phrase in (*complaint.phrases.get(language, ()), *complaint.sounds_like.get(language, ())):
            start = find(said, phrase)
            if start >= 0 and not negated(said, start, words):
                yield Mention(complaint=complaint.id, start=start, words=len(phrase.split()))


def _strongest(mentions: list[Mention]) -> list[Mention]:
    """Without those that lie inside a longer mention of another complaint ("stomach flu" is not "flu")."""
    return [
        mention
        for mention in mentions
        if not any(
            other.complaint != mention.complaint
            and other.words > mention.words
            and other.start <= mention.start
            and mention.start + mention.words <= other.start + other.words
            for other in mentions
        )
    ]


def _heard_alike(said: tuple[str, ...], kb: KnowledgeBase, language: str, words: Words) -> Iterator[Mention]:
    """Nothing for administrative words and denials: there a resemblance is chance."""
    if not any(find(said, phrase) >= 0 for phrase in (*words.administrative, *words.negations)):
        yield from _alike(said, kb, language, words)


def _alike(said: tuple[str, ...], kb: KnowledgeBase, language: str, words: Words) -> Iterator[Mention]:
    """The one phrase whose consonants fit best. Numbers and times are no complaints."""
    time = {*words.numbers, *words.units}
    best: tuple[int, Mention] | None = None
    for start in range(len(said)):
        for width in range(1, min(5, len(said) - start) + 1):
            window = said[start : start + width]
            sound = skeleton("".join(window))
            if len(sound) < FEWEST or not time.isdisjoint(window):
                continue
            for name, phrase_sound in _sounds(kb, language):
                faults = _faults(sound, phrase_sound)
                if faults is not None and (best is None or faults - len(sound) < best[0]):
                    best = faults - len(sound), Mention(complaint=name, start=start, words=width)
    if best is not None:
        yield best[1]


def _faults(one: str, other: str) -> int | None:
    """Consonants wrong, missing or too many: none up to five, one up to eight, two beyond; None where it is more."""
    allowed = 0 if len(other) < 6 else 1 if len(other) < 9 else 2
    if allowed == 0 or abs(len(one) - len(other)) > allowed:
        return 0 if one == other else None
    row = list(range(len(other) + 1))
    for index, letter in enumerate(one, 1):
        above, row = row, [index, *row[1:]]
        for place, wanted in enumerate(other, 1):
            row[place] = min(above[place] + 1, row[place - 1] + 1, above[place - 1] + (letter != wanted))
    return row[-1] if row[-1] <= allowed else None


@lru_cache(maxsize=8)
def _sounds_of(phrases: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    sounds = ((name, skeleton(phrase)) for name, phrase in phrases)
    return tuple((name, sound) for name, sound in sounds if len(sound) >= FEWEST)


def _sounds(kb: KnowledgeBase, language: str) -> tuple[tuple[str, str], ...]:
    return _sounds_of(
        tuple(
            (complaint.id, phrase)
            for complaint in kb.complaints.values()
            if complaint.id != OTHER
            for phrase in complaint.phrases.get(language, ())
        )
    )


@lru_cache(maxsize=4096)
def skeleton(text: str) -> str:
    """The sounds that recognisers rarely get wrong: consonants in classes, doubled ones once, no vowels.

    "tighten us in my chest" and "tightness in my chest" become the same.
    """
    text = text.replace(" ", "").replace("'", "")
    for pattern, sound in _SOUNDS:
        text = re.sub(pattern, sound, text)
    return re.sub(r"(.)\1+", r"\1", text)


_SOUNDS: Final = (
    (r"tch|ch|sh|sch|tion|ge\b", "X"),
    (r"ph|gh(?=t)|ff", "F"),
    (r"igh|gh", ""),
    (r"ck|c(?=[aoukrlt])|k|q|x", "K"),
    (r"c|s|z", "S"),
    (r"th|t|d", "T"),
    (r"b|p", "P"),
    (r"f|v", "F"),
    (r"g|j", "J"),
    (r"m|n", "N"),
    (r"l", "L"),
    (r"r", "R"),
    (r"h|w|y", ""),
    (r"[^XFKSTPJNLR]", ""),
)
