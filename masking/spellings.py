"""Every way in which a telephone number may be written down in bytes.

A spelling is a pattern over bytes. The last seven digits of a number stand for it: whoever knows the town has the rest.
So that seven digits in a row of others are no false alarm, short forms must stand alone; long ones count anywhere.
"""

import base64
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import phonenumbers

SHORT = (8, 7)
"""Lengths of the tails that are looked for."""
UNMISTAKABLE = 9
"""Digits from which on a form counts wherever it stands."""

WORDS: tuple[tuple[str, ...], ...] = (
    ("zero", "oh", "o"),
    ("one",),
    ("two",),
    ("three",),
    ("four",),
    ("five",),
    ("six",),
    ("seven",),
    ("eight",),
    ("nine",),
)
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
TEENS = (
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
CHINESE = ("〇零洞", "一壹幺", "二贰两", "三叁", "四肆", "五伍", "六陆", "七柒拐", "八捌", "九玖勾")
"""Numerals, those of banks, and those that are spoken so that none is misheard."""
SCRIPTS = (0x0660, 0x06F0, 0x0966)
"""Zeros of Arabic, Persian and Devanagari digits."""

_GAP = rb"(?:[ \t\-./()_+]|\xc2\xa0|%2[0-9A-Fa-f]|&nbsp;){0,3}"
_HEX_GAP = rb"(?:00|[ :,]|\\x|0x|2[0-9A-Fa-f]){0,4}"
_WIDE_GAPS = {"utf-8": rb"(?:[ \-]|\xe3\x80[\x80\x81]|\xef\xbc\x8d){0,2}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """One way of writing one number."""

    name: str
    """Kind, for example "digits" or "base64"."""
    pattern: "re.Pattern[bytes]"
    """Begins with a literal where possible: the search is then a fast scan."""
    alone: bool = False
    """Whether no digit may stand directly before or after."""
    parted: bool = False
    """Whether bare digits are left to another spelling."""

    def find(self, blob: bytes) -> Iterator[int]:
        """Offsets of the spelling."""
        for found in self.pattern.finditer(blob):
            touched = self.alone and (_is_digit(blob, found.start() - 1) or _is_digit(blob, found.end()))
            if not touched and not (self.parted and found[0].isdigit()):
                yield found.start()


@dataclass(frozen=True, slots=True, kw_only=True)
class Forms:
    """The digits to look for."""

    long: tuple[str, ...]
    """Count anywhere."""
    short: tuple[str, ...]
    """Count only where they stand alone."""
    tail: str
    """The last seven digits."""
    tails: tuple[bytes, ...]
    """The same with the separators that people put in."""
    whole: str
    """Country code and national number."""


def forms(number: str) -> Forms:
    """The forms of an E.164 number. Raises ValueError for anything else; the message does not hold it."""
    if not re.fullmatch(r"\+[1-9]\d{6,14}", number):
        raise ValueError("a number to look for must be in E.164 form")
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        raise ValueError("a number to look for must have a known country code") from None
    national = phonenumbers.national_significant_number(parsed)
    whole = number[1:]
    # The trunk zero, 00, 011 and a dial-out nine need no form of their own: they only stand in front of a long one.
    every = {whole, national, *(national[-size:] for size in SHORT)}
    return Forms(
        long=tuple(sorted(one for one in every if len(one) >= UNMISTAKABLE)),
        short=tuple(sorted(one for one in every if min(SHORT) <= len(one) < UNMISTAKABLE)),
        tail=whole[-min(SHORT) :],
        tails=tuple(sorted({whole[-min(SHORT) :].encode(), *_written_tails(parsed)})),
        whole=whole,
    )


def spellings(number: str) -> tuple[Spelling, ...]:
    """All spellings of an E.164 number but digit words, which `spoken` reads. Raises ValueError."""
    about = forms(number)
    found: list[Spelling] = []
    for alone, digits in [(False, one) for one in about.long] + [(True, one) for one in about.short]:
        found += _digits(digits, alone)
    found += _wide(about.tail)
    found += _encoded(about)
    found += _packed(about)
    return tuple(found)


_SINGLE = {word: str(value) for value, words in enumerate(WORDS) for word in words}
_TEEN = {word: str(value) for value, word in enumerate(TEENS, 10)}
_TEN = {word: str(value) for value, word in enumerate(TENS, 2)}
_TIMES = {"double": 2, "triple": 3}
# The longest first, else "one" would be read as "o" and "sixty" as "six".
_ANY_WORD = "|".join(sorted((*_SINGLE, *_TEEN, *_TEN, *_TIMES), key=len, reverse=True))
# Without IGNORECASE, which would make the search several times slower: the text is folded first.
_SPOKEN = re.compile(rf"(?:{_ANY_WORD})(?:(?:[\s,.+_\-]|%20|and ){{0,3}}(?:{_ANY_WORD})){{3,}}".encode())
_TOKEN = re.compile(_ANY_WORD.encode())


def spoken(blob: bytes) -> Iterator[tuple[int, str]]:
    """Runs of English number words, with "double" and "triple": offset and digits. "twenty five" is told as 25 and,
    where that differs, once more as 205."""
    for run in _SPOKEN.finditer(blob.lower()):
        words = [token.decode() for token in _TOKEN.findall(run[0])]
        for digits in dict.fromkeys((_read(words, joined=True), _read(words, joined=False))):
            yield run.start(), digits


def _read(words: Sequence[str], *, joined: bool) -> str:
    """`joined`: a ten takes the digit that follows instead of its zero."""
    digits, times = "", 1
    for place, word in enumerate(words):
        if word in _TIMES:
            times = _TIMES[word]
            continue
        following = _SINGLE.get(words[place + 1], "0") if place + 1 < len(words) else "0"
        zero = "" if joined and following != "0" else "0"
        value = _SINGLE.get(word) or _TEEN.get(word) or _TEN[word] + zero
        digits, times = digits + value * times, 1
    return digits


def _is_digit(blob: bytes, at: int) -> bool:
    return 0 <= at < len(blob) and 0x30 <= blob[at] <= 0x39


def _join(digits: str, atom: Callable[[str], bytes], gap: bytes) -> "re.Pattern[bytes]":
    return re.compile(gap.join(atom(digit) for digit in digits))


def _digits(digits: str, alone: bool) -> Iterator[Spelling]:
    """Plain, separated and reversed (ENUM, RFC 6116, writes numbers backwards with dots)."""
    yield Spelling(name="digits", pattern=_join(digits, str.encode, b""), alone=alone)
    yield Spelling(name="separated", pattern=_join(digits, str.encode, _GAP), alone=alone, parted=True)
    yield Spelling(name="reversed", pattern=_join(digits[::-1], str.encode, _GAP), alone=alone)
    yield Spelling(name="url", pattern=_join(digits, lambda digit: b"%3" + digit.encode(), _GAP))


def _wide(tail: str) -> Iterator[Spelling]:
    """Full-width digits and Chinese numerals, in UTF-8 and both UTF-16."""
    for codec in ("utf-8", "utf-16-le", "utf-16-be"):
        gap = _WIDE_GAPS.get(codec, b"")
        full = {digit: re.escape(chr(0xFF10 + int(digit)).encode(codec)) for digit in tail}
        yield Spelling(name="full-width", pattern=_join(tail, full.__getitem__, gap))
        hanzi = {digit: _either([char.encode(codec) for char in CHINESE[int(digit)]]) for digit in tail}
        yield Spelling(name="chinese", pattern=_join(tail, hanzi.__getitem__, gap))
    for zero in SCRIPTS:
        other = {digit: chr(zero + int(digit)).encode() for digit in tail}
        yield Spelling(name="other script", pattern=_join(tail, other.__getitem__, _WIDE_GAPS["utf-8"]))
    yield Spelling(name="escaped", pattern=_join(tail, _escaped, _GAP))


def _escaped(digit: str) -> bytes:
    """As JSON, HTML and quoted-printable write characters by their number, full-width and Chinese ones included."""
    wide = [f"{ord(char):04x}" for char in (*CHINESE[int(digit)], chr(0xFF10 + int(digit)), digit)]
    points = "|".join(rf"[\\%][uU]{point}|&#[xX]0*{point.lstrip('0')};|&#0*{int(point, 16)};" for point in wide)
    return f"(?:(?i:{points})|=3{digit}|\\\\[xX]3{digit})".encode()


def _encoded(about: Forms) -> Iterator[Spelling]:
    """Base64 in three alignments and both alphabets, and hexadecimal."""
    yield Spelling(name="hex", pattern=_join(about.tail, lambda digit: b"3" + digit.encode(), _HEX_GAP))
    plain = {one for tail in about.tails for text in (tail, tail.decode().encode("utf-16-le")) for one in _base64(text)}
    for one in sorted(plain):
        yield Spelling(name="base64", pattern=re.compile(re.escape(one)))
        url = one.translate(bytes.maketrans(b"+/", b"-_"))
        if url != one:
            yield Spelling(name="base64url", pattern=re.compile(re.escape(url)))


def _packed(about: Forms) -> Iterator[Spelling]:
    """As a binary or hexadecimal integer (an INTEGER column, a struct) and as packed decimal, two digits a byte."""
    for digits in about.long:
        value = int(digits)
        raw = value.to_bytes((value.bit_length() + 7) // 8)
        yield Spelling(name="hex integer", pattern=re.compile(f"{value:x}|{value:X}".encode()))
        if len(raw) >= 5:
            yield Spelling(name="integer", pattern=re.compile(_either([raw, raw[::-1]])))
    if len(about.whole) >= 10:
        last = about.whole[-10:]
        swapped = "".join(last[at + 1] + last[at] for at in range(0, 10, 2))
        both = _either([bytes.fromhex(last), bytes.fromhex(swapped)])
        yield Spelling(name="packed decimal", pattern=re.compile(both))


def _either(options: Sequence[bytes]) -> bytes:
    return b"(?:" + b"|".join(re.escape(option) for option in options) + b")"


def _base64(text: bytes) -> Iterator[bytes]:
    """What of the text's base64 is the same whatever stands before and after it, for three alignments."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + text)
        yield encoded[(0, 2, 3)[before] : (before + len(text)) * 8 // 6]


def _written_tails(parsed: phonenumbers.PhoneNumber) -> Iterator[bytes]:
    """The last seven digits as the country writes them, and with other separators."""
    for style in (phonenumbers.PhoneNumberFormat.INTERNATIONAL, phonenumbers.PhoneNumberFormat.NATIONAL):
        text = phonenumbers.format_number(parsed, style)
        starts = [at for at, char in enumerate(text) if char.isdigit()]
        tail = text[starts[-min(SHORT)] :]
        for separator in " -.":
            yield re.sub(r"\D", separator, tail).encode()
