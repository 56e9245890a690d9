"""Which calls are placed: a seeded, even sample of the matrix. Pure."""

import random
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

CALLERS: dict[str, dict[str, Any]] = tomllib.loads((Path(__file__).parent / "callers.toml").read_text(encoding="utf-8"))
"""What callers say, by scenario."""
VOICES = (
    "piper", "flite:slt", "flite:rms", "flite:awb", "flite:kal16", "espeak:en-us", "espeak:en-gb", "espeak:en-us+f3",
)  # fmt: skip
RATES = (0.85, 1.0, 1.2)
NOISES: tuple[float | None, ...] = (None, None, 25.0, 20.0, 15.0)
LOSSES = (0, 0, 1, 3)
CODECS = ("PCMU", "PCMA", "G722", "opus")
SCENARIOS = ("heart", "rash", "breath", "ear", "stroke", "rash", "bleeding", "person")
MOST = 400
"""Calls a run places at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One call to be placed."""

    id: int
    """Number in the run."""
    scenario: str
    """Key of callers.toml."""
    words: str
    """First words."""
    voice: str
    """Name for ivr.voices.choose."""
    rate: float
    """Speed of speaking; 1 is the voice's own."""
    noise: float | None
    """Room noise so many dB below the voice; None for a quiet room."""
    loss: int
    """Share of the caller's packets lost, per cent."""
    codec: str
    """The only codec the caller's phone offers."""
    barge: bool
    """Whether the caller speaks over the second question."""

    def as_json(self) -> dict[str, Any]:
        """For another process."""
        return asdict(self)


def sample(count: int, seed: int, fixed: Mapping[str, Sequence[Any]] | None = None) -> tuple[Case, ...]:
    """So many cases in which every value of every dimension is about equally frequent. `fixed` replaces the values of
    a dimension. Raises ValueError outside 1..MOST."""
    if not 1 <= count <= MOST:
        raise ValueError(f"between 1 and {MOST} calls")
    chance = random.Random(seed)
    given = fixed or {}
    dimensions: dict[str, Sequence[Any]] = {
        name: given.get(name) or values
        for name, values in (
            ("scenario", SCENARIOS),
            ("voice", VOICES),
            ("rate", RATES),
            ("noise", NOISES),
            ("loss", LOSSES),
            ("codec", CODECS),
        )  # fmt: skip
    }
    columns = {name: _column(values, count, chance) for name, values in dimensions.items()}
    return tuple(_case(number, {name: column[number] for name, column in columns.items()}) for number in range(count))


def matrix(cases: Sequence[Case], codecs: Sequence[str], losses: Sequence[int]) -> tuple[Case, ...]:
    """The same calls with every codec and every loss, so that nothing else differs between those. Raises ValueError
    above MOST."""
    phones = [(codec, loss) for codec in codecs for loss in losses]
    if len(cases) * len(phones) > MOST:
        raise ValueError(f"{len(cases)} calls with {len(phones)} phones each are more than {MOST}")
    every = [replace(case, codec=codec, loss=loss) for codec, loss in phones for case in cases]
    return tuple(replace(case, id=number) for number, case in enumerate(every))


def _column(values: Sequence[Any], count: int, chance: random.Random) -> list[Any]:
    """The values again and again, each round in another order."""
    column: list[Any] = []
    while len(column) < count:
        column += chance.sample(list(values), len(values))
    return column[:count]


def _case(number: int, picked: dict[str, Any]) -> Case:
    first = CALLERS[picked["scenario"]]["first"]
    barge = picked["scenario"] in ("rash", "ear") and number % 2 == 0
    return Case(id=number, words=first[number % len(first)], barge=barge, **picked)
