"""Reads and writes Gr.fst, the n-gram half of a dynamic graph.

In such an automaton a state is a history; its arcs are the words that follow, and one arc without a label leads to the
shorter history. The costs may be scaled (the demo model's are, by 0.7); the scale is found again from the shortest
history, whose probabilities sum to one.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from asr_models import fst_file
from asr_models.adapt_ngram import END, START, History, NGram
from asr_models.errors import NotAdaptable

_LEAST = 1e-12
"""The smallest probability written, so that no cost is infinite."""


@dataclass(slots=True)
class _State:
    """A history as the file has it."""

    arcs: list[tuple[str, int, float]] = field(default_factory=list)
    """Word, next state, cost."""
    lower: tuple[int, float] | None = None
    """State of the shorter history, and the cost of going there."""
    end: float | None = None
    """Cost of ending the sentence here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a Gr.fst held."""

    model: NGram
    """Its probabilities."""
    scale: float
    """What its costs were multiplied by."""


def symbols(path: Path, words: Path | None) -> dict[str, int]:
    """Word → number, from the model's list of words, or from the table inside Gr.fst where there is no list. Raises
    NotAdaptable."""
    if words is not None and words.is_file():
        rows = (line.split() for line in words.read_text(encoding="utf-8").splitlines() if line.strip())
        return {row[0]: int(row[1]) for row in rows}
    table = dict(fst_file.read(path).words)
    if not table:
        raise NotAdaptable(f"{path} names no words, so its language model cannot be changed.")
    return table


def read(path: Path, numbers: Mapping[str, int]) -> Read:
    """The n-gram model in a file. Raises NotAdaptable."""
    states, first = _states(path, {number: word for word, number in numbers.items()})
    lowest = first
    while (lower := states[lowest].lower) is not None:
        lowest = lower[0]
    scale = _scale(states[lowest], path)
    model = NGram()
    for state, history in _histories(states, first, lowest).items():
        here = states[state]
        known = {word: math.exp(-cost / scale) for word, _, cost in here.arcs}
        if here.end is not None:
            known[END] = math.exp(-here.end / scale)
        if known or not history:
            model.explicit[history] = known
            model.backoff.update({history: math.exp(-here.lower[1] / scale)} if here.lower else {})
    return Read(model=model, scale=scale)


def write(model: NGram, numbers: Mapping[str, int], scale: float, path: Path) -> None:
    """Write a model. Words without a number are left out; both sides carry the table of words, as Vosk wants it."""
    states: dict[History, int] = {(START,): 0}
    for history in sorted(model.explicit, key=lambda h: (len(h), h)):
        states.setdefault(history, len(states))
    arcs = [_arcs(model, history, states, numbers, scale) for history in states]
    ends = {
        state: _cost(model.explicit[history][END], scale)
        for history, state in states.items()
        if END in model.explicit.get(history, {})
    }
    fst_file.write(path, arcs, ends, numbers)


def _arcs(
    model: NGram, history: History, states: Mapping[History, int], numbers: Mapping[str, int], scale: float
) -> list[fst_file.Arc]:
    """The arcs of one state: the words that follow, and the way to the shorter history."""
    arcs = []
    for word, chance in model.explicit.get(history, {}).items():
        if word != END and word in numbers:
            after = states[_known((*history, word), states)]
            arcs.append((numbers[word], numbers[word], _cost(chance, scale), after))
    if history:
        arcs.append((0, 0, _cost(model.backoff.get(history, 1.0), scale), states[_known(history[1:], states)]))
    return arcs


def _cost(chance: float, scale: float) -> float:
    return -math.log(max(chance, _LEAST)) * scale


def _known(history: History, states: Mapping[History, int]) -> History:
    """The longest end of a history that is a state."""
    while history not in states:
        history = history[1:]
    return history


def _states(path: Path, names: Mapping[int, str]) -> tuple[dict[int, _State], int]:
    """All states, and the first one."""
    if not path.is_file():
        raise NotAdaptable(f"{path} is missing: only models with a dynamic graph can be adapted.")
    found = fst_file.read(path)
    arcs = found.arcs.tolist()
    states: dict[int, _State] = {}
    for number, (end, first, count, _, _) in enumerate(found.states.tolist()):
        state = states[number] = _State(end=end if math.isfinite(end) else None)
        for label, _, cost, after in arcs[first : first + count]:
            if label:
                state.arcs.append((names.get(label, "?"), after, cost))
            else:
                state.lower = (after, cost)
    return states, found.start


def _scale(lowest: _State, path: Path) -> float:
    """What makes the probabilities of single words sum to one, by halving."""
    costs = [cost for _, _, cost in lowest.arcs] + ([lowest.end] if lowest.end is not None else [])
    small, large = 0.01, 100.0
    if len(costs) < 2 or sum(math.exp(-cost / large) for cost in costs) < 1.0:
        raise NotAdaptable(f"{path} is not an n-gram model with back-off, so it cannot be adapted.")
    for _ in range(60):
        middle = (small + large) / 2
        if sum(math.exp(-cost / middle) for cost in costs) > 1.0:
            large = middle
        else:
            small = middle
    return small


def _histories(states: Mapping[int, _State], first: int, lowest: int) -> dict[int, History]:
    """What was said before each state, shorter ones first: a state that no shorter history leads to is that history and
    the word."""
    found: dict[int, History] = {lowest: (), first: (START,)}
    queue = [lowest, first]
    for state in queue:
        for word, after, _ in states[state].arcs:
            if after not in found:
                found[after] = (*found[state], word)
                queue.append(after)
    return found
