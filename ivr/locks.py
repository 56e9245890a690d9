"""Locks of the kernel by which the processes of one machine know of each other.

A lock on an open file (flock) ends with its process, however that ends: no heartbeat is as quick, and none is as sure.
"""

import fcntl
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

_LETTERS = "bcdfghjkmnpqrstvwxz"


class Life:
    """The sign that this process lives, under a name that no other process ever had."""

    def __init__(self, folder: Path, name: str) -> None:
        """`folder` is made where it is missing. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        self.id = f"{name}.{''.join(secrets.choice(_LETTERS) for _ in range(10))}"
        self._file = folder / self.id
        hidden = folder / f".{self.id}"  # locked before others may see it: they take an unlocked one for dead
        self._descriptor = os.open(hidden, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        hidden.rename(self._file)

    def touch(self) -> None:
        """Note the time: who finds this process dead knows since when. Raises OSError."""
        os.utime(self._file)

    def close(self) -> None:
        """An orderly end: nobody needs to look after this process."""
        self._file.unlink(missing_ok=True)
        os.close(self._descriptor)


def census(folder: Path) -> tuple[frozenset[str], Mapping[str, float]]:
    """Ids of the processes that live, and of those that died without a farewell, with the time of their last sign in
    seconds since the epoch. Raises OSError."""
    living: set[str] = set()
    dead: dict[str, float] = {}
    for file in folder.glob("[!.]*"):
        try:
            descriptor = os.open(file, os.O_RDONLY)
        except FileNotFoundError:
            continue  # said farewell, or was buried by another one
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            dead[file.name] = os.fstat(descriptor).st_mtime
        except BlockingIOError:
            living.add(file.name)
        finally:
            os.close(descriptor)
    return frozenset(living), dead


def bury(folder: Path, id: str) -> None:
    """Forget a dead process, after everything it left was taken over."""
    (folder / id).unlink(missing_ok=True)


class Slot:
    """One of the places for processes that take calls; whoever holds it is active."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def free(self) -> None:
        """Let the next process have it; twice is fine."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def take_slot(folder: Path, count: int) -> Slot | None:
    """A free slot out of so many; None where all are held. Raises OSError."""
    for number in range(1, count + 1):
        descriptor = os.open(folder / f"slot-{number}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        return Slot(descriptor)
    return None
