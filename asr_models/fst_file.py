"""Reads and writes OpenFst's "const" files: a table of states, a table of arcs, and perhaps tables of words.

Done here because OpenFst itself cannot be loaded twice into a process, and Vosk carries its own copy: loading both
hangs. The layout is that of openfst's fst.cc, const-fst.h and symbol-table.cc.
"""

import io
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from asr_models.errors import NotAdaptable

STATE = np.dtype([("end", "<f4"), ("first", "<u4"), ("arcs", "<u4"), ("in_empty", "<u4"), ("out_empty", "<u4")])
"""Cost of ending here (infinite: never), place of the first arc, number of arcs, and of those with no label."""
ARC = np.dtype([("word_in", "<i4"), ("word_out", "<i4"), ("cost", "<f4"), ("after", "<i4")])
NEVER = float("inf")

_FST, _SYMBOLS = 2125659606, 2125658996
_IN, _OUT, _ALIGNED = 1, 2, 4
_VERSION = 2
_EXPANDED, _SORTED = 0x1, 0x10000000
"""Property bits: expanded; arcs sorted by input label. What is not claimed, OpenFst computes where it needs it."""

Arc = tuple[int, int, float, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fst:
    """An automaton in memory."""

    start: int
    """First state."""
    states: npt.NDArray[Any]
    """Rows of STATE."""
    arcs: npt.NDArray[Any]
    """Rows of ARC, state by state."""
    words: Mapping[str, int]
    """The table of output words; empty where the file has none."""


def read(path: Path) -> Fst:
    """The automaton in a file. Raises NotAdaptable, OSError."""
    data = path.read_bytes()
    try:
        return _parsed(io.BytesIO(data))
    except (struct.error, ValueError, UnicodeDecodeError) as error:
        raise NotAdaptable(f"{path} is no OpenFst file of the const type, so the model cannot be adapted.") from error


def write(path: Path, arcs: list[list[Arc]], ends: Mapping[int, float], words: Mapping[str, int] | None = None) -> None:
    """Write an automaton that starts at state 0: arcs by state (input, output, cost, next state), which are sorted by
    input, and the states where it may end. `words` becomes both tables of words."""
    states = np.zeros(len(arcs), STATE)
    flat = np.array([arc for row in arcs for arc in sorted(row)], ARC)
    states["end"] = [ends.get(state, NEVER) for state in range(len(arcs))]
    states["arcs"] = counts = np.array([len(row) for row in arcs], np.uint32)
    states["first"] = np.cumsum(counts) - counts
    states["in_empty"] = [sum(arc[0] == 0 for arc in row) for row in arcs]
    states["out_empty"] = [sum(arc[1] == 0 for arc in row) for row in arcs]
    flags = _IN | _OUT if words else 0
    with path.open("xb") as file:
        file.write(struct.pack("<i", _FST) + _text("const") + _text("standard"))
        file.write(struct.pack("<iiQqqq", _VERSION, flags, _EXPANDED | _SORTED, 0, len(arcs), len(flat)))
        for _ in range(2 if words else 0):
            _write_words(file, words or {})
        file.write(states.tobytes() + flat.tobytes())


def _parsed(file: BinaryIO) -> Fst:
    if _number(file, "<i") != _FST or _read_text(file) != "const" or _read_text(file) != "standard":
        raise ValueError("kind")
    _, flags, _, start, states, arcs = struct.unpack("<iiQqqq", file.read(40))
    tables = [_read_words(file) for bit in (_IN, _OUT) if flags & bit]
    if flags & _ALIGNED:
        raise ValueError("aligned")
    return Fst(
        start=start,
        states=np.frombuffer(file.read(states * STATE.itemsize), STATE, states),
        arcs=np.frombuffer(file.read(arcs * ARC.itemsize), ARC, arcs),
        words=tables[-1] if flags & _OUT else {},
    )


def _read_words(file: BinaryIO) -> dict[str, int]:
    if _number(file, "<i") != _SYMBOLS:
        raise ValueError("words")
    _read_text(file)
    _number(file, "<q")
    return {_read_text(file): _number(file, "<q") for _ in range(_number(file, "<q"))}


def _write_words(file: BinaryIO, words: Mapping[str, int]) -> None:
    file.write(struct.pack("<i", _SYMBOLS) + _text("words") + struct.pack("<qq", max(words.values()) + 1, len(words)))
    file.write(b"".join(_text(word) + struct.pack("<q", number) for word, number in words.items()))


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<i", len(data)) + data


def _read_text(file: BinaryIO) -> str:
    return file.read(_number(file, "<i")).decode()


def _number(file: BinaryIO, kind: str) -> int:
    return int(struct.unpack(kind, file.read(struct.calcsize(kind)))[0])
