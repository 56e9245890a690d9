# Size: the whole door in one place; nearly all of it says what the fields of plain values mean.
"""The door of `masking`: real numbers go in once, opaque party ids and neutral caller ids come out."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class NumberRefused(Exception):
    """The text is not a number that may be kept or dialled. The message never holds the number."""


class MaskingUnavailable(Exception):
    """The vault cannot be read or written. Calls go on; nothing is revealed."""


class PhoneNumber:
    """A real telephone number. It never prints itself: only `reveal` gives the digits."""

    __slots__ = ("_digits",)

    def __init__(self, digits: str) -> None:
        self._digits = digits

    def reveal(self) -> str:
        """The number as text, for dialling and for the vault only."""
        return self._digits

    def __repr__(self) -> str:
        return "PhoneNumber(hidden)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PhoneNumber) and other._digits == self._digits

    def __hash__(self) -> int:
        return hash(self._digits)

    def __reduce__(self) -> str:
        raise TypeError("a PhoneNumber is not serialised")


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A person on the phone, without a number."""

    id: str
    """Opaque, stable for the same number in this installation; "withheld-<random>" where none was shown."""
    reachable: bool
    """Whether the vault holds a number to call back."""


class Masking(Protocol):
    """Turns callers into parties and decides what a called phone may show."""

    async def party(self, caller: PhoneNumber | None) -> Party:
        """The party of a caller's number (None: withheld). Never raises for odd caller ids: they become withheld.
        Raises MaskingUnavailable."""
        ...

    def shown_to_agent(self) -> str:
        """User part of the SIP From that an agent's phone shows: a number or name of ours, never the caller's."""
        ...

    async def reveal(self, party: str, *, reason: str, actor: str) -> PhoneNumber:
        """The real number, with an audit entry written first. Raises KeyError, MaskingUnavailable."""
        ...


class Sealer(Protocol):
    """Envelope encryption that the vault is given: it holds no keys of its own. The context is authenticated."""

    def seal(self, clear: bytes, context: bytes) -> bytes:
        """Encrypted under a random data key of its own, which is wrapped by a master key."""
        ...

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """What `seal` was given. Raises ValueError where bytes or context do not belong together."""
        ...

    def tag(self, clear: bytes, context: bytes) -> bytes:
        """Keyed hash for look-ups: stable in this installation, useless without the key."""
        ...


class Side(StrEnum):
    """Who dials a virtual number. Each side has numbers of its own, so that a pool need only be as large as one person
    has partners."""

    PATIENT = "patient"
    DOCTOR = "doctor"


class NumberState(StrEnum):
    """What a virtual number may be used for."""

    ACTIVE = "active"
    """New bindings and calls."""
    DRAINING = "draining"
    """Calls, no new bindings."""
    SUSPENDED = "suspended"
    """Neither; calls hear that it is not in service. Bindings stay."""
    QUARANTINED = "quarantined"
    """Neither; resting before it goes back to the carrier or into use."""


class Kind(StrEnum):
    """Types of bindings."""

    PAIR = "pair"
    """One patient, one doctor, a number for each (AXB)."""
    FIXED = "fixed"
    """A doctor's number for everyone who shows theirs (AXN)."""
    CODE = "code"
    """The patient dials a number, the doctor a shared case number and a code, from any phone (AXE)."""
    GROUP = "group"
    """A doctor's number for those on a list (AXG)."""


class Wrong(StrEnum):
    """Why masking refused; stable codes."""

    FIELD = "bad_field"
    SAME_PARTY = "same_party"
    NUMBER_REFUSED = "number_refused"
    NO_CAPACITY = "no_capacity"
    CONFLICT = "binding_conflict"
    KEY_REUSED = "idempotency_conflict"
    NOT_FOUND = "not_found"
    ENDED = "binding_ended"
    NUMBER_UNKNOWN = "number_unknown"
    NUMBER_IN_USE = "number_in_use"


class MaskingRefused(Exception):
    """Masking will not do it; nothing was written. The message is one sentence and never holds a real number."""

    def __init__(self, code: Wrong, field: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualNumber:
    """A number of ours."""

    number: str
    """With plus and country code."""
    side: Side
    """Who dials it."""
    country: str
    """ISO 3166 code."""
    area: str = ""
    """Area code; "" where it has none."""
    state: NumberState = NumberState.ACTIVE
    """What it may be used for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A binding that somebody asks for."""

    owner: str
    """Who asks: only they see and change it."""
    kind: Kind
    """Type."""
    doctor: str
    """Party id."""
    patient: str = ""
    """Party id; "" for FIXED and GROUP."""
    members: tuple[str, ...] = ()
    """Party ids of a GROUP."""
    phones: tuple[str, ...] = ()
    """Party ids of the doctor's other registered numbers: they may call, they are not called."""
    life: float | None = 24 * 3600.0
    """Seconds from now; None: until it is closed."""
    quarantine: float = 7 * 24 * 3600.0
    """Seconds after the end in which its callers get none of its numbers for another binding."""
    longest_call: float = 3600.0
    """Seconds a call may last, also when the binding ends meanwhile."""
    one_way: bool = False
    """Whether only the patient may call (PAIR)."""
    with_code: bool = False
    """Whether a code lets both sides call from other phones (PAIR; CODE always has one)."""
    country: str = ""
    """Where the numbers must be, ISO 3166; "": anywhere."""
    area: str = ""
    """Area code that is taken if one is free."""
    patient_number: str = ""
    """This number for the patient's side and no other."""
    doctor_number: str = ""
    """This number for the doctor's side and no other."""
    key: str = ""
    """Idempotency key: the same key again gives the binding that it made; "" for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A binding as its owner sees it."""

    id: str
    """Opaque."""
    owner: str
    """Who made it."""
    kind: Kind
    """Type."""
    doctor: str
    """Party id."""
    patient: str
    """Party id or ""."""
    patient_number: str
    """Virtual number that the patient dials and sees; FIXED and GROUP: that everybody dials."""
    doctor_number: str
    """Virtual number that the doctor dials and sees; "" for FIXED and GROUP."""
    code: str
    """Digits for other phones; "" for none. Secret."""
    created: float
    """Seconds since the epoch."""
    ends: float | None
    """When new calls end to be connected; None: never."""
    free: float | None
    """When its numbers may be given to its callers again; None: never."""
    closed: bool
    """Whether it was ended before its time."""
    killed: bool
    """Whether calls in progress are to be cut as well."""


class Outcome(StrEnum):
    """What to do with a call to a virtual number."""

    CONNECT = "connect"
    ASK_CODE = "ask_code"
    """Ask for the code and resolve again with it."""
    EXPIRED = "expired"
    """Tell that it has ended, offer the hotline."""
    UNKNOWN = "unknown"
    """One fixed announcement; nothing is said about whether the number or a binding exists."""
    LOCKED = "locked"
    """Too many wrong codes."""
    REFUSED = "refused"
    """This caller may not call this way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialled:
    """A call to a virtual number."""

    number: str
    """As the carrier wrote it."""
    caller: str = ""
    """Party id of a caller whose number is trusted; "" for withheld, faked or untrusted ones."""
    code: str = ""
    """Keys that the caller pressed; "" before they were asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to do with a call."""

    outcome: Outcome
    """CONNECT, or what to tell the caller."""
    binding: str = ""
    """Id, for the call's record; "" where there is none."""
    callee: str = ""
    """Party id to call."""
    shown: str = ""
    """Virtual number that the callee sees, and may dial back."""
    seconds: float = 0.0
    """Longest duration."""
    tone_before: float = 60.0
    """Seconds before that at which both hear a tone."""
    confirm: bool = True
    """Whether the callee must press 1 first: a voicemail box cannot."""
    by_code: bool = False
    """Whether a code let the caller in: connected this once, and for the audit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickPlan:
    """Two calls that the server makes, and joins: first the doctor, then the patient."""

    binding: str
    """Id."""
    first: str
    """Party id of the doctor."""
    first_sees: str
    """Virtual number."""
    second: str
    """Party id of the patient."""
    second_sees: str
    """Virtual number."""
    seconds: float
    """Longest duration."""
    tone_before: float = 60.0
    """Seconds before that at which both hear a tone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolReport:
    """How full the numbers of one side and country are."""

    side: Side
    """Who dials them."""
    country: str
    """ISO 3166 code."""
    numbers: int
    """All of them."""
    active: int
    """Those that take new bindings."""
    routes: int
    """Pairs of number and caller that are taken, live or resting."""
    busiest: int
    """Numbers that the busiest caller holds: when it reaches `active`, that caller's next binding is refused."""
    fullest: str
    """Party id of that caller, or ""."""
    runs_out: float | None
    """Seconds until then if the busiest caller goes on as on the last day; None: not foreseeable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something an operator must do about numbers."""

    code: str
    """"no_capacity", "nearly_full" or "code_guessing"."""
    what: str
    """Side and country, or the virtual number."""


class Bindings(Protocol):
    """Who may call whom. What does not exist and what is another's is the same NOT_FOUND."""

    async def create(self, wanted: Wanted) -> Binding:
        """A new one, durable on return, or the one that the same key made. Raises MaskingRefused,
        MaskingUnavailable."""
        ...

    async def renew(self, id: str, owner: str, life: float | None) -> Binding:
        """A live one ends `life` seconds from now. Raises MaskingRefused (ENDED, NOT_FOUND), MaskingUnavailable."""
        ...

    async def close(self, id: str, owner: str, *, kill: bool = False) -> Binding:
        """No new calls from now on; with `kill`, calls in progress are cut. Twice is once. Raises MaskingRefused,
        MaskingUnavailable."""
        ...

    async def get(self, id: str, owner: str) -> Binding:
        """One of the owner's. Raises MaskingRefused, MaskingUnavailable."""
        ...

    async def list(self, owner: str, *, party: str = "", limit: int = 100) -> tuple[Binding, ...]:
        """The owner's newest, of one patient or doctor only if named. Raises MaskingUnavailable."""
        ...


class Numbers(Protocol):
    """Virtual numbers."""

    async def add(self, numbers: tuple[VirtualNumber, ...]) -> int:
        """Take them in, all or none; how many are new. Raises MaskingRefused, MaskingUnavailable."""
        ...

    async def change(self, number: str, state: NumberState) -> VirtualNumber:
        """Set the state. Raises MaskingRefused, MaskingUnavailable."""
        ...

    async def remove(self, number: str) -> None:
        """Give it up; refused while a binding or a quarantine holds it. Raises MaskingRefused, MaskingUnavailable."""
        ...

    async def list(self) -> tuple[VirtualNumber, ...]:
        """All, sorted. Raises MaskingUnavailable."""
        ...

    async def report(self) -> tuple[PoolReport, ...]:
        """How full each side and country is. Raises MaskingUnavailable."""
        ...


class Exchange(Protocol):
    """What a call to a virtual number leads to."""

    async def resolve(self, dialled: Dialled) -> Verdict:
        """Never raises for odd numbers. Raises MaskingUnavailable: then the call goes to a human of ours, never on."""
        ...

    async def click(self, id: str, owner: str) -> ClickPlan:
        """The two calls of a click-to-call. Raises MaskingRefused, MaskingUnavailable."""
        ...

    async def sweep(self) -> int:
        """Forget what has ended and rested; how many bindings. Raises MaskingUnavailable."""
        ...
