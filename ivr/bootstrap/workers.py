"""`triageline workers`: who takes calls, and replacing workers without cutting one."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from ivr import locks, signs
from ivr.bootstrap.places import Places
from ivr.bootstrap.post import RETIRE
from ivr.signs import Sign
from ivr.supervise import SuperviseError

POLL_SECONDS = 0.2
SUCCESSOR_SECONDS = 60.0
"""Longest wait for the replaced worker to be loaded again; a large recognition model takes a minute."""
PROGRESS_SECONDS = 15.0
"""How often is told that calls are waited for."""

Tell = Callable[[str], None]


def listing(where: Places) -> str:
    """One line a worker."""
    found = running(where)
    if not found:
        return "no worker is running; start the hotline with scripts/run"
    return "\n".join(
        f"{one.name:<12} {_doing(one):<11} {one.calls:>4} of {one.callers} calls  process {one.pid}" for one in found
    )


def _doing(one: Sign) -> str:
    if one.standby:
        return "stands by"
    return "draining" if one.draining else "takes calls"


def running(where: Places) -> tuple[Sign, ...]:
    """Workers that live: the kernel knows."""
    living, _ = locks.census(where.lives)
    names = {id.rpartition(".")[0] for id in living}
    return tuple(one for one in signs.read_all(where.run) if one.name in names and is_worker(one))


def is_worker(one: Sign) -> bool:
    """Whether this process id is still that worker's: a signal to a stranger would be worse than none."""
    try:
        words = Path(f"/proc/{one.pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"worker" in words and one.name.encode() in words


def restart(where: Places, name: str | None, tell: Tell, *, seconds: float) -> int:
    """Replace one worker, or all one after the other; 1 where calls lasted longer than `seconds`. Raises
    SuperviseError."""
    found = running(where)
    if not found:
        raise SuperviseError("no worker is running; start the hotline with scripts/run")
    chosen = [one for one in found if name in (None, one.name)]
    if not chosen:
        raise SuperviseError(f'there is no worker {name}; "triageline workers list" shows them')
    # Those that stand by first: what takes over then is new already.
    for one in sorted(chosen, key=lambda one: not one.standby):
        if not _replace(where, one.name, tell, seconds):
            return 1
    return 0


def _replace(where: Places, name: str, tell: Tell, seconds: float) -> bool:
    one = next((sign for sign in running(where) if sign.name == name), None)
    if one is None:
        tell(f"{name} is being started anyway")
        return _await_successor(where, name, 0, tell)
    os.kill(one.pid, RETIRE)
    tell(f"{name} takes no new calls" + (f"; {one.calls} in progress may end" if one.calls else ""))
    until, told = time.monotonic() + seconds, time.monotonic()
    while is_worker(one):
        if time.monotonic() > until:
            tell(f"{name} still has calls; it is replaced when they end, and nothing else was touched")
            return False
        if time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            left = signs.read(where.run / f"{name}.json")
            tell(f"{name} waits for {left.calls if left else one.calls} calls")
        time.sleep(POLL_SECONDS)
    return _await_successor(where, name, one.pid, tell)


def _await_successor(where: Places, name: str, before: int, tell: Tell) -> bool:
    until = time.monotonic() + SUCCESSOR_SECONDS
    while time.monotonic() < until:
        new = next((sign for sign in running(where) if sign.name == name and sign.pid != before), None)
        if new is not None and new.voices:
            tell(f"{name} is new: process {new.pid}")
            return True
        time.sleep(POLL_SECONDS)
    raise SuperviseError(f"{name} did not come back; see {where.log}/{name}.log")
