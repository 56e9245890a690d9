"""Rebuilds the sound half of a dynamic graph (HCLr.fst) from a model's graph-sources and a list of words.

The sources are those of the bundled model (its card in files/ describes them): phones with word positions, and the
transitions of a one-state CTC topology with a blank. Built as in Kaldi: L with optional silence and disambiguation
symbols, determinised, composed with H; OpenFst's own tool adds the look-ahead, which renumbers the words.
"""

import glob
import json
import os
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kaldifst

from asr_models.adapt_lexicon import Phones
from asr_models.errors import NotAdaptable

SOURCES = "graph-sources"
"""Folder inside a model that brings what is needed."""
UNKNOWN = "[unk]"
ADVICE = "install Debian's libfst-tools to let the model hear new words"
_FILES = ("phones.txt", "lexicon.txt", "transitions.json")
_LIBRARIES = "/usr/lib/*/libfstlookahead.so.*"
_SECONDS = 300.0
_HALF = 0.69
"""Cost of silence, and of none, between words."""
_LINGER = 0.25
"""Cost of a frame of blank after a phone: long silences go to the phone of silence."""
_SILENCE = 1

Entry = tuple[str, Phones]
_Arc = tuple[int, int, int, int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """OpenFst's converter."""

    convert: str
    """Path of fstconvert."""
    library: str
    """Path of the library that knows look-ahead graphs."""


def tools() -> Tools | None:
    """The converter of this machine; None where it is not installed."""
    convert, libraries = shutil.which("fstconvert"), sorted(glob.glob(_LIBRARIES))
    return Tools(convert=convert, library=libraries[-1]) if convert and libraries else None


def rebuildable(model: Path) -> bool:
    """Whether a model brings its graph sources."""
    return all((model / SOURCES / name).is_file() for name in _FILES)


def lexicon(model: Path) -> list[Entry]:
    """The pronunciations that a model brings."""
    rows = (line.split() for line in (model / SOURCES / "lexicon.txt").read_text(encoding="utf-8").splitlines())
    return [(row[0], tuple(row[1:])) for row in rows if len(row) > 1]


def build(model: Path, entries: Sequence[Entry], target: Path, with_tools: Tools) -> dict[str, int]:
    """Write HCLr.fst and lexicon.txt's successor for these entries into a copy of the model; word → number. Entries
    with a phone that the model does not have are left out. Raises NotAdaptable."""
    phones, triples = _sources(model)
    known = {name.partition("_")[0] for name in phones}
    kept = sorted({(word, said) for word, said in entries if said and known.issuperset(said)})
    numbers = {word: place for place, word in enumerate(sorted({word for word, _ in kept}), start=1)}
    spoken, marks = _lexicon_fst(kept, numbers, phones)
    sounds = _topology_fst(triples, range(len(phones), len(phones) + marks + 1))
    composed = kaldifst.compose(sounds, spoken)
    if not composed.num_states:
        raise NotAdaptable(f"The graph of {model.name} came out empty, so the model is left as it is.")
    moved = _look_ahead(composed, target / "graph" / "HCLr.fst", with_tools)
    renumbered = {word: moved.get(number, number) for word, number in numbers.items()}
    # One past the mark of a finished word, which takes a number of its own.
    renumbered[UNKNOWN] = max(moved.values(), default=len(numbers)) + 1
    _keep(kept, renumbered, target)
    return {"<eps>": 0} | renumbered


def _sources(model: Path) -> tuple[dict[str, int], list[list[int]]]:
    folder = model / SOURCES
    try:
        rows = (line.split() for line in (folder / "phones.txt").read_text(encoding="utf-8").splitlines())
        phones = {row[0]: int(row[1]) for row in rows if len(row) == 2}
        triples = json.loads((folder / "transitions.json").read_text(encoding="utf-8"))["triples"]
        return phones, [[int(number) for number in triple] for triple in triples]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotAdaptable(f"The graph sources in {folder} cannot be read: {type(error).__name__}.") from error


def _lexicon_fst(kept: Sequence[Entry], numbers: dict[str, int], phones: dict[str, int]) -> tuple[Any, int]:
    """L, determinised, and how many marks its homophones needed. State 0 is the start, 1 between words, 2 before
    silence."""
    alike = Counter(said for _, said in kept)
    seen: Counter[Phones] = Counter()
    arcs: list[_Arc] = [(0, 1, 0, 0, _HALF), (0, 2, 0, 0, _HALF), (2, 1, _SILENCE, 0, 0.0)]
    fresh = 3
    for word, said in kept:
        row = [phones[name] for name in _placed(said)]
        if alike[said] > 1:
            seen[said] += 1
            row.append(len(phones) + seen[said])
        states = [1, *range(fresh, fresh + len(row) - 1)]
        fresh += len(row) - 1
        out = [numbers[word]] + [0] * (len(row) - 1)
        arcs += [(*pair, row[i], out[i], 0.0) for i, pair in enumerate(zip(states, states[1:], strict=False))]
        arcs += [(states[-1], end, row[-1], out[-1], _HALF) for end in (1, 2)]
    made = _compiled(arcs, final=1)
    kaldifst.arcsort(made, "olabel")
    kaldifst.determinize_star(made)
    kaldifst.arcsort(made, "ilabel")
    return made, max(seen.values(), default=0)


def _topology_fst(triples: Sequence[Sequence[int]], marks: Iterable[int]) -> Any:
    """H: transition numbers in, phones out; marks of homophones vanish."""
    first: dict[tuple[int, int], int] = {}
    number = 1
    for phone, state, _ in triples:
        first[phone, state] = number
        number += 2 if phone == _SILENCE or state else 3
    arcs: list[_Arc] = [(0, 0, 0, mark, 0.0) for mark in marks]
    fresh = 1
    for phone in sorted({phone for phone, _, _ in triples}):
        loop = first[phone, 0]
        leave = loop + (1 if phone == _SILENCE else 2)
        arcs += [(0, fresh, leave, phone, 0.0), (fresh, fresh, loop, 0, 0.0), (fresh, 0, 0, 0, 0.0)]
        fresh += 1
        if phone != _SILENCE:
            blank, held = first[phone, 1], fresh + 1
            arcs += [(0, fresh, loop + 1, phone, 0.0), (fresh, fresh, loop, 0, 0.0), (fresh, held, blank + 1, 0, 0.0)]
            arcs += [(held, held, blank, 0, _LINGER), (held, 0, 0, 0, 0.0)]
            fresh += 2
    made = _compiled(arcs, final=0)
    kaldifst.arcsort(made, "olabel")
    return made


def _placed(said: Phones) -> list[str]:
    """Phones with their place in the word."""
    if len(said) == 1:
        return [f"{said[0]}_S"]
    return [f"{said[0]}_B", *(f"{phone}_I" for phone in said[1:-1]), f"{said[-1]}_E"]


def _compiled(arcs: Iterable[_Arc], final: int) -> Any:
    rows = [f"{a} {b} {label} {out} {cost:g}\n" for a, b, label, out, cost in arcs]
    return kaldifst.compile("".join(rows) + f"{final} 0\n", keep_state_numbering=True)


def _look_ahead(composed: Any, path: Path, with_tools: Tools) -> dict[int, int]:
    """Convert and write the graph; old number → new number of every word."""
    with tempfile.TemporaryDirectory(dir=path.parent) as room:
        plain, pairs = Path(room) / "plain.fst", Path(room) / "pairs"
        composed.write(str(plain))
        command = [with_tools.convert, "--fst_type=olabel_lookahead", f"--save_relabel_opairs={pairs}", plain, path]
        env = {**os.environ, "LD_PRELOAD": with_tools.library}
        done = subprocess.run(command, env=env, capture_output=True, check=False, timeout=_SECONDS)
        if done.returncode or not pairs.is_file():
            raise NotAdaptable(f"fstconvert could not make the look-ahead graph (exit code {done.returncode}).")
        rows = (line.split() for line in pairs.read_text(encoding="ascii").splitlines())
        return {int(row[0]): int(row[1]) for row in rows}


def _keep(kept: Sequence[Entry], numbers: dict[str, int], target: Path) -> None:
    ordered = sorted({"<eps>": 0, **numbers}.items(), key=lambda item: item[1])
    (target / "graph" / "words.txt").write_text("".join(f"{word} {number}\n" for word, number in ordered), "utf-8")
    rows = "".join(f"{word} {' '.join(said)}\n" for word, said in kept)
    (target / SOURCES / "lexicon.txt").write_text(rows, "utf-8")
