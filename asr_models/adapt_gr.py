"""Reads and writes Gr.fst, the n-gram half of a dynamic graph.

In such an automaton a state is a history; its arcs are the words that follow, and one arc without a label leads to the
shorter history. The costs may be scaled (the demo model's are, by 0.7); the scale is found again from the shortest
history, whose probabilities sum to one.
"""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import kaldifst

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


def symbols(path: Path, words: Path) -> dict[str, int]:
    """Word → number, from the model's list of words, or from the table inside Gr.fst where there is no list. Raises
    NotAdaptable."""
    if words.is_file():
        rows = (line.split() for line in words.read_text(encoding="utf-8").splitlines() if line.strip())
        return {row[0]: int(row[1]) for row in rows}
    held = _opened(path)  # owns the table: without it, the table points into freed memory
    table = held.output_symbols
    if table is None:
        raise NotAdaptable(f"{path} names no words, so its language model cannot be changed.")
    return {table.find(number): number for number in range(table.available_key()) if table.find(number)}


def read(path: Path, numbers: Mapping[str, int]) -> Read:
    """The n-gram model in a file. Raises NotAdaptable."""
    states, first = _states(path, {str(number): word for word, number in numbers.items()})
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
    states = {(START,): 0}
    for history in sorted(model.explicit, key=lambda h: (len(h), h)):
        states.setdefault(history, len(states))
    rows = [row for history in states for row in _rows(model, history, states, numbers, scale)]
    compiled = kaldifst.compile("\n".join(rows) + "\n", keep_state_numbering=True)
    kaldifst.arcsort(compiled, "ilabel")
    table = kaldifst.SymbolTable.from_str("".join(f"{word} {number}\n" for word, number in numbers.items()))
    compiled.input_symbols = table
    compiled.output_symbols = table
    if not kaldifst.StdConstFst(compiled).write(str(path)):
        raise OSError(f"{path} could not be written")


def _rows(
    model: NGram, history: History, states: Mapping[History, int], numbers: Mapping[str, int], scale: float
) -> list[str]:
    """The lines of one state, in the text form of OpenFst: from, to, word, word, cost; and, cost for the end."""
    state, rows = states[history], []
    for word, chance in model.explicit.get(history, {}).items():
        cost = -math.log(max(chance, _LEAST)) * scale
        if word == END:
            rows.append(f"{state} {cost:.6g}")
        elif word in numbers:
            number = numbers[word]
            rows.append(f"{state} {states[_known((*history, word), states)]} {number} {number} {cost:.6g}")
    if history:
        cost = -math.log(max(model.backoff.get(history, 1.0), _LEAST)) * scale
        rows.append(f"{state} {states[_known(history[1:], states)]} 0 0 {cost:.6g}")
    return rows


def _known(history: History, states: Mapping[History, int]) -> History:
    """The longest end of a history that is a state."""
    while history not in states:
        history = history[1:]
    return history


def _opened(path: Path) -> Any:
    if not path.is_file():
        raise NotAdaptable(f"{path} is missing: only models with a dynamic graph can be adapted.")
    found = kaldifst.StdFst.read(str(path))
    if found is None:
        raise NotAdaptable(f"{path} is stored in a form that cannot be read here, so the model cannot be adapted.")
    return found


def _states(path: Path, names: Mapping[str, str]) -> tuple[dict[int, _State], int]:
    """All states, and the first one. Without a table of its own, the file prints numbers."""
    found = _opened(path)
    plain = found.output_symbols is None
    states: dict[int, _State] = defaultdict(_State)
    for row in found.to_str(show_weight_one=True, missing_symbol="?").splitlines():
        parts = row.split()
        if len(parts) <= 2:
            states[int(parts[0])].end = float(parts[1]) if len(parts) == 2 else 0.0
        elif parts[2] in ("0", "<eps>"):
            states[int(parts[0])].lower = (int(parts[1]), float(parts[4]))
        else:
            word = names.get(parts[2], "?") if plain else parts[2]
            states[int(parts[0])].arcs.append((word, int(parts[1]), float(parts[4])))
    return states, int(found.start)


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
