"""Rebuilds the sound half of a dynamic graph (HCLr.fst) from a model's graph-sources and a list of words.

The sources are those of the bundled model (its card in files/ describes them): phones with word positions, and the
transitions of a one-state CTC topology with a blank. The result is what Kaldi's way (L with optional silence and
disambiguation symbols, determinised, composed with H) gives; OpenFst's own tool adds the look-ahead, which renumbers
the words.
"""

import glob
import json
import os
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from asr_models import fst_file
from asr_models.adapt_lexicon import Phones
from asr_models.errors import NotAdaptable
from asr_models.fst_file import Arc

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """OpenFst's converter."""

    convert: str
    """Path of fstconvert."""
    library: str
    """Path of the library that knows look-ahead graphs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sound:
    """The transitions of a phone in one place of a word."""

    loop: int
    """Stays in the first state; the next numbers lead to the blank (not for silence) and out."""
    blank: int = 0
    """Stays in the blank; the next number leads out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """From one state of the tree to another."""

    phone: int
    """What must be heard; 0 for nothing."""
    word: int
    """What is told; 0 for nothing."""
    cost: float
    """Added."""
    after: int
    """Next state."""


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
    phones, sounds = _sources(model)
    known = {name.partition("_")[0] for name in phones}
    kept = sorted({(word, said) for word, said in entries if said and known.issuperset(said)})
    numbers = {word: place for place, word in enumerate(sorted({word for word, _ in kept}), start=1)}
    arcs = _with_sounds(_tree(kept, numbers, phones), sounds)
    moved = _look_ahead(arcs, target / "graph" / "HCLr.fst", with_tools)
    renumbered = {word: moved.get(number, number) for word, number in numbers.items()}
    # Past the mark of a finished word, which takes a number of its own.
    renumbered[UNKNOWN] = max(moved.values(), default=len(numbers)) + 1
    _keep(kept, renumbered, target)
    return {"<eps>": 0} | renumbered


def _sources(model: Path) -> tuple[dict[str, int], dict[int, "_Sound"]]:
    folder = model / SOURCES
    try:
        rows = (line.split() for line in (folder / "phones.txt").read_text(encoding="utf-8").splitlines())
        phones = {row[0]: int(row[1]) for row in rows if len(row) == 2}
        triples = json.loads((folder / "transitions.json").read_text(encoding="utf-8"))["triples"]
        return phones, _sounds([(int(phone), int(state)) for phone, state, _ in triples])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotAdaptable(f"The graph sources in {folder} cannot be read: {type(error).__name__}.") from error


def _sounds(states: Iterable[tuple[int, int]]) -> dict[int, "_Sound"]:
    """Transition numbers count from 1: silence has a loop and a way out; a phone's first state a loop, a way to its
    blank and a way out, and its blank a loop and a way out."""
    found: dict[int, _Sound] = {}
    number = 1
    for phone, state in states:
        if state:
            found[phone] = replace(found[phone], blank=number)
        else:
            found[phone] = _Sound(loop=number)
        number += 2 if phone == _SILENCE or state else 3
    return found


def _tree(kept: Sequence[Entry], numbers: Mapping[str, int], phones: Mapping[str, int]) -> list[list[_Step]]:
    """The words as a tree of phones, with silence or none between them: steps by state. State 0 is the start, 1 comes
    after a word, 2 after silence. A word is told as soon as the phones leave no other; words that sound alike are told
    by steps without a phone, after the last one. (The same as Kaldi's lexicon, determinised: places in the word make
    that a tree.)"""
    words: dict[Phones, set[int]] = defaultdict(set)
    below: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for word, said in kept:
        row = tuple(_placed(said))
        words[row].add(numbers[word])
        for length in range(1, len(row) + 1):
            below[row[:length]].add(numbers[word])
    state = {prefix: place for place, prefix in enumerate((p for p in below if len(below[p]) > 1 or p not in words), 3)}
    steps: list[list[_Step]] = [[] for _ in range(3 + len(state))]
    for prefix, reached in below.items():
        fresh = len(reached) == 1 and (len(prefix) == 1 or len(below[prefix[:-1]]) > 1)
        told = next(iter(reached)) if fresh else 0
        whole = prefix in words and len(reached) == 1
        cost, after = (_HALF, 1) if whole else (0.0, state[prefix])
        step = _Step(phone=phones[prefix[-1]], word=told, cost=cost, after=after)
        for origin in (0, 1, 2) if len(prefix) == 1 else (state[prefix[:-1]],):
            steps[origin].append(replace(step, cost=step.cost + _HALF) if origin == 0 else step)
        if prefix in words and not whole:
            steps[state[prefix]] += [_Step(phone=0, word=word, cost=_HALF, after=1) for word in sorted(words[prefix])]
    steps[0].append(_Step(phone=_SILENCE, word=0, cost=_HALF, after=2))
    steps[1].append(_Step(phone=_SILENCE, word=0, cost=0.0, after=2))
    return steps


def _with_sounds(steps: Sequence[Sequence[_Step]], sounds: Mapping[int, _Sound]) -> list[list[Arc]]:
    """Every phone replaced by its transitions. What follows a phone is shared by all steps with that phone and end."""
    arcs: list[list[Arc]] = [[] for _ in steps]
    shared: dict[tuple[int, int, bool], int] = {}

    def inside(phone: int, after: int, with_blank: bool) -> int:
        key = (phone, after, with_blank)
        if key not in shared:
            sound, here = sounds[phone], len(arcs)
            shared[key] = here
            arcs.append([(sound.loop, 0, 0.0, here)])
            if with_blank:
                arcs[here].append((sound.blank + 1, 0, 0.0, here + 1))
                arcs.append([(sound.blank, 0, _LINGER, here + 1)])
            arcs[-1].append((0, 0, 0.0, after))
        return shared[key]

    for state, row in enumerate(steps):
        for step in row:
            if not step.phone:
                arcs[state].append((0, step.word, step.cost, step.after))
                continue
            loop = sounds[step.phone].loop
            out = loop + (1 if step.phone == _SILENCE else 2)
            arcs[state].append((out, step.word, step.cost, inside(step.phone, step.after, False)))
            if step.phone != _SILENCE:
                arcs[state].append((loop + 1, step.word, step.cost, inside(step.phone, step.after, True)))
    return arcs


def _placed(said: Phones) -> list[str]:
    """Phones with their place in the word."""
    if len(said) == 1:
        return [f"{said[0]}_S"]
    return [f"{said[0]}_B", *(f"{phone}_I" for phone in said[1:-1]), f"{said[-1]}_E"]


def _look_ahead(arcs: list[list[Arc]], path: Path, with_tools: Tools) -> dict[int, int]:
    """Convert and write the graph; old number → new number of every word."""
    with tempfile.TemporaryDirectory(dir=path.parent) as room:
        plain, pairs = Path(room) / "plain.fst", Path(room) / "pairs"
        fst_file.write(plain, arcs, {0: _HALF, 1: 0.0, 2: 0.0})
        command = [with_tools.convert, "--fst_type=olabel_lookahead", f"--save_relabel_opairs={pairs}"]
        env = {**os.environ, "LD_PRELOAD": with_tools.library}
        done = subprocess.run(
            [*command, str(plain), str(path)], env=env, capture_output=True, check=False, timeout=_SECONDS
        )
        if done.returncode or not pairs.is_file():
            raise NotAdaptable(f"fstconvert could not make the look-ahead graph (exit code {done.returncode}).")
        rows = (line.split() for line in pairs.read_text(encoding="ascii").splitlines())
        return {int(row[0]): int(row[1]) for row in rows}


def _keep(kept: Sequence[Entry], numbers: dict[str, int], target: Path) -> None:
    ordered = sorted({"<eps>": 0, **numbers}.items(), key=lambda item: item[1])
    (target / "graph" / "words.txt").write_text("".join(f"{word} {number}\n" for word, number in ordered), "utf-8")
    rows = "".join(f"{word} {' '.join(said)}\n" for word, said in kept)
    (target / SOURCES / "lexicon.txt").write_text(rows, "utf-8")
