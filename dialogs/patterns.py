"""Word patterns as data, found fast in an utterance. Pure.

A pattern is a row of words with a little grammar:

    chest                 this word                         can_not              these words, one after the other
    arm|leg|{limb}        one of these; {limb} is a class   ?my                  perhaps this
    ..                    up to 3 words in between          ..5                  up to 5
    ~                     either order, up to 3 between     ~5                   either order, up to 5

A gap of at most 5 words does not reach across a word like "but"; a longer one does. A word outside the recogniser's
grammar ("[unk]") is a word in a gap like any other.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations, product

from dialogs.spoken import Spoken, Words

GAP = re.compile(r"(\.\.|~)(\d*)")
NEAR = 5
"""The longest gap, in words, that a "but" closes."""
USUAL_GAP = 3
"""Words that a gap without a number allows."""

Classes = Mapping[str, tuple[str, ...]]


class PatternError(ValueError):
    """A pattern that cannot be read: empty, an unknown class, a gap with nothing on one side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One slot of a pattern."""

    gap: int
    """Words allowed between the slot before and this one; 0 means adjacent."""
    options: Mapping[str, tuple[tuple[str, ...], ...]]
    """First word → what must follow it, for every way to fill the slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Slots in order. Optional words and free order are already written out."""

    steps: tuple[Step, ...]
    """At least one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Where a pattern was found."""

    parts: tuple[tuple[int, int], ...]
    """Runs of adjacent matched words as (first, one past the last)."""

    @property
    def start(self) -> int:
        """First word matched."""
        return self.parts[0][0]

    @property
    def end(self) -> int:
        """One past the last word matched."""
        return self.parts[-1][1]


def compile_pattern(text: str, classes: Classes, spoken: Spoken) -> tuple[Pattern, ...]:
    """Every plain pattern that `text` stands for. Raises PatternError."""
    chunks: list[list[str]] = [[]]
    between: list[str] = []
    for piece in text.split():
        if piece.startswith("~"):
            between.append(piece)
            chunks.append([])
        else:
            chunks[-1].append(piece)
    if not all(chunks):
        raise PatternError(f"pattern {text!r}: nothing on one side of a gap")
    widest = max((_width(piece) for piece in between), default=0)
    found: list[Pattern] = []
    for order in permutations(chunks):
        pieces = list(order[0])
        for chunk in order[1:]:
            pieces += [f"..{widest}", *chunk]
        found.extend(_plain(text, pieces, classes, spoken))
    return tuple(found)


def _width(piece: str) -> int:
    """The number of a gap."""
    found = GAP.fullmatch(piece)
    if found is None:
        raise PatternError(f"not a gap: {piece!r}")
    return int(found.group(2)) if found.group(2) else USUAL_GAP


def _plain(text: str, pieces: list[str], classes: Classes, spoken: Spoken) -> Iterator[Pattern]:
    """Patterns with every "?word" once there and once not."""
    choices = [((piece[1:],), ()) if piece.startswith("?") else ((piece,),) for piece in pieces]
    for chosen in product(*choices):
        steps: list[Step] = []
        gap = 0
        for piece in (piece for some in chosen for piece in some):
            if piece.startswith(".."):
                gap = _width(piece)
            else:
                steps.append(Step(gap=gap, options=_options(text, piece, classes, spoken)))
                gap = 0
        if not steps or gap:
            raise PatternError(f"pattern {text!r}: begins or ends with a gap, or is empty")
        yield Pattern(steps=tuple(steps))


def _options(text: str, piece: str, classes: Classes, spoken: Spoken) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """What a slot accepts, by first word."""
    options: dict[str, tuple[tuple[str, ...], ...]] = {}
    for name in piece.split("|"):
        if name.startswith("{") and name.strip("{}") not in classes:
            raise PatternError(f"pattern {text!r}: no class {name}")
        phrases = classes[name.strip("{}")] if name.startswith("{") else (name.replace("_", " "),)
        for phrase in phrases:
            tokens = spoken.words(phrase).tokens
            if not tokens:
                raise PatternError(f"pattern {text!r}: an empty alternative")
            options[tokens[0]] = (*options.get(tokens[0], ()), tokens[1:])
    return options


class PatternIndex:
    """Many patterns, each with an owner; only those whose rarest slot occurs are tried."""

    def __init__(self, entries: Iterable[tuple[str, Pattern]], breaks: frozenset[str] = frozenset()) -> None:
        """`breaks` are the words that a short gap does not cross."""
        self._entries = tuple(entries)
        self._breaks = breaks
        self._anchors: dict[str, list[int]] = {}
        for number, (_, pattern) in enumerate(self._entries):
            anchor = min(pattern.steps, key=lambda step: len(step.options))
            for word in anchor.options:
                self._anchors.setdefault(word, []).append(number)

    def find(self, words: Words) -> Iterator[tuple[str, Span]]:
        """Every owner and place found, in the order in which the patterns were given."""
        present = set(words.tokens)
        numbers = {number for word in present for number in self._anchors.get(word, ())}
        for number in sorted(numbers):
            owner, pattern = self._entries[number]
            if all(not step.options.keys().isdisjoint(present) for step in pattern.steps):
                for span in self._places(pattern, words.tokens):
                    yield owner, span

    def _places(self, pattern: Pattern, tokens: tuple[str, ...]) -> Iterator[Span]:
        """Where a pattern occurs."""
        first = pattern.steps[0]
        for start in [place for place, token in enumerate(tokens) if token in first.options]:
            for end in _fills(first, tokens, start):
                for parts in self._rest(pattern.steps, 1, tokens, ((start, end),)):
                    yield Span(parts=parts)

    def _rest(
        self, steps: tuple[Step, ...], number: int, tokens: tuple[str, ...], parts: tuple[tuple[int, int], ...]
    ) -> Iterator[tuple[tuple[int, int], ...]]:
        """Ways to fill the remaining slots after `parts`."""
        if number == len(steps):
            yield parts
            return
        step, end = steps[number], parts[-1][1]
        for start in range(end, min(end + step.gap + 1, len(tokens))):
            for stop in _fills(step, tokens, start):
                joined = (*parts[:-1], (parts[-1][0], stop)) if start == end else (*parts, (start, stop))
                yield from self._rest(steps, number + 1, tokens, joined)
            if step.gap <= NEAR and tokens[start] in self._breaks:
                return


def _fills(step: Step, tokens: tuple[str, ...], start: int) -> Iterator[int]:
    """Ends of the ways in which `step` accepts the words from `start`."""
    for rest in step.options.get(tokens[start], ()):
        end = start + 1 + len(rest)
        if tokens[start + 1 : end] == rest:
            yield end
