"""Takes telephone numbers out of a text that is passed on, and leaves doses, dates and readings alone. Pure.

The two parties' own numbers go wherever their last seven digits appear, in any spelling, with anything between the
digits. Other numbers go where they look like one: seven digits or more in a row that no pattern of `harmless` explains.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from masking.sms.harmless import harmless
from masking.sms.units import Folded, Unit, fold, units
from masking.spellings import SHORT, Spelling, spellings

HIDDEN = "[number hidden]"
ADDRESS = "[address hidden]"
SHORTEST = 7
"""Digits that make a number of a row of them; after a plus one less."""
FAR = 16
"""Characters between two digits of one of the parties' own numbers."""

_ADDRESS = re.compile(r"[\w.+\-]+\s?@\s?[\w\-]+(?:\.[\w\-]+)+")
_JOINS = re.compile(r"[\s\-./()\[\]_+·•*~|:;=\u2010-\u2015\uff0d\u3001]{0,4}")
_COMMA = re.compile(r"[\s,，]{1,3}")
_FILLER = re.compile(r"\s*(?:dash|hyphen|minus|dot|space|slash|then|plus)\s*")
_TOKEN = re.compile(r"[A-Za-z0-9+/_=%\\\-]")
_ENCODED = frozenset({"base64", "base64url", "hex", "hex integer", "url", "integer", "packed decimal"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """A text that may cross."""

    text: str
    """Without numbers."""
    hidden: int
    """How many pieces were taken out."""


def redact_text(text: str, own: Sequence[str]) -> Redacted:
    """`own`: the parties' numbers, E.164. Raises ValueError where one is none."""
    folded = fold(text)
    found = units(folded.text)
    spans = [*_addresses(text)]
    spans += [(*folded.span(*span), HIDDEN) for number in own for span in _own(folded, found, number)]
    spans += [(start, end, HIDDEN) for number in own for start, end in _spelt(text, number)]
    spans += [(*folded.span(*span), HIDDEN) for span in _rows(folded.text, found)]
    return _without(text, spans)


def _without(text: str, spans: Sequence[tuple[int, int, str]]) -> Redacted:
    parts: list[str] = []
    at = hidden = 0
    for start, end, instead in _merged(spans):
        parts += [text[at:start], instead]
        at, hidden = end, hidden + 1
    return Redacted(text="".join([*parts, text[at:]]), hidden=hidden)


def _merged(spans: Sequence[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
    held: tuple[int, int, str] | None = None
    for span in sorted(span for span in spans if span[0] < span[1]):
        if held is not None and span[0] <= held[1]:
            held = (held[0], max(held[1], span[1]), held[2])
            continue
        if held is not None:
            yield held
        held = span
    if held is not None:
        yield held


def _addresses(text: str) -> Iterator[tuple[int, int, str]]:
    for found in _ADDRESS.finditer(text):
        yield (*found.span(), ADDRESS)


def _own(folded: Folded, found: Sequence[Unit], number: str) -> Iterator[tuple[int, int]]:
    """Where the last seven digits are, forwards or backwards, whatever stands between them."""
    tail = number[-min(SHORT) :]
    for chain in _chains(found):
        digits = "".join(unit.digits for unit in chain)
        owner = [unit for unit in chain for _ in unit.digits]
        for wanted in {tail, tail[::-1]}:
            at = digits.find(wanted)
            while at >= 0:
                yield _grown(chain, owner[at], owner[at + len(tail) - 1])
                at = digits.find(wanted, at + 1)


def _chains(found: Sequence[Unit]) -> Iterator[list[Unit]]:
    chain: list[Unit] = []
    for unit in found:
        if chain and unit.start - chain[-1].end > FAR:
            yield chain
            chain = []
        chain.append(unit)
    yield chain


def _grown(chain: list[Unit], first: Unit, last: Unit) -> tuple[int, int]:
    """With what stands close by: area and country code would be left alone there."""
    low, high = chain.index(first), chain.index(last)
    while low > 0 and chain[low].start - chain[low - 1].end <= 3 and len(chain[low - 1].digits) <= 4:
        low -= 1
    while high + 1 < len(chain) and chain[high + 1].start - chain[high].end <= 1:
        high += 1
    return chain[low].start, chain[high].end


def _spelt(text: str, number: str) -> Iterator[tuple[int, int]]:
    """Every other spelling: base64, hexadecimal, reversed and so on."""
    blob = text.encode(errors="replace")
    for spelling in spellings(number):
        for start, end in _hits(spelling, blob):
            first = len(blob[:start].decode(errors="ignore"))
            last = max(first + 1, len(blob[:end].decode(errors="ignore")))
            if spelling.name in _ENCODED:  # what is left of the token would still hold the rest of the number
                while first > 0 and _TOKEN.fullmatch(text[first - 1]):
                    first -= 1
                while last < len(text) and _TOKEN.fullmatch(text[last]):
                    last += 1
            yield first, last


def _hits(spelling: Spelling, blob: bytes) -> Iterator[tuple[int, int]]:
    offsets = set(spelling.find(blob))
    for found in spelling.pattern.finditer(blob):
        if found.start() in offsets:
            yield found.span()


def _rows(text: str, found: Sequence[Unit]) -> Iterator[tuple[int, int]]:
    """Rows of digits that look like a number."""
    safe = sorted(harmless(text))
    row: list[Unit] = []
    for unit in found:
        if any(start < unit.end and unit.start < end for start, end in safe):
            yield from _number(text, row)
            row = []
        elif row and not _joined(text, row[-1], unit):
            yield from _number(text, row)
            row = [unit]
        else:
            row.append(unit)
    yield from _number(text, row)


def _number(text: str, row: Sequence[Unit]) -> Iterator[tuple[int, int]]:
    digits = "".join(unit.digits for unit in row)
    if not digits.strip("0"):
        return
    start = row[0].start
    plus = text[:start].rstrip(" (").endswith("+")
    if len(digits) >= SHORTEST - plus:
        if plus:
            start = text.rindex("+", 0, start)
        elif start > 0 and text[start - 1] == "(":
            start -= 1
        yield start, row[-1].end


def _joined(text: str, one: Unit, other: Unit) -> bool:
    gap = text[one.end : other.start]
    if "\n" in gap and not (one.spelt and other.spelt) and max(len(one.digits), len(other.digits)) < 4:
        return False  # readings, one a line
    if _JOINS.fullmatch(gap) or _FILLER.fullmatch(gap):
        return True
    single = min(len(one.digits), len(other.digits)) <= 1 or one.spelt or other.spelt
    return single and _COMMA.fullmatch(gap) is not None
