"""What the relay keeps: texts on their way, parts, wishes to get none, what was seen."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

PARTS_WAIT = 600.0
"""Seconds that parts of a text wait for the others."""
WHOLE_LIFE = 3600.0
"""Seconds in which parts with the same reference are repetitions: phones have only 256 references, or 65,536."""
LEASE = 90.0
"""Seconds after which a sender that said nothing more is taken for dead."""


class State(StrEnum):
    """What became of a text."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    """The carrier has it."""
    DELIVERED = "delivered"
    """The phone has it."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A text to be sent."""

    id: str
    """Opaque; never sent twice."""
    party: str
    """To whom."""
    shown: str
    """Virtual number it comes from."""
    body: str
    """Redacted."""
    owner: str = ""
    """Owner of the binding."""
    binding: str = ""
    """Id or ""."""
    sender: str = ""
    """Party to be told if it fails; "" for what the relay says itself."""
    number: str = ""
    """Virtual number that the sender wrote to."""
    mark: str = ""
    """Said once only while this mark lasts; ""."""
    pause: float = 0.0
    """Seconds that the mark lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A text that is to be sent now, or whose state changed."""

    out: Outgoing
    """Which; without words once it was sent."""
    at: float
    """When it was put in."""
    tries: int
    """Attempts so far, this one included."""
    since: float | None
    """When the first attempt began; None: this is the first."""
    unsure: bool
    """Whether an attempt before may have succeeded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of a text."""

    state: State
    """New state."""
    reference: str = ""
    """The carrier's id of it."""
    code: str = ""
    """Why it failed."""
    due: float = 0.0
    """When to try again (WAITING)."""
    unsure: bool = False
    """Whether the attempt may have succeeded (WAITING)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a text."""

    whole: str
    """Mark that all its parts share."""
    part: int
    """From 1."""
    parts: int
    """How many."""
    party: str
    """Who sent it."""
    number: str
    """Virtual number it was sent to."""
    body: str
    """Words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Somebody wants no more texts, or wants them again."""

    binding: str
    """Id."""
    party: str
    """Who."""
    other: str
    """From whom."""
    on: bool
    """False: again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Everything that follows from one text, done at once or not at all."""

    marks: tuple[str, ...]
    """By which it is known again; where one is known, nothing is done."""
    whole: str = ""
    """Mark of the whole whose parts are done with; ""."""
    outs: tuple[Outgoing, ...] = ()
    """What to send."""
    stop: Stop | None = None
    """A wish."""
    life: float | None = None
    """Seconds in which the marks count; None: for ever."""


class Arrivals(Protocol):
    """Texts that come in."""

    async def known(self, mark: str) -> bool:
        """Whether a text was settled. Raises MaskingUnavailable."""
        ...

    async def gather(self, part: Part) -> tuple[str, ...]:
        """Keep a part; the words of all in order if none is missing now, else nothing. Raises MaskingUnavailable."""
        ...

    async def stale(self) -> tuple[Part, ...]:
        """Forget texts whose parts waited too long: those that were there. Raises MaskingUnavailable."""
        ...

    async def stopped(self, binding: str, party: str, other: str) -> bool:
        """Whether the party wants no texts from the other. Raises MaskingUnavailable."""
        ...

    async def settle(self, what: Settled) -> bool:
        """Durable on return; False: it was known. Raises MaskingUnavailable."""
        ...


class Outbox(Protocol):
    """Texts that go out."""

    async def take(self) -> Job | None:
        """The oldest that is due, for exactly one taker; what one phone gets from one number stays in order. Raises
        MaskingUnavailable."""
        ...

    async def note(self, id: str, fate: Fate, outs: tuple[Outgoing, ...] = ()) -> bool:
        """Say what became of it; only if that is new, `outs` are put in with it and True comes back. States only go
        forward: nothing comes after FAILED or DELIVERED. Raises MaskingUnavailable."""
        ...

    async def look(self, id: str) -> Job | None:
        """One text without its words; None: there is none. Raises MaskingUnavailable."""
        ...

    def mark(self, *what: str) -> str:
        """A keyed hash of words: the same for the same."""
        ...


class Texts(Arrivals, Outbox, Protocol):
    """Both."""


ORDER = {State.WAITING: 0, State.SENDING: 0, State.SENT: 1, State.DELIVERED: 2, State.FAILED: 2}
"""States only go forward."""
