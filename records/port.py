"""The door of `records`: an append-only journal of what happened in each call, and callbacks owed to callers."""

from collections.abc import Collection, Mapping
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifeline:
    """A call in progress, as far as somebody needs it who must ring its caller back after a fault."""

    call: str
    """Id of the call."""
    party: str
    """Opaque party id; the number is in the masking vault only."""
    reachable: bool
    """Whether there is a number to ring."""
    keeper: str
    """Process that has the call, or that rings the caller back."""
    urgency: int = 0
    """Same scale as routing.port.Urgency."""
    human: bool = False
    """Whether a human had been sought."""
    at: float = 0.0
    """When it was last written, seconds since the epoch, UTC."""
    tries: int = 0
    """How often the caller was rung back."""
    cut: bool = False
    """Whether the call's process died."""


class TapesUnavailable(Exception):
    """A recording for test cannot be read; the message says why in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeLine:
    """One recording for test in a list."""

    call: str
    """Id of the call."""
    started: float
    """Seconds since the epoch, UTC."""
    size: int
    """Bytes on disk."""
    whole: bool
    """False while the call runs, and where its process died or the disk failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneSecret:
    """What proves the password of an agent's phone; as good as the password itself."""

    agent: str
    """The agent."""
    sha256: str
    """SIP digest's HA1 by SHA-256, hex."""
    md5: str
    """The same by MD5."""

    def __repr__(self) -> str:
        return "PhoneSecret(hidden)"


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


class Lifelines(Protocol):
    """Calls in progress, shared by all processes of the hotline. Every method raises JournalUnavailable."""

    async def hold(self, line: Lifeline, instead_of: str = "") -> None:
        """Write a call down, or what changed of it, and forget another one in the same step."""
        ...

    async def release(self, call: str) -> None:
        """The call is over; unknown calls are fine."""
        ...

    async def lost(self, living: Collection[str]) -> tuple[Lifeline, ...]:
        """Calls whose keeper is not among the living, most urgent first, then oldest."""
        ...

    async def claim(self, line: Lifeline, *, keeper: str, tries: int) -> Lifeline | None:
        """Become the keeper of a cut call, as it is now; None where it has changed or is gone, so that of several
        claimants exactly one gets it."""
        ...

    async def returned(self, party: str) -> Lifeline | None:
        """The caller of a cut call is here again: take the call away, the most urgent one; None where there is none."""
        ...


class Tapes(Protocol):
    """Calls recorded for test, sealed; only `keep` may be called while a call waits."""

    def keep(self, call: str, piece: bytes, *, last: bool) -> bool:
        """Append a piece in the background; False where this recording was given up. Never raises."""
        ...

    def read(self, call: str) -> tuple[bytes, ...]:
        """All pieces that are there, in order. Raises KeyError, TapesUnavailable."""
        ...

    def list(self) -> tuple[TapeLine, ...]:
        """Newest first."""
        ...

    def remove(self, call: str) -> None:
        """Destroy the recording. Raises KeyError."""
        ...

    def expire(self) -> int:
        """Destroy those that are too old; how many there were."""
        ...
