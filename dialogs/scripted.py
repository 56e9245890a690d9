"""A Dialogue that says what it was told to say, fails or hangs on demand: for tests and rehearsals."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from dialogs.port import DialogueUnavailable, Heard, Turn


class Trouble(Enum):
    """What a scripted dialogue does instead of answering."""

    FAIL = auto()
    """Raise DialogueUnavailable."""
    HANG = auto()
    """Never answer."""


Line: TypeAlias = Turn | Trouble


@dataclass(slots=True)
class _Reading:
    """One conversation's place in the script."""

    next: int = 0


class ScriptedDialogue:
    """Turns in order, for every call from the top; the last one is said again and again."""

    def __init__(self, script: Sequence[Line]) -> None:
        """The first line answers `start`. Raises ValueError for an empty script."""
        if not script:
            raise ValueError("a scripted dialogue needs at least one turn")
        self._script = tuple(script)
        self._readings: dict[str, _Reading] = {}
        self.received: list[tuple[str, str]] = []
        """What came in: ("start", language), ("hear", words), ("press", digit), ("end", "")."""

    async def start(self, call: str, language: str) -> Turn:
        """The first line."""
        self.received.append(("start", language))
        self._readings[call] = _Reading()
        return await self._read(call)

    async def hear(self, call: str, heard: Heard) -> Turn:
        """The next line."""
        self.received.append(("hear", heard.text))
        return await self._read(call)

    async def press(self, call: str, digit: str) -> Turn:
        """The next line."""
        self.received.append(("press", digit))
        return await self._read(call)

    async def end(self, call: str) -> None:
        """Forget the place."""
        self.received.append(("end", ""))
        self._readings.pop(call, None)

    async def _read(self, call: str) -> Turn:
        """The line at the call's place."""
        if call not in self._readings:
            raise DialogueUnavailable("the script was not started for this call")
        reading = self._readings[call]
        line = self._script[min(reading.next, len(self._script) - 1)]
        reading.next += 1
        if line is Trouble.HANG:
            await asyncio.Event().wait()
        if not isinstance(line, Turn):
            raise DialogueUnavailable("the script says so")
        return line
