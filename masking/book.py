"""What is stored of numbers and bindings, the same in every store.

A route is one way in: who dials which virtual number reaches whom. (caller, number) is the key of a route, so that a
call can lead to one place only. A route lives until `live` and rests until `gone`; both are written when it is made,
and what it is worth now is computed from them. A closed route has `live` 0: no clock that is set back brings it to life
again.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from masking.port import Kind, NumberState, Side, VirtualNumber

FOREVER = 253402300800.0
"""Seconds since the epoch, year 10000: an end that is none."""
ANYONE = "*"
"""Caller of a route for everybody who shows a number."""
GUESSES = 10
"""Wrong codes on a number before it is locked; codes are so long that these break in with odds of 1 in 1000 at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A virtual number as it is stored."""

    id: int
    """Short name in the tables."""
    about: VirtualNumber
    """What it is."""
    used: float
    """When it was last given to a binding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way in."""

    caller: str
    """Party id, ANYONE, or the keyed hash of a code."""
    virtual: int
    """Number dialled."""
    binding: int
    """To which it belongs."""
    callee: str
    """Party id reached."""
    shown: int
    """Number that the callee sees."""
    live: float
    """Until when calls are connected."""
    gone: float
    """Until when the key is taken."""
    open: bool = True
    """Whether it connects at all; a closed one keeps the key from others."""
    coded: bool = False
    """Whether the caller is a code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A binding as it is stored."""

    id: int
    """Random; its public name is made of letters."""
    owner: str
    """Who made it."""
    kind: Kind
    """Type."""
    doctor: str
    """Party id."""
    patient: str
    """Party id or ""."""
    patient_line: int
    """Number of the patient's side, or of everybody's."""
    doctor_line: int | None
    """Number of the doctor's side."""
    code: bytes | None
    """Sealed."""
    created: float
    """Seconds since the epoch."""
    live: float
    """End."""
    gone: float
    """End of the rest."""
    quarantine: float
    """Seconds of rest."""
    longest: float
    """Seconds a call may last."""
    closed: bool = False
    """Ended before its time."""
    killed: bool = False
    """Calls in progress are cut."""
    key: str | None = None
    """Idempotency key."""
    asked: str = ""
    """Fingerprint of what was asked for with the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A code before it belongs to a binding."""

    route: str
    """Keyed hash: the caller of its routes."""
    sealed: bytes
    """The digits, encrypted."""
    most: int
    """Codes that one number may carry."""


class Way(Protocol):
    """What choosing a number needs of a route; a row of the table will do."""

    @property
    def binding(self) -> int:
        """As in Route."""
        ...

    @property
    def callee(self) -> str:
        """As in Route."""
        ...

    @property
    def live(self) -> float:
        """As in Route."""
        ...

    @property
    def gone(self) -> float:
        """As in Route."""
        ...


class Unseen(Exception):
    """Whether a number may be taken hangs on keys of routes, (caller, number), that the book does not know yet."""

    def __init__(self, keys: set[tuple[str, int]]) -> None:
        super().__init__()
        self.keys = keys


@dataclass(slots=True, kw_only=True)
class Book:
    """What binding sees, and changes as it goes: all numbers, and of the routes what it was told."""

    lines: dict[int, Line] = field(default_factory=dict)
    by_number: dict[str, Line] = field(default_factory=dict)
    """The same by number."""
    order: dict[Side, "OrderedDict[int, None]"] = field(default_factory=lambda: {side: OrderedDict() for side in Side})
    """Numbers that take new bindings, least recently used first."""
    ways: dict[tuple[str, int], Way | None] = field(default_factory=dict)
    """By caller and number; None: nothing is there."""
    cases: set[tuple[str, int]] = field(default_factory=set)
    """Doctors and their case numbers, live or resting; known where `ways` is. Calls of all their cases come from it:
    were it given to the doctor for one patient as well, a call back would reach that one."""
    whole: bool = False
    """Whether nothing is there either where `ways` says nothing."""
    earlier: dict[tuple[str, str], list[tuple[int, int | None]]] = field(default_factory=dict)
    """By doctor and patient: the numbers of both sides that they had, newest first."""
    keyed: dict[tuple[str, str], Kept] = field(default_factory=dict)
    """By owner and idempotency key."""
    codes: Counter[int] = field(default_factory=Counter)
    """Codes on each number, live or resting."""

    @classmethod
    def of(cls, lines: Iterable[Line], *, whole: bool = False) -> "Book":
        """A book of these numbers."""
        book = cls(whole=whole)
        for line in sorted(lines, key=lambda line: (line.used, line.id)):
            book.lines[line.id] = book.by_number[line.about.number] = line
            if line.about.state == NumberState.ACTIVE:
                book.order[line.about.side][line.id] = None
        return book

    def forget(self) -> None:
        """Know numbers only."""
        self.ways.clear()
        self.cases.clear()
        self.earlier.clear()
        self.keyed.clear()

    def take(self, kept: Kept, routes: Sequence[Route]) -> None:
        """Note a binding that was decided."""
        for route in routes:
            self.ways[route.caller, route.virtual] = route
            if route.coded:
                self.codes[route.virtual] += 1
        self.order[Side.PATIENT].move_to_end(kept.patient_line)
        if kept.doctor_line is not None:
            self.order[Side.DOCTOR].move_to_end(kept.doctor_line)
            if kept.kind == Kind.CODE:
                self.cases.add((kept.doctor, kept.doctor_line))
        self.earlier.setdefault((kept.doctor, kept.patient), []).insert(0, (kept.patient_line, kept.doctor_line))
        if kept.key is not None:
            self.keyed[kept.owner, kept.key] = kept
