"""Journal, callbacks and lifelines in memory: the dull second implementations, for tests."""

from collections.abc import Collection
from dataclasses import replace

from records.port import Callback, CallLine, Entry, Lifeline


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


class MemoryLifelines:
    """Keeps calls in progress until the process ends."""

    def __init__(self) -> None:
        self._lines: dict[str, Lifeline] = {}

    async def hold(self, line: Lifeline, instead_of: str = "") -> None:
        """Write a call down."""
        self._lines[line.call] = line
        self._lines.pop(instead_of, None)

    async def release(self, call: str) -> None:
        """Forget a call."""
        self._lines.pop(call, None)

    async def lost(self, living: Collection[str]) -> tuple[Lifeline, ...]:
        """Calls without a living keeper."""
        found = (one for one in self._lines.values() if one.keeper not in living)
        return tuple(sorted(found, key=_by_urgency))

    async def claim(self, line: Lifeline, *, keeper: str, tries: int) -> Lifeline | None:
        """Become the keeper of a cut call."""
        known = self._lines.get(line.call)
        if known is None or (known.keeper, known.tries) != (line.keeper, line.tries):
            return None
        self._lines[line.call] = replace(known, keeper=keeper, tries=tries, cut=True)
        return self._lines[line.call]

    async def returned(self, party: str) -> Lifeline | None:
        """Take the cut call of a caller who is here again."""
        found = sorted((one for one in self._lines.values() if one.party == party and one.cut), key=_by_urgency)
        for one in found:
            del self._lines[one.call]
        return found[0] if found else None


def _by_urgency(line: Lifeline) -> tuple[int, bool, float, str]:
    return (-line.urgency, not line.human, line.at, line.call)
