"""Facts out of words, without a model: answers, ages, durations, severities, complaints, findings.

Everything works on tokens: lower case, apostrophes dropped ("dont"). Recognisers mishear, so complaints are also found
by the skeleton of their consonants ("each he rash" is "itchy rash").
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from dialogs.facts import Finding, Who
from dialogs.words import Words

NEGATION_REACH: Final = 4
"""Words that a negation reaches over."""
_TOKEN: Final = re.compile(r"\d+(?:\.\d+)?|[a-z]+|\[unk\]")


def tokens(text: str) -> tuple[str, ...]:
    """Lower-case words and numbers; apostrophes vanish, all other marks separate; "[unk]" is dropped."""
    clean = text.lower().replace("'", "").replace("\u2019", "")
    return tuple(token for token in _TOKEN.findall(clean) if token != "[unk]")


def find(words: tuple[str, ...], phrase: str) -> int:
    """Index of the first occurrence of a phrase in the tokens, or -1."""
    parts = tuple(phrase.replace("'", "").split())
    for start in range(len(words) - len(parts) + 1):
        if words[start : start + len(parts)] == parts:
            return start
    return -1


def longest(words: tuple[str, ...], phrases: Iterable[str]) -> int:
    """Number of words of the longest phrase that occurs; 0 for none."""
    return max((len(phrase.split()) for phrase in phrases if find(words, phrase) >= 0), default=0)


def yes_no(text: str, words: Words) -> Finding | None:
    """Yes, no or "I don't know" in lay forms; the longest phrase decides, and a tie is no answer.

    "no i think it is" starts with a no but means yes: contradictions of equal weight give None, so that the question
    is asked again. Source: promise of the hotline that unclear never counts as no.
    """
    said = tokens(text)
    if not said:
        return None
    lengths = {answer: longest(said, phrases) for answer, phrases in words.answers.items()}
    best = max(lengths.values())
    if best == 0:
        return None
    winners = [answer for answer, length in lengths.items() if length == best]
    if len(winners) > 1:
        return None
    winner = winners[0]
    if winner is Finding.ABSENT and _contradicts(said, words):
        return None
    return winner


def _contradicts(said: tuple[str, ...], words: Words) -> bool:
    """A clear "yes" beside the "no"."""
    return any(find(said, clear) >= 0 for clear in words.answers[Finding.PRESENT][:4])


def negated(words: tuple[str, ...], start: int, vocabulary: Words) -> bool:
    """Whether a phrase that starts at this index stands under a negation within reach."""
    before = words[max(0, start - NEGATION_REACH) : start]
    for index in range(len(before) - 1, -1, -1):
        if before[index] in vocabulary.stops:
            before = before[index + 1 :]
            break
    return any(find(before, negation) >= 0 for negation in vocabulary.negations)


def person(text: str, words: Words) -> Who | None:
    """For whom the caller speaks; somebody else beats "me" ("it is not me, it is my son")."""
    said = tokens(text)
    for who in (Who.CHILD, Who.OTHER, Who.SELF):
        if any(find(said, phrase) >= 0 for phrase in words.persons[who]):
            return who
    return None


def administrative(text: str, words: Words) -> bool:
    """Whether the words ask for something that is not medical."""
    said = tokens(text)
    return any(find(said, phrase) >= 0 for phrase in words.administrative)


def findings(
    text: str, catalogue: Mapping[str, Mapping[str, tuple[str, ...]]], language: str, words: Words
) -> dict[str, Finding]:
    """Findings mentioned unasked, present or negated. A finding said both ways is present."""
    said = tokens(text)
    found: dict[str, Finding] = {}
    for name, phrases in catalogue.items():
        for phrase in phrases.get(language, ()):
            start = find(said, phrase)
            if start < 0:
                continue
            no = negated(said, start, words) and not _negative_phrase(phrase)
            if not no or name not in found:
                found[name] = Finding.ABSENT if no else Finding.PRESENT
    return found


def _negative_phrase(phrase: str) -> bool:
    """Phrases like "not feeding" carry their own negation; one more before them is rare and must not hide a danger."""
    return phrase.split()[0] in ("cannot", "not", "cant", "can't", "will", "wont", "won't", "no")


def modifiers(
    text: str, catalogue: Mapping[str, Mapping[str, tuple[str, ...]]], language: str, words: Words
) -> set[str]:
    """Conditions mentioned that raise the level, not negated."""
    return {name for name, value in findings(text, catalogue, language, words).items() if value is Finding.PRESENT}
