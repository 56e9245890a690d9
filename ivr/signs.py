"""What each worker says of itself: one small file a worker, replaced as a whole, with a beat at least once a second."""

import contextlib
import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One worker at one moment."""

    name: str
    """Name of the process, for example "worker-1"."""
    pid: int
    """Its process id."""
    host: str
    """Address on which it takes SIP."""
    port: int
    """Its SIP port; 0 while it stands by."""
    callers: int
    """Callers at once."""
    calls: int
    """Calls in progress."""
    draining: bool
    """Whether new calls must go elsewhere: it stands by, or lets its calls end."""
    standby: bool
    """Whether it waits, loaded, for a place among those that take calls."""
    beat: float
    """When this was written, seconds since the epoch."""
    voices: bool = False
    """Whether every fixed sentence is rendered."""
    pjsua2: str = ""
    """Version of the SIP library; empty while it stands by."""
    recogniser: str = ""
    """Engine and model that hears; empty for none."""


def write(folder: Path, sign: Sign) -> None:
    """Replace the worker's file. Raises OSError; even then the file's time tells that the worker lives."""
    file = folder / f"{sign.name}.json"
    part = folder / f".{sign.name}.part"
    try:
        part.write_text(json.dumps(asdict(sign)), encoding="utf-8")
        part.replace(file)
    except OSError:  # a full disk: an old sign with a new time, or every worker would seem frozen
        with contextlib.suppress(FileNotFoundError):
            os.utime(file)
        raise


def remove(folder: Path, name: str) -> None:
    """The worker is gone."""
    (folder / f"{name}.json").unlink(missing_ok=True)


def remove_dead(folder: Path) -> None:
    """Take away what workers without a process had said: nobody is to be sent there."""
    for one in read_all(folder):
        if not Path(f"/proc/{one.pid}").exists():
            remove(folder, one.name)


def read(file: Path) -> Sign | None:
    """A worker's sign; None where the file is not one."""
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        found["beat"] = file.stat().st_mtime  # newer than its content where the disk is full
        return Sign(**{field.name: found[field.name] for field in fields(Sign) if field.name in found})
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def read_all(folder: Path) -> tuple[Sign, ...]:
    """Every worker that has said something, in the order of their numbers."""
    found = (read(file) for file in folder.glob("worker-*.json"))
    return tuple(sorted((one for one in found if one), key=lambda one: (len(one.name), one.name)))


def taking_calls(signs: tuple[Sign, ...]) -> tuple[Sign, ...]:
    """Those that take new calls."""
    return tuple(one for one in signs if one.port and not one.draining)
