# Size: the whole door in one place; nearly all of it says what the fields of plain values mean.
"""The door of `masking`: real numbers go in once, opaque party ids and neutral caller ids come out."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class NumberRefused(Exception):
    """The text is not a number that may be kept or dialled. The message never holds the number."""


class MaskingUnavailable(Exception):
    """The vault cannot be read or written. Calls go on; nothing is revealed."""


class MaskingUnsure(MaskingUnavailable):
    """A carrier gave no answer: what it was asked for may have happened."""


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
    ONE_WAY = "one_way"


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
    owner: str = ""
    """Owner of the binding; "" where there is none."""
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
    """"no_capacity", "nearly_full", "code_guessing", "complaints"; "webhook_failing", "webhook_given_up" or
    "webhook_off"."""
    what: str
    """Side and country, the virtual number, or the hook's id."""


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

    async def list(self, owner: str, *, party: str = "", limit: int = 100, after: str = "") -> tuple[Binding, ...]:
        """The owner's newest, of one patient or doctor only if named; `after`: id of the last one of the page before.
        Raises MaskingRefused where there is no such binding, MaskingUnavailable."""
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


class LegEnd(StrEnum):
    """Why a leg of a masked call ended: stable reason codes of call records."""

    COMPLETED = "completed"
    """Both had spoken to each other and one hung up."""
    ABANDONED = "abandoned"
    """The caller left before anybody was connected."""
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    DECLINED = "declined"
    UNREACHABLE = "unreachable"
    NOT_CONFIRMED = "not_confirmed"
    """Something answered and pressed no key: a voicemail box."""
    FAX = "fax"
    UNBOUND = "unbound"
    """No binding for this caller on this number, or none that may be told of."""
    EXPIRED = "expired"
    LOCKED = "locked"
    """Too many wrong codes."""
    REFUSED = "refused"
    """Policy, or this way is not allowed."""
    LIMITED = "limited"
    """Too many calls of this caller, number or pair."""
    INTERCEPTED = "intercepted"
    """The owner's hook sent it to a human or stopped it."""
    TIME_UP = "time_up"
    """The longest duration was reached."""
    KILLED = "killed"
    """The binding was ended with its calls."""
    LOOP = "loop"
    """The call had come from ourselves."""
    OUT_OF_SERVICE = "out_of_service"
    """The virtual number is suspended or resting."""
    UNAVAILABLE = "unavailable"
    """Masking could not be asked; the caller went to a human of ours."""
    FAILED = "failed"
    """A fault of ours or of the carrier's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One leg of a masked call, for billing and audit. Parties and virtual numbers only."""

    call: str
    """Opaque id that both legs share."""
    leg: str
    """"a": whoever was first on the phone; "b": the other."""
    owner: str
    """Owner of the binding; "" where there was none."""
    binding: str
    """Id or ""."""
    party: str
    """Whose phone; "" for an unknown or withheld caller."""
    number: str
    """Virtual number: leg a of a call that came in: the one that was dialled; else the one that was shown."""
    provider: str
    """"sip" or "twilio"."""
    started: float
    """Seconds since the epoch."""
    answered: float | None
    """When it was answered; None: never."""
    ended: float
    """When it was over."""
    end: LegEnd
    """Why."""
    released_by: str
    """"caller", "callee" or "us"."""
    by_code: bool = False
    """Whether a code let the caller in."""


class Happened(StrEnum):
    """Kinds of events that owners may be told of."""

    BINDING_CREATED = "binding.created"
    BINDING_RENEWED = "binding.renewed"
    BINDING_CLOSED = "binding.closed"
    BINDING_EXPIRED = "binding.expired"
    CALL_STARTED = "call.started"
    CALL_ANSWERED = "call.answered"
    CALL_ENDED = "call.ended"
    TEXT_RELAYED = "text.relayed"
    TEXT_REFUSED = "text.refused"
    TEXT_STOPPED = "text.stopped"
    CODE_FAILED = "code.failed"
    SPOOF_SUSPECT = "abuse.spoof_suspect"
    SCAN_SUSPECT = "abuse.scan"
    LIMITED = "abuse.limited"
    INTERCEPT_FAILED = "intercept.failed"
    """The owner's hook gave no valid answer in time; the call went to a human of ours."""
    NUMBER_ALERT = "number.alert"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, told once and in order to whoever owns the binding."""

    kind: Happened
    """What."""
    owner: str
    """Who is told; "" the operator only."""
    binding: str
    """Events of one binding arrive in order; ""."""
    at: float
    """Seconds since the epoch."""
    data: Mapping[str, str | float | None]
    """Facts: party ids, virtual numbers, reason codes. Never a real number, never words of a caller."""


class Diary(Protocol):
    """What happened: kept in SQL, told by webhook."""

    async def tell(self, event: Event) -> None:
        """Durable on return; delivery follows. Raises MaskingUnavailable."""
        ...

    async def record(self, record: CallRecord) -> None:
        """Keep a leg's record and tell CALL_ENDED after leg "a"; twice is once. Raises MaskingUnavailable."""
        ...

    async def calls(self, owner: str, *, binding: str = "", limit: int = 100) -> tuple[CallRecord, ...]:
        """The owner's newest legs. Raises MaskingUnavailable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LineLeg:
    """A leg of a masked call in progress on our own line: its record, if the process that has it dies."""

    call: str
    """Opaque id that both legs share."""
    leg: str
    """As in CallRecord."""
    keeper: str
    """The process that has it."""
    owner: str
    """As in CallRecord, as far as it is known by now; so are the next ones."""
    binding: str
    """Id or ""."""
    party: str
    """Whose phone, or ""."""
    number: str
    """Virtual number."""
    started: float
    """Seconds since the epoch."""
    answered: float | None
    """When it was answered; None: not yet."""
    by_code: bool
    """Whether a code let the caller in."""
    until: float
    """When it is over at the latest."""
    seen: float = 0.0
    """When this was last written; given by whoever keeps it."""


class LineLegs(Protocol):
    """Legs in progress on our own lines, of all processes. The record of a leg ends it here too (see Diary)."""

    async def hold(self, legs: tuple[LineLeg, ...]) -> None:
        """Keep legs of one call, or what is new of them. Raises MaskingUnavailable."""
        ...

    async def held(self) -> tuple[LineLeg, ...]:
        """All of them. Raises MaskingUnavailable."""
        ...


class Claims(Protocol):
    """Which pairs are being connected, over all processes. A claim ends soon after the process that made it."""

    async def take(self, call: str, pair: str) -> bool:
        """Whether no other call is known to have this pair; then it is this call's. Answers within 100 ms and never
        raises: in doubt it is free."""
        ...

    def free(self, call: str) -> None:
        """The call is over; what it claimed is free soon."""
        ...

    async def drop(self, call: str, pair: str) -> None:
        """A dead process's call has this pair no more. Never raises."""
        ...


class HookUse(StrEnum):
    """What an owner's web address is for."""

    EVENTS = "events"
    """It is told what happened."""
    INTERCEPT = "intercept"
    """It is asked before a call is connected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A web address of an owner's."""

    id: str
    """Opaque."""
    owner: str
    """Whose events; "": what concerns the operator only."""
    use: HookUse
    """What for."""
    url: str
    """Where; https, or http inside networks that the operator named."""
    kinds: tuple[Happened, ...]
    """Events that are told; none: all."""
    active: bool
    """Whether it is used; an answer of 410 ends that."""
    created: float
    """Seconds since the epoch."""
    fails: int
    """Failures in a row."""


class DeliveryState(StrEnum):
    """Where the telling of an event to a hook stands."""

    WAITING = "waiting"
    """Being tried."""
    BEHIND = "behind"
    """After an earlier event of the same binding."""
    DELIVERED = "delivered"
    DEAD = "dead"
    """Given up; `retry` tries again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event on its way to a hook."""

    event: str
    """Id of the event, the same at every try."""
    hook: str
    """Id of the hook."""
    kind: Happened
    """What happened."""
    binding: str
    """Id or ""."""
    order: int
    """Place of the event among those of its binding, from 1."""
    state: DeliveryState
    """Where it stands."""
    tries: int
    """How often it was tried."""
    due: float
    """When it is tried next, seconds since the epoch; 0: as soon as its turn comes."""
    last: str
    """What came of the last try, for example "503" or "timeout"; ""."""


class Hooks(Protocol):
    """Web addresses of owners. What does not exist and what is another's is the same NOT_FOUND."""

    async def add(
        self, owner: str, url: str, *, kinds: tuple[Happened, ...] = (), use: HookUse = HookUse.EVENTS
    ) -> tuple[Hook, str]:
        """A new one and its secret, which is shown this once. Raises MaskingRefused, MaskingUnavailable."""
        ...

    async def list(self, owner: str) -> tuple[Hook, ...]:
        """The owner's. Raises MaskingUnavailable."""
        ...

    async def remove(self, id: str, owner: str) -> None:
        """Forget it and what it was still to be told. Raises MaskingRefused, MaskingUnavailable."""
        ...

    async def rotate(self, id: str, owner: str) -> str:
        """A new secret; for a day both sign. Raises MaskingRefused, MaskingUnavailable."""
        ...

    async def activate(self, id: str, owner: str, *, active: bool) -> Hook:
        """Switch it on or off; off, what it was still to be told is given up. Raises MaskingRefused,
        MaskingUnavailable."""
        ...


class Deliveries(Protocol):
    """What hooks were told, and were not."""

    async def list(self, id: str, owner: str, *, limit: int = 100) -> tuple[Delivery, ...]:
        """A hook's newest. Raises MaskingRefused, MaskingUnavailable."""
        ...

    async def retry(self, id: str, owner: str, event: str = "") -> int:
        """Try again what was given up, or this one event; how many. Raises MaskingRefused, MaskingUnavailable."""
        ...

    async def test(self, id: str, owner: str) -> str:
        """Send a signed test event at once: "200", or what went wrong. Raises MaskingRefused, MaskingUnavailable."""
        ...


class Decision(StrEnum):
    """What an owner's hook says to a call that is about to be connected."""

    CONNECT = "connect"
    OPERATOR = "operator"
    """To a human of ours; also where the hook gives no valid answer in time."""
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreCall:
    """A call that is about to be connected."""

    call: str
    """Opaque id."""
    binding: str
    """Id."""
    owner: str
    """Owner of the binding."""
    caller: str
    """Party id or ""."""
    callee: str
    """Party id."""
    by_code: bool
    """Whether a code let the caller in."""


class Intercept(Protocol):
    """A hook before a call is connected. It fails closed: to a human, never on."""

    async def ask(self, call: PreCall) -> Decision:
        """CONNECT at once where the owner has no hook. Never raises."""
        ...


class Admission(StrEnum):
    """Whether a call or text may go on."""

    ADMITTED = "admitted"
    CALLER = "caller_limit"
    NUMBER = "number_limit"
    PAIR = "pair_limit"
    SCAN = "scan"
    """This source tries one number after the other."""


class Limits(Protocol):
    """Abuse limits. Counted across processes; in doubt (Redis lost) a stricter count of the process itself."""

    async def admit(self, number: str, caller: str, source: str, *, known: bool) -> Admission:
        """Count an attempt: virtual number, party id or "", network or trunk it came from, whether a binding was
        found. Never raises."""
        ...


class WishState(StrEnum):
    """A click-to-call on its way."""

    WAITING = "waiting"
    TAKEN = "taken"
    """A line calls the doctor."""
    FIRST_ANSWERED = "first_answered"
    CONNECTED = "connected"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Somebody asks the server to call both and join them."""

    id: str
    """Opaque; also the call's id in records."""
    binding: str
    """Id."""
    owner: str
    """Owner of the binding."""
    state: WishState
    """Where it stands."""
    at: float
    """When it was asked for; not begun after two minutes it fails."""
    end: LegEnd | None = None
    """Why it ended; None before."""


class Wishes(Protocol):
    """Click-to-calls, asked for anywhere and carried out by whichever process has a line."""

    async def ask(self, binding: str, owner: str, *, key: str = "") -> Wish:
        """Put one in; the same key gives the same wish. Raises MaskingRefused, MaskingUnavailable."""
        ...

    async def take(self, taker: str) -> Wish | None:
        """The oldest that waits, for exactly one taker. Raises MaskingUnavailable."""
        ...

    async def note(self, id: str, state: WishState, end: LegEnd | None = None) -> None:
        """Say where it stands. Raises MaskingUnavailable."""
        ...

    async def forsaken(self, takers: frozenset[str]) -> int:
        """These takers are dead: what they were carrying out has failed; how many. Raises MaskingUnavailable."""
        ...

    async def get(self, id: str, owner: str) -> Wish:
        """One of the owner's. Raises MaskingRefused (NOT_FOUND), MaskingUnavailable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TextIn:
    """A text message, or a part of one, as a carrier delivered it."""

    provider: str
    """"sip" or "twilio"."""
    id: str
    """The carrier's id of it: the same id again is the same message."""
    number: str
    """Virtual number it was sent to, as the carrier wrote it."""
    sender: PhoneNumber | None
    """None where it was no telephone number."""
    body: str
    """Text; never logged."""
    part: int = 1
    """Number of this part, from 1."""
    parts: int = 1
    """Parts of the whole."""
    whole: str = ""
    """What parts of one message have in common; "" for a message of one part."""
    media: int = 0
    """Pictures, cards and files with it."""
    others: int = 0
    """Further recipients: a group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOut:
    """A text message to be sent."""

    id: str
    """Ours, opaque; a sender never sends one twice."""
    party: str
    """To whom."""
    shown: str
    """Virtual number it comes from."""
    body: str
    """Redacted."""


class Relay(Protocol):
    """Text messages between the two sides of a binding."""

    async def received(self, text: TextIn) -> None:
        """Durable on return; what follows is sent in the background. Raises MaskingUnavailable."""
        ...

    async def receipt(self, id: str, *, arrived: bool | None, reference: str, code: str = "") -> None:
        """A carrier says of the text `id` of ours that it has it (None), or that the phone has it or never will; with
        its own id of it and the reason. Raises MaskingUnavailable."""
        ...


class Carrier(Protocol):
    """A way out for texts; voice has the phone line, or the carrier's own call control."""

    @property
    def name(self) -> str:
        """"sip" or "twilio"."""
        ...

    async def send(self, text: TextOut, to: PhoneNumber) -> str:
        """The carrier's id of it. Raises MaskingUnavailable where it may be tried again, MaskingUnsure where it may
        have been sent, MaskingRefused where it never will be."""
        ...

    async def found(self, text: TextOut, to: PhoneNumber, since: float) -> str:
        """After MaskingUnsure or a crash: the carrier's id of what was sent since then (seconds since the epoch), ""
        where it surely was not. Raises MaskingUnavailable where that is not known yet, MaskingRefused where it never
        will be."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """How many numbers a load needs."""

    numbers: int
    """Enough except in one case of a thousand."""
    mean: float
    """Numbers held at an average moment."""


class Front(Protocol):
    """What people and programs ask by text: real numbers are taken, and never given back."""

    async def party(self, text: str, field: str) -> str:
        """A party id; a number is admitted and goes into the vault; "" stays. Raises MaskingRefused with the field,
        MaskingUnavailable."""
        ...

    async def settle(self, wanted: Wanted) -> Wanted:
        """The same request with party ids for numbers, and virtual numbers as they are stored. Raises MaskingRefused,
        MaskingUnavailable."""
        ...

    def virtual(self, text: str, field: str) -> str:
        """A number of ours as it is stored; "" stays. Raises MaskingRefused."""
        ...

    def read(self, csv: str) -> tuple[VirtualNumber, ...]:
        """Numbers of a CSV text with a header. Raises MaskingRefused, naming the line."""
        ...

    def plan(self, *, per_day: float, life_days: float, quarantine_days: float, odds: float) -> Need:
        """Numbers for one person with so many new partners a day; `odds`: of having too few. Raises MaskingRefused."""
        ...


class Scope(StrEnum):
    """What a service token may do; for its own owner alone, except where said."""

    READ = "masking:read"
    """Bindings, click-to-calls, call records."""
    WRITE = "masking:write"
    """Bind, renew, end, put numbers into the vault, ask for a click-to-call; see codes."""
    RESOLVE = "masking:resolve"
    """What any call would lead to; parties only of own bindings."""
    NUMBERS_READ = "numbers:read"
    """All virtual numbers and how full the pools are."""
    NUMBERS_WRITE = "numbers:write"
    """Add, change, remove virtual numbers."""
    REVEAL = "numbers:reveal"
    """The real number of a party; needs a reason."""
    ERASE = "parties:erase"
    """Destroy a party's number; needs a reason."""
    TASKS_READ = "tasks:read"
    """Whom doctors should call."""
    TASKS_WRITE = "tasks:write"
    """Call them, and mark tasks done."""
    WEBHOOKS_READ = "webhooks:read"
    """Subscriptions."""
    WEBHOOKS_WRITE = "webhooks:write"
    """Make and remove them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A service that may use the API, without the secret that proves it."""

    id: str
    """Opaque; for lists and logs."""
    name: str
    """What people call it."""
    owner: str
    """For whom it acts: whose bindings it sees."""
    scopes: tuple[Scope, ...]
    """What it may do, sorted."""
    created: float
    """Seconds since the epoch."""
    ends: float | None
    """When it ceases to be valid; None: never."""
    used: float | None
    """Last use, to the minute; None: never."""
    revoked: bool
    """Whether it was withdrawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """An entry of the audit of tokens."""

    at: float
    """Seconds since the epoch."""
    token: str
    """Id of the token."""
    action: str
    """Method and route, for example "GET /v1/bindings/{id}"."""
    subject: str
    """Opaque id that was asked for; "" for none."""
    outcome: str
    """"done", "not_found" (or another's), "forbidden"."""


class Tokens(Protocol):
    """Service tokens. The secret is shown once and kept as a keyed hash."""

    async def issue(self, name: str, owner: str, scopes: Collection[str], days: float | None) -> tuple[Token, str]:
        """A new one and its secret; `days`: how long it is valid, None for ever. Raises MaskingRefused,
        MaskingUnavailable."""
        ...

    async def known(self, secret: str) -> Token | None:
        """Whose secret it is; None where unknown, over or revoked. Notes the use. Raises MaskingUnavailable."""
        ...

    async def list(self) -> tuple[Token, ...]:
        """All, newest first. Raises MaskingUnavailable."""
        ...

    async def revoke(self, id: str) -> Token:
        """Valid no more, at once; twice is once. Raises MaskingRefused, MaskingUnavailable."""
        ...

    async def note(self, use: Use) -> None:
        """Add to the audit; durable on return. Raises MaskingUnavailable."""
        ...


class TaskKind(StrEnum):
    """Why a doctor should call."""

    CALLBACK = "callback"
    """The hotline promised it."""
    BINDING = "binding"
    """A live binding through which the doctor may call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Somebody whom a doctor may or should call."""

    id: str
    """Of the callback or the binding."""
    kind: TaskKind
    """Which."""
    patient: str
    """Party id."""
    doctor: str
    """Party id; "" while no doctor has taken a callback."""
    urgency: int
    """Of a callback: 0 (least) to 3; a binding has 0."""
    at: float
    """Since when, seconds since the epoch."""
    binding: str
    """Live binding of the two; "" for none yet."""


class Tasks(Protocol):
    """The task list of doctors. What does not exist and what is another's is the same NOT_FOUND."""

    async def list(self, owner: str, *, doctor: str = "") -> tuple[Task, ...]:
        """Open ones, most urgent first, then oldest; of one doctor, with the callbacks nobody has taken, if named.
        Raises MaskingUnavailable, and what the callbacks' store raises."""
        ...

    async def call(self, id: str, owner: str, *, doctor: str = "", key: str = "") -> Wish:
        """Click-to-call: the doctor's phone rings, then the patient's. A callback needs the doctor (party id) and is
        bound first. Raises MaskingRefused, MaskingUnavailable, and what the callbacks' store raises."""
        ...

    async def done(self, id: str, owner: str) -> None:
        """A callback was made; a binding is closed. Raises MaskingRefused, MaskingUnavailable, and what the callbacks'
        store raises."""
        ...
