"""The file in which a worker says once a second what is going on in it, and how such files are read."""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

EVERY_SECONDS = 1.0
"""How often a worker writes."""


def file_of(run: Path, worker: str) -> Path:
    """Where a worker writes; `run`: folder of the running hotline."""
    return run / f"live-{worker}.json"


def write(file: Path, told: dict[str, Any]) -> None:
    """In one step, readable by the owner only. Raises OSError."""
    part = file.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        json.dump(told, out)
    part.replace(file)


def read(run: Path) -> Iterator[dict[str, Any]]:
    """What the workers said last, in the order of their names' numbers; with "alive": whether the process is there. A
    file that cannot be read is left out: its worker is ending, or writes the next one in a second."""
    for file in sorted(run.glob("live-*.json"), key=lambda one: (len(one.name), one.name)):
        with suppress(OSError, ValueError):
            told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            alive = _alive(told["pid"], told["born"])
            yield {**told, "alive": alive, "calls": told["calls"] if alive else []}


def _alive(pid: int, born: int) -> bool:
    """Whether this very process is there: its number may have gone to another."""
    return birth(pid) == born


def birth(pid: int) -> int:
    """When a process began, in clock ticks since boot (proc(5), stat, field 22): unlike a time of day it does not move
    when the clock is set. 0 where there is no such process."""
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
    return 0
