"""Finds what may be digits in a text, however they are written: figures, words, Chinese numerals, look-alikes. Pure."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

ONES = {
    "zero": "0", "nought": "0", "oh": "0", "o": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5",
    "six": "6", "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
TEENS = {
    "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15", "sixteen": "16",
    "seventeen": "17", "eighteen": "18", "nineteen": "19",
}  # fmt: skip
TENS = {
    "twenty": "2", "thirty": "3", "forty": "4", "fourty": "4", "fifty": "5", "sixty": "6", "seventy": "7",
    "eighty": "8", "ninety": "9",
}  # fmt: skip
TIMES = {"double": 2, "triple": 3, "treble": 3}
HANZI = ("〇零○", "一壹幺弌", "二贰貳两兩", "三叁參", "四肆", "五伍", "六陆陸", "七柒", "八捌", "九玖")
_HANZI = {char: str(value) for value, chars in enumerate(HANZI) for char in chars}
_LOOKS = str.maketrans("oli|", "0111")

# The longest first, else "six" would be read in "sixteen".
_WORD = "|".join(sorted((*ONES, *TEENS, *TENS, *TIMES), key=len, reverse=True))
_UNIT = re.compile(
    rf"(?P<figures>(?<![a-z])[ol]{{0,3}}\d(?:[\doli|]*\d)?|\d(?:[\doli|]*\d)?)"
    rf"|(?P<hanzi>[{''.join(_HANZI)}]+)"
    rf"|(?<![a-z])(?P<words>(?:{_WORD})+)(?![a-z])"
)
_TOKEN = re.compile(_WORD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A piece of a number."""

    digits: str
    """What it stands for; "" for a bare "double"."""
    start: int
    """Place in the folded text."""
    end: int
    """Behind it."""
    spelt: bool
    """Whether it is words or Chinese numerals."""
    times: int = 1
    """How often the next digit counts."""
    tens: bool = False
    """Whether a digit may follow in the place of the zero: "twenty" of "twenty-one"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """A text in which every digit of every script is an ASCII digit, in lower case, without invisible characters."""

    text: str
    """As folded."""
    places: tuple[int, ...]
    """Index in the original of every character, and its length at the end."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The same piece of the original, with the invisible characters in it."""
        return self.places[start], self.places[end - 1] + 1 if end > start else self.places[start]


def fold(text: str) -> Folded:
    """Fold a text."""
    found: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        for one in _folded(char):
            found.append(one)
            places.append(place)
    return Folded(text="".join(found), places=(*places, len(text)))


def _folded(char: str) -> str:
    if char.isascii():
        return char.lower()
    if unicodedata.category(char) in {"Cf", "Mn", "Me"}:
        return ""
    value = unicodedata.digit(char, None)
    if value is not None:
        return str(value)
    plain = unicodedata.normalize("NFKC", char).lower()
    return plain if len(plain) == 1 else char


def units(text: str) -> tuple[Unit, ...]:
    """The pieces of numbers in a folded text, in order."""
    return tuple(_combined(_raw(text)))


def _raw(text: str) -> Iterator[Unit]:
    for found in _UNIT.finditer(text):
        start, end = found.span()
        if found["figures"]:
            yield Unit(digits=found[0].translate(_LOOKS), start=start, end=end, spelt=False)
        elif found["hanzi"]:
            yield Unit(digits="".join(_HANZI[char] for char in found[0]), start=start, end=end, spelt=True)
        else:
            for token in _TOKEN.finditer(found[0]):
                yield _word(token[0], start + token.start(), start + token.end())


def _word(word: str, start: int, end: int) -> Unit:
    if word in TIMES:
        return Unit(digits="", start=start, end=end, spelt=True, times=TIMES[word])
    if word in TENS:
        return Unit(digits=TENS[word] + "0", start=start, end=end, spelt=True, tens=True)
    return Unit(digits=ONES.get(word) or TEENS[word], start=start, end=end, spelt=True)


def _combined(raw: Iterator[Unit]) -> Iterator[Unit]:
    """ "Double five" is two fives, "twenty-one" is 21 and not 201."""
    held: Unit | None = None
    for unit in raw:
        if held is None:
            held = unit
            continue
        near = unit.start - held.end <= 2 and len(unit.digits) == 1 and unit.spelt
        if held.times > 1 and unit.start - held.end <= 3 and unit.digits:
            digits = unit.digits[0] * held.times + unit.digits[1:]
            held = Unit(digits=digits, start=held.start, end=unit.end, spelt=True)
        elif held.tens and near and unit.digits != "0":
            held = Unit(digits=held.digits[0] + unit.digits, start=held.start, end=unit.end, spelt=True)
        else:
            yield held
            held = unit
    if held is not None:
        yield held
