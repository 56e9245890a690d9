"""What takes a danger word back: a negation in front of it, or a time long past. Pure.

The scope is kept narrow on purpose. A negation reaches a matched word only across words that carry it on ("no sign of",
"do not have any"), so that anything unforeseen in between leaves the danger standing: doubt goes to a human.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dialogs.patterns import PatternIndex, Span
from dialogs.spoken import Words

HISTORY_REACH = 8
"""Words between a danger and the word that puts it long ago."""
CHAIN_REACH = 10
"""Words of an enumeration ("no fever, cough or chest pain") that a negation reaches across."""
REPRIEVE_REACH = 3
"""Words after a danger in which "like this" turns "never" around."""
SETTLED = 4
"""Words that must follow a past tense in a partial before it counts: they may yet be "ten years ago"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Negation:
    """How one language says no."""

    plain: frozenset[str]
    """Negators of nouns: "no", "without"."""
    plain_through: frozenset[str]
    """Words that carry these on: "sign", "of"."""
    verbal: frozenset[str]
    """Negators of verbs: "not", "never"."""
    verbal_through: frozenset[str]
    """Words that carry these on: "have", "any"."""
    inverted: frozenset[str]
    """Words which, right after a negator, make it no negation: "is not it", "not only"."""
    chain: frozenset[str]
    """Words of enumerations: "or"."""
    chain_stops: frozenset[str]
    """Words that no enumeration crosses: "but", "i", "whether"."""
    reprieve: frozenset[str]
    """Words after the danger that turn a negation of the past around: "never had such pain BEFORE"."""

    def denies(self, words: Words, span: Span) -> bool:
        """Whether a negation governs any part of the span."""
        floor = 0
        for start, end in span.parts:
            if self._governed(words, start, floor) and not self._reprieved(words, span):
                return True
            floor = end
        return False

    def _governed(self, words: Words, start: int, floor: int) -> bool:
        """Whether walking left from `start` meets a negator before anything that stops it."""
        plain = verbal = True
        for place in range(start - 1, floor - 1, -1):
            token = words.tokens[place]
            if place + 1 in words.stops:
                return False
            if token in self.plain and plain:
                return True
            if token in self.verbal and verbal:
                return words.tokens[place + 1] not in self.inverted
            if token in self.chain:
                return self._chained(words, place, floor)
            plain = plain and token in self.plain_through
            verbal = verbal and token in self.verbal_through
            if not (plain or verbal):
                return False
        return False

    def _chained(self, words: Words, place: int, floor: int) -> bool:
        """Whether an enumeration that "or" continues began with a negator."""
        for back in range(place - 1, max(floor, place - CHAIN_REACH) - 1, -1):
            token = words.tokens[back]
            if token in self.chain_stops or back + 1 in words.stops:
                return False
            if token in self.plain or token in self.verbal:
                return words.tokens[back + 1] not in self.inverted
        return False

    def _reprieved(self, words: Words, span: Span) -> bool:
        """Whether the words right after turn the negation around."""
        return not self.reprieve.isdisjoint(words.tokens[span.end : span.end + REPRIEVE_REACH])


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """How one language says that something was long ago."""

    markers: PatternIndex
    """Owners "after": puts what stands before it in the past ("ten years ago"), "before": what follows ("history of"),
    "around": both ("last year")."""
    present: frozenset[str]
    """Words that make it present again wherever they stand: "now", "worse"."""
    breaks: frozenset[str]
    """Words that no marker reaches across: "but", "and"."""
    past: frozenset[str]
    """Verbs of the past: "had"."""
    past_through: frozenset[str]
    """Words between these and the danger: "a"."""

    def found(self, words: Words) -> Iterator[tuple[str, Span]]:
        """Markers in the words, to be handed to `excuses`."""
        if self.present.isdisjoint(words.tokens):
            yield from self.markers.find(words)

    def excuses(self, words: Words, span: Span, markers: Iterable[tuple[str, Span]]) -> bool:
        """Whether the danger is clearly history."""
        return any(self._reaches(owner, marker, words, span) for owner, marker in markers)

    def open(self, words: Words, span: Span) -> bool:
        """Whether a partial transcript may yet turn out to tell history: a past tense with little after it."""
        if len(words.tokens) - span.end >= SETTLED or not self.present.isdisjoint(words.tokens):
            return False
        for place in range(span.start, -1, -1):
            if words.tokens[place] in self.past:
                return True
            if place < span.start and words.tokens[place] not in self.past_through:
                return False
        return False

    def _reaches(self, owner: str, marker: Span, words: Words, span: Span) -> bool:
        """Whether a marker's arm is long enough and nothing breaks it."""
        if owner != "before" and span.end <= marker.start:
            between = range(span.end, marker.start)
        elif owner != "after" and marker.end <= span.start:
            between = range(marker.end, span.start)
        else:
            return marker.start < span.end and span.start < marker.end
        return len(between) <= HISTORY_REACH and not any(
            words.tokens[place] in self.breaks or place in words.stops for place in between
        )
