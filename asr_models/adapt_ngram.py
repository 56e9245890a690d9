"""Backed-off n-gram models: estimated from sentences, and mixed with one another. Pure.

Estimation is Witten and Bell's (IEEE Trans. Inf. Theory 37(4), 1991, method C) in its interpolated form: it needs no
counts of counts, which text made of templates distorts, and it takes a sentence's repetition as its weight.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

History = tuple[str, ...]

START = "<s>"
END = "</s>"
ORDER = 3
_TINY = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class NGram:
    """A model p(word | history); a history that is not listed stands for itself without its oldest word."""

    explicit: dict[History, dict[str, float]] = field(default_factory=dict)
    """History → word → probability. The empty history is always there, and holds every word."""
    backoff: dict[History, float] = field(default_factory=dict)
    """Factor on the shorter history's probability, for words that are not explicit; none for the empty history."""

    def p(self, word: str, history: History) -> float:
        """Probability of a word; 0 for one that the model does not hold."""
        factor = 1.0
        while True:
            found = self.explicit.get(history)
            if found is not None:
                if word in found:
                    return factor * found[word]
                factor *= self.backoff.get(history, 1.0)
            if not history:
                return 0.0
            history = history[1:]

    def vocabulary(self) -> set[str]:
        """All words, without the marks of a sentence."""
        return set(self.explicit[()]) - {START, END}


def estimate(sentences: Iterable[Sequence[str]], order: int = ORDER) -> NGram:
    """The model of sentences of words. An empty word stands for one that cannot be heard: what touches it is not
    counted. Without any sentence, the model holds only the end of a sentence."""
    counts: dict[History, Counter[str]] = defaultdict(Counter)
    for sentence in sentences:
        _count(counts, (START, *sentence, END), order)
    if not counts:
        return NGram(explicit={(): {END: 1.0}})
    model = NGram()
    for history in sorted(counts, key=len):
        seen = counts[history]
        total, kinds = seen.total(), len(seen)
        spare = kinds / (total + kinds) if history else 0.0
        share = (1.0 - spare) / total
        lower = history[1:]
        model.explicit[history] = {
            word: count * share + (spare * model.p(word, lower) if history else 0.0) for word, count in seen.items()
        }
        if history:
            model.backoff[history] = spare
    return model


def mix(one: NGram, other: NGram, share: float) -> NGram:
    """`share` of one and the rest of the other, for every history that either holds; back-off anew, so that the
    probabilities after each history sum to one."""
    mixed = NGram()
    for history in sorted(one.explicit.keys() | other.explicit.keys(), key=len):
        held = one.explicit.get(history, {}).keys() | other.explicit.get(history, {}).keys()
        mixed.explicit[history] = {
            word: share * one.p(word, history) + (1.0 - share) * other.p(word, history) for word in sorted(held)
        }
        if history:
            mixed.backoff[history] = _backoff(mixed, history)
    return mixed


def _count(counts: dict[History, Counter[str]], marked: Sequence[str], order: int) -> None:
    for place in range(1, len(marked)):
        for length in range(min(order - 1, place) + 1):
            history = tuple(marked[place - length : place])
            if marked[place] and all(history):
                counts[history][marked[place]] += 1


def _backoff(model: NGram, history: History) -> float:
    """What makes the words after a history sum to one."""
    held = model.explicit[history]
    left = max(_TINY, 1.0 - sum(held.values()))
    below = max(_TINY, 1.0 - sum(model.p(word, history[1:]) for word in held))
    return left / below
