"""The door of `records`: an append-only journal of what happened in each call, and callbacks owed to callers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias, Union

Json: TypeAlias = Union[None, bool, int, float, str, "list[Json]", "Mapping[str, Json]"]


class JournalUnavailable(Exception):
    """The journal cannot be written or read (disk full, database locked). The call goes on without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event of one call."""

    call: str
    """Id of the call: opaque, never derived from a number."""
    at: float
    """Seconds since the epoch, UTC."""
    kind: str
    """Name of the event class, for example "Heard": in clear, so it must never carry content."""
    data: Mapping[str, Json]
    """The event's fields. Encrypted on disk under the call's own key."""
    number: int = 0
    """Position in the call's journal, from 1; 0 before it is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLine:
    """One call in a list."""

    call: str
    """Id of the call."""
    started: float
    """Seconds since the epoch, UTC."""
    ended: float | None
    """Seconds since the epoch, None while it runs or after a crash."""
    outcome: str
    """Stable word: "bridged", "advised", "callback", "hung_up", "running"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """A promise to call somebody back."""

    id: str
    """Opaque id."""
    call: str
    """Call in which it was promised."""
    party: str
    """Opaque party id; the number is in the masking vault only."""
    urgency: int
    """Same scale as routing.port.Urgency."""
    at: float
    """Seconds since the epoch, UTC."""
    done: bool = False
    """Whether somebody has called."""


class Journal(Protocol):
    """Append-only; an entry is durable before the call acts on it."""

    async def append(self, entry: Entry) -> None:
        """Write one entry, durably. Raises JournalUnavailable."""
        ...

    async def read(self, call: str) -> tuple[Entry, ...]:
        """All entries of a call in order. Raises KeyError, JournalUnavailable."""
        ...

    async def close_call(self, call: str, at: float, outcome: str) -> None:
        """Note the end and the outcome for lists. Raises JournalUnavailable."""
        ...

    async def list(self, limit: int = 50) -> tuple[CallLine, ...]:
        """Newest first. Raises JournalUnavailable."""
        ...


class Callbacks(Protocol):
    """Durable list of promised callbacks."""

    async def promise(self, callback: Callback) -> None:
        """Write it down, durably. Raises JournalUnavailable."""
        ...

    async def open(self) -> tuple[Callback, ...]:
        """Those not done, most urgent first, then oldest. Raises JournalUnavailable."""
        ...

    async def done(self, id: str) -> None:
        """Mark as called. Raises KeyError, JournalUnavailable."""
        ...
