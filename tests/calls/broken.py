"""Parts that fail or hang, and parts that note in which order things happen: for calls in which something breaks."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from ivr.lines.wav import WavLine
from ivr.ports import Sink
from records.memory import MemoryJournal
from records.port import Entry, JournalUnavailable


class Bug(RuntimeError):
    """A mistake that nobody foresaw."""


@dataclass(slots=True)
class SlowJournal:
    """A journal that never answers."""

    inner: MemoryJournal = field(default_factory=MemoryJournal)

    async def append(self, entry: Entry) -> None:
        """Hangs."""
        await asyncio.Event().wait()

    async def read(self, call: str) -> tuple[Entry, ...]:
        """As inside."""
        return await self.inner.read(call)

    async def close_call(self, call: str, at: float, outcome: str) -> None:
        """Hangs."""
        await asyncio.Event().wait()

    async def list(self, limit: int = 50) -> Any:
        """As inside."""
        return await self.inner.list(limit)


class BrokenJournal(SlowJournal):
    """A journal that always fails."""

    async def append(self, entry: Entry) -> None:
        """Raises JournalUnavailable."""
        raise JournalUnavailable

    async def close_call(self, call: str, at: float, outcome: str) -> None:
        """Raises JournalUnavailable."""
        raise JournalUnavailable


@dataclass(slots=True)
class Order:
    """What was journalled and what was done, in one list."""

    seen: list[str] = field(default_factory=list)


class NotingJournal(MemoryJournal):
    """Writes into the order, a little late, as a disk does."""

    def __init__(self, order: Order) -> None:
        super().__init__()
        self._order = order

    async def append(self, entry: Entry) -> None:
        """Noted when it is durable."""
        await asyncio.sleep(0)
        await super().append(entry)
        self._order.seen.append(entry.kind)


class NotingLine:
    """Writes into the order what the line is told."""

    def __init__(self, line: WavLine, order: Order) -> None:
        self._line = line
        self._order = order

    async def answer(self, leg: str, sink: Sink) -> None:
        """As inside."""
        self._order.seen.append("answer")
        await self._line.answer(leg, sink)

    async def refuse(self, leg: str, code: int) -> None:
        """As inside."""
        await self._line.refuse(leg, code)

    async def dial(self, address: str, shown: str, sink: Sink) -> str:
        """As inside."""
        self._order.seen.append("dial")
        return await self._line.dial(address, shown, sink)

    async def hang_up(self, leg: str) -> None:
        """As inside."""
        self._order.seen.append("hang_up")
        await self._line.hang_up(leg)

    async def bridge(self, one: str, other: str) -> None:
        """As inside."""
        self._order.seen.append("bridge")
        await self._line.bridge(one, other)
