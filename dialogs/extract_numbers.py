"""Numbers, ages, durations and severities out of words or digits."""

import re
from dataclasses import dataclass
from typing import Final

from dialogs.extract import find, tokens
from dialogs.words import Words

HOURS_A_YEAR: Final = 8766.0
OLDEST: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number in the text."""

    value: float
    """What it is worth."""
    start: int
    """Index of its first token."""
    end: int
    """Index after its last token."""
    loose: bool = False
    """True for words like "a" or "few" that are numbers only before a unit."""


def numbers(said: tuple[str, ...], words: Words) -> list[Number]:
    """All numbers from left to right: "forty two", "42", "one hundred and four", "a"."""
    found: list[Number] = []
    index = 0
    while index < len(said):
        number = _number_at(said, index, words)
        if number is None:
            index += 1
            continue
        found.append(number)
        index = number.end
    return found


def _number_at(said: tuple[str, ...], start: int, words: Words) -> Number | None:
    word = said[start]
    if re.fullmatch(r"\d+(?:\.\d+)?", word):
        return Number(value=float(word), start=start, end=start + 1)
    if word in words.numbers:
        return _compound(said, start, words)
    if word in words.loose_numbers:
        return Number(value=words.loose_numbers[word], start=start, end=start + 1, loose=True)
    return None


def _compound(said: tuple[str, ...], start: int, words: Words) -> Number:
    """Tens and ones, and hundreds: the only numbers that ages, severities and durations need."""
    value, end = float(words.numbers[said[start]]), start + 1
    if end < len(said) and words.numbers.get(said[end]) == 100:
        value, end = value * 100, end + 1
        if end + 1 < len(said) and said[end] == "and" and said[end + 1] in words.numbers:
            end += 1
        if end < len(said) and 0 < words.numbers.get(said[end], 0) < 100:
            rest = _compound(said, end, words)
            return Number(value=value + rest.value, start=start, end=rest.end)
    elif 20 <= value < 100 and end < len(said) and 0 < words.numbers.get(said[end], 0) < 10:
        value, end = value + words.numbers[said[end]], end + 1
    return Number(value=value, start=start, end=end)


def severity(text: str, words: Words, *, asked: bool) -> int | None:
    """0 to 10. Unasked, only "seven out of ten", a number alone at the end after words, or plain adjectives count."""
    said = tokens(text)
    found = numbers(said, words)
    for number in (number for number in found if not number.loose):
        if 0 <= number.value <= 10 and _is_severity(said, number, words, asked):
            return round(number.value)
    if asked or find(said, "pain") >= 0 or find(said, "hurts") >= 0 or find(said, "it is") >= 0:
        return _adjective(said, words) or _misheard(said, found, asked)
    return None


def _is_severity(said: tuple[str, ...], number: Number, words: Words, asked: bool) -> bool:
    after = said[number.end :]
    if after and (after[0] in words.old or after[0] in words.units):
        return False
    scale = find(after, "out of") == 0 or find(after, "of ten") == 0
    last = not after and not _preceded(said, number)
    return scale or asked or last


def _misheard(said: tuple[str, ...], found: list[Number], asked: bool) -> int | None:
    """One word alone that sounds like a number: "ate", "for", "to"."""
    return round(found[0].value) if asked and len(said) == 1 and found and found[0].value >= 1 else None


def _preceded(said: tuple[str, ...], number: Number) -> bool:
    """Whether the words before make it an age or a time ("i am seven", "since seven")."""
    return number.start > 0 and said[number.start - 1] in (
        "am",
        "im",
        "is",
        "age",
        "aged",
        "since",
        "at",
        "hes",
        "shes",
    )


def _adjective(said: tuple[str, ...], words: Words) -> int | None:
    hits = [
        (len(phrase.split()), value)
        for value, phrases in words.severities.items()
        for phrase in phrases
        if find(said, phrase) >= 0
    ]
    return max(hits)[1] if hits else None


def duration_hours(text: str, words: Words, *, asked: bool) -> float | None:
    """Hours since it began: "for three days", "since yesterday", "a week ago", "2 weeks". Ages ("three month old")
    are not durations."""
    said = tokens(text)
    measured = _measured(said, words)
    if measured is not None:
        return measured
    hits = [
        (len(phrase.split()), hours)
        for hours, phrases in words.moments.items()
        for phrase in phrases
        if find(said, phrase) >= 0
    ]
    if hits:
        return max(hits)[1]
    if asked and len(said) <= 3:
        plain = [number for number in numbers(said, words) if not number.loose]
        return plain[0].value * 24 if plain else None
    return None


def _measured(said: tuple[str, ...], words: Words) -> float | None:
    for number in numbers(said, words):
        gap = number.end + (said[number.end : number.end + 1] in (("or",), ("full",), ("whole",), ("of",)))
        unit = said[gap : gap + 1]
        if not unit or unit[0] not in words.units:
            continue
        after = said[gap + 1 : gap + 3]
        if (after and after[0] in words.old) or "pregnant" in after or "along" in after or after == ("of", "age"):
            continue
        return number.value * words.units[unit[0]]
    return None


def age_years(text: str, words: Words, *, asked: bool) -> float | None:
    """Age in years: "i'm forty two", "my three month old", "she is 80". A bare number counts only where asked."""
    said = tokens(text)
    for number in numbers(said, words):
        age = _age_of(said, number, words, asked)
        if age is not None and 0 <= age <= OLDEST:
            return age
    for years, phrases in words.age_groups.items():
        if any(find(said, phrase) >= 0 for phrase in phrases if asked or phrase in ("newborn", "new born", "infant")):
            return years
    return None


def _age_of(said: tuple[str, ...], number: Number, words: Words, asked: bool) -> float | None:
    unit = words.units.get(said[number.end]) if number.end < len(said) else None
    old = not words.old.isdisjoint(said[number.end : number.end + 2]) or said[number.end + 1 : number.end + 3] == (
        "of",
        "age",
    )
    before = said[max(0, number.start - 2) : number.start]
    subject = before[-1:] in (("im",), ("hes",), ("shes",), ("aged",), ("age",)) or before in (
        *(("i", "am"), ("he", "is"), ("she", "is"), ("is", "now"), ("age", "is"), ("am", "now"), ("baby", "is")),
        *(("son", "is"), ("daughter", "is"), ("mother", "is"), ("father", "is"), ("it", "is"), ("child", "is")),
    )
    if unit is not None and (old or asked):
        return number.value * unit / HOURS_A_YEAR
    if number.loose or unit is not None:
        return None
    if old or asked:
        return number.value
    rest = said[number.end : number.end + 2]
    if subject and number.value >= 11 and rest[:1] not in (("out",), ("of",), ("percent",), ("degrees",)):
        return number.value
    return None
