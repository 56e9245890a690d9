"""Journal and callbacks in memory: the dull second implementations, for tests."""

from dataclasses import replace

from records.port import Callback, CallLine, Entry


class MemoryJournal:
    """Keeps everything until the process ends."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[Entry, ...]] = {}
        self._lines: dict[str, CallLine] = {}

    async def append(self, entry: Entry) -> None:
        """Write one entry. Raises ValueError for a kind that is not a plain name."""
        if not entry.kind.isidentifier() or len(entry.kind) > 64:
            raise ValueError("the kind of an entry is a class name")
        before = self._entries.get(entry.call, ())
        self._entries[entry.call] = (*before, replace(entry, number=len(before) + 1))
        self._lines.setdefault(entry.call, CallLine(call=entry.call, started=entry.at, ended=None, outcome="running"))

    async def read(self, call: str) -> tuple[Entry, ...]:
        """All entries of a call in order. Raises KeyError."""
        return self._entries[call]

    async def close_call(self, call: str, at: float, outcome: str) -> None:
        """Note the end and the outcome; the first end stays."""
        line = self._lines.get(call, CallLine(call=call, started=at, ended=None, outcome=outcome))
        if line.ended is None:
            self._lines[call] = replace(line, ended=at, outcome=outcome)

    async def list(self, limit: int = 50) -> tuple[CallLine, ...]:
        """Newest first."""
        return tuple(sorted(self._lines.values(), key=lambda line: (-line.started, line.call))[:limit])


class MemoryCallbacks:
    """Keeps promises until the process ends."""

    def __init__(self) -> None:
        self._callbacks: dict[str, Callback] = {}

    async def promise(self, callback: Callback) -> None:
        """Write it down; the same id twice is one promise."""
        self._callbacks.setdefault(callback.id, callback)

    async def open(self) -> tuple[Callback, ...]:
        """Those not done, most urgent first, then oldest."""
        waiting = (one for one in self._callbacks.values() if not one.done)
        return tuple(sorted(waiting, key=lambda one: (-one.urgency, one.at, one.id)))

    async def done(self, id: str) -> None:
        """Mark as called. Raises KeyError."""
        self._callbacks[id] = replace(self._callbacks[id], done=True)
