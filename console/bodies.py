# Size: every field that goes in or out, with its meaning and an example; the OpenAPI document is made of it.
"""What requests and answers look like. Sample numbers are from ranges reserved for fiction."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, StrictBool

from masking.port import (
    Binding,
    CallRecord,
    DeliveryState,
    Happened,
    HookUse,
    Kind,
    LegEnd,
    NumberState,
    Outcome,
    Side,
    TaskKind,
    VirtualNumber,
    Wanted,
    WishState,
)

PLAIN = r"^[^\x00-\x1f\x7f]*$"
"""No control characters: databases and logs dislike them."""
Text = Annotated[str, Field(max_length=128, pattern=PLAIN)]
Number = Annotated[float, Strict()]
"""No digits in quotes: what is text may be a telephone number."""
Who = Annotated[str, Field(max_length=64, pattern=PLAIN)]
Reason = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$")]


class In(BaseModel):
    """A request: a misspelt field is an error."""

    model_config = ConfigDict(extra="forbid")


class Out(BaseModel):
    """An answer."""

    model_config = ConfigDict(from_attributes=True)


class Wrongs(Out):
    """What is wrong."""

    code: str = Field(description="Stable code.", examples=["bad_field"])
    field: str = Field(description="Field of the request, or empty.", examples=["doctor"])
    message: str = Field(description="One sentence for people.", examples=["a doctor is needed"])


class ErrorOut(Out):
    """Every error."""

    error: Wrongs


class BindIn(In):
    """A binding that is wanted. Parties are party ids, or telephone numbers, which go into the vault and never come
    back."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"doctor": "+12025550123", "patient": "+447700900123", "life": 86400}]},
    )
    kind: Kind = Field(Kind.PAIR, description="pair, fixed (one doctor's number for all), code, or group.")
    doctor: Who = Field(description="Party id or number.", examples=["+12025550123"])
    patient: Who = Field("", description="Party id or number; for pair and code.", examples=["+447700900123"])
    members: list[Who] = Field(default=[], max_length=500, description="Parties of a group.")
    phones: list[Who] = Field(default=[], max_length=20, description="The doctor's other phones: they may call.")
    life: Number | None = Field(86400.0, description="Seconds from now, 60 or more; null: until it is ended.")
    quarantine: Number = Field(
        604800.0, description="Seconds after the end in which its callers get none of its numbers for another binding."
    )
    longest_call: Number = Field(3600.0, description="Seconds that a call may last.")
    one_way: StrictBool = Field(default=False, description="Only the patient may call (pair).")
    with_code: StrictBool = Field(default=False, description="A code lets both in from other phones (pair).")
    country: Annotated[str, Field(max_length=2, pattern=PLAIN)] = Field(
        "", description="Numbers of this country only, ISO 3166.", examples=["US"]
    )
    area: Annotated[str, Field(max_length=8, pattern=PLAIN)] = Field(
        "", description="Rather numbers of this area code.", examples=["202"]
    )
    patient_number: Who = Field("", description="This virtual number for the patient and no other.")
    doctor_number: Who = Field("", description="This virtual number for the doctor and no other.")

    def wanted(self, owner: str, key: str) -> Wanted:
        """For the room."""
        given = self.model_dump() | {"members": tuple(self.members), "phones": tuple(self.phones)}
        return Wanted(owner=owner, key=key, **given)


class RenewIn(In):
    """A new end."""

    life: Number | None = Field(description="Seconds from now, 60 or more; null: until it is ended.", examples=[86400])


class BindingOut(Out):
    """A binding, as its owner sees it."""

    id: str = Field(examples=["binding-kqwmtrzuvhbxa"])
    kind: Kind
    doctor: str = Field(description="Party id.", examples=["party-hqzkmwtrbnvyxajdlcsu"])
    patient: str = Field(description="Party id or empty.", examples=["party-wmrxkqbzntvhyujcadls"])
    patient_number: str = Field(description="What the patient dials and sees.", examples=["+12025550110"])
    doctor_number: str = Field(description="What the doctor dials and sees; empty for fixed and group.")
    code: str = Field(description="Digits for other phones; shown to tokens with masking:write only, not in lists.")
    created: float = Field(description="Seconds since the epoch.")
    ends: float | None = Field(description="No new calls from then on; null: never.")
    free: float | None = Field(description="When its numbers may be given to its callers again; null: never.")
    closed: bool
    killed: bool = Field(description="Whether calls in progress were to be cut.")

    @classmethod
    def of(cls, made: Binding, *, code: bool) -> "BindingOut":
        """From the room; `code`: whether it may be seen."""
        found = cls.model_validate(made)
        return found if code else found.model_copy(update={"code": ""})


class BindingsOut(Out):
    """A page, newest first."""

    bindings: list[BindingOut]
    next: str | None = Field(description="Give it as `after` for the next page; null: this was the last.")


class ResolveIn(In):
    """A call, as if it came."""

    number: Who = Field(description="Virtual number that is dialled.", examples=["+12025550110"])
    caller: Who = Field("", description="Party id or number; empty: withheld.")
    code: Annotated[str, Field(max_length=16, pattern=PLAIN)] = Field("", description="Keys the caller pressed.")


class VerdictOut(Out):
    """What the call would lead to. Binding, callee and shown number only of your own bindings."""

    outcome: Outcome
    binding: str
    callee: str
    shown: str
    seconds: float
    by_code: bool


class NumberIn(In):
    """A virtual number."""

    number: Who = Field(description="With plus and country code.", examples=["+12025550110"])
    side: Side = Field(description="Who dials it.")
    country: Annotated[str, Field(max_length=2, pattern=PLAIN)] = Field("", description="ISO 3166; empty: its own.")
    area: Annotated[str, Field(max_length=8, pattern=PLAIN)] = Field("", description="Area code.", examples=["202"])
    state: NumberState = NumberState.ACTIVE

    def virtual(self) -> VirtualNumber:
        """For the room."""
        return VirtualNumber(**self.model_dump())


class NumbersIn(In):
    """Virtual numbers: all are taken in, or none."""

    numbers: list[NumberIn] = Field(min_length=1, max_length=500)


class StateIn(In):
    """What a number may be used for from now on."""

    state: NumberState


class NumberOut(Out):
    """A virtual number of ours."""

    number: str = Field(examples=["+12025550110"])
    side: Side
    country: str = Field(examples=["US"])
    area: str
    state: NumberState


class NumbersOut(Out):
    """A page, by number."""

    numbers: list[NumberOut]
    next: str | None = Field(description="Give it as `after` for the next page; null: this was the last.")


class AddedOut(Out):
    """What was new."""

    added: int


class PoolOut(Out):
    """How full the numbers of one side and country are."""

    side: Side
    country: str
    numbers: int
    active: int = Field(description="Those that take new bindings.")
    routes: int = Field(description="Pairs of number and caller that are taken, live or resting.")
    busiest: int = Field(description="Numbers that the busiest caller holds; at `active`, the next is refused.")
    fullest: str = Field(description="Party id of that caller; empty unless all bindings are yours to see.")
    runs_out: float | None = Field(description="Seconds until then; null: no end in sight.")


class PoolsOut(Out):
    """All pools."""

    pools: list[PoolOut]


class NeedOut(Out):
    """How many numbers a load needs."""

    numbers: int
    mean: float = Field(description="In use on average.")


class PartyIn(In):
    """A real number. It goes into the vault and is never given back without a reason and a trace."""

    number: Who = Field(examples=["+447700900123"])


class PartyOut(Out):
    """Its opaque id: the same number has the same."""

    party: str = Field(examples=["party-wmrxkqbzntvhyujcadls"])


class ReasonIn(In):
    """Why; it is written to the audit before anything happens."""

    reason: Reason = Field(examples=["the patient asked us to correct the number"])


class RevealOut(Out):
    """The one answer with a real number."""

    number: str = Field(examples=["+447700900123"])


class WishOut(Out):
    """A click-to-call on its way."""

    id: str = Field(description="Also the call's id in records.")
    binding: str
    state: WishState
    at: float = Field(description="When it was asked for, seconds since the epoch.")
    end: LegEnd | None = Field(description="Why it ended; null before.")


class RecordOut(Out):
    """One leg of a masked call: parties and virtual numbers only."""

    call: str
    leg: Literal["a", "b"]
    binding: str
    party: str
    number: str
    provider: str
    started: float
    answered: float | None
    ended: float
    end: LegEnd
    released_by: str
    by_code: bool

    @classmethod
    def of(cls, record: CallRecord) -> "RecordOut":
        """From the room."""
        return cls.model_validate(record)


class RecordsOut(Out):
    """Newest legs first."""

    legs: list[RecordOut]


class TaskOut(Out):
    """Somebody whom a doctor may or should call."""

    id: str
    kind: TaskKind
    patient: str
    doctor: str
    urgency: int
    at: float
    binding: str


class TasksOut(Out):
    """Most urgent first."""

    tasks: list[TaskOut]


class TaskCallIn(In):
    """Who calls."""

    doctor: Who = Field("", description="Party id or number; needed for callbacks.", examples=["+12025550123"])


class HookIn(In):
    """An address of yours that is told of events, or asked before calls."""

    url: Annotated[str, Field(min_length=1, max_length=500, pattern=PLAIN)] = Field(
        description="https, or http inside networks that the operator named.", examples=["https://clinic.example/hook"]
    )
    kinds: list[Happened] = Field(default=[], max_length=50, description="Events that are told; none: all.")
    use: HookUse = Field(HookUse.EVENTS, description="events, or intercept: asked before a call is connected.")


class ActiveIn(In):
    """On or off."""

    active: StrictBool


class RetryIn(In):
    """What to try again."""

    event: Text = Field("", description="Id of one event; empty: all that were given up.")


class HookOut(Out):
    """A subscription, without its secret."""

    id: str
    use: HookUse
    url: str
    kinds: list[Happened]
    active: bool = Field(description="An answer of 410 switches it off.")
    created: float
    fails: int = Field(description="Failures in a row.")


class NewHookOut(Out):
    """A subscription and its secret, which is shown this once."""

    webhook: HookOut
    secret: str


class HooksOut(Out):
    """All of yours."""

    webhooks: list[HookOut]


class SecretOut(Out):
    """Shown this once."""

    secret: str


class DeliveryOut(Out):
    """An event on its way."""

    event: str
    kind: Happened
    binding: str
    order: int
    state: DeliveryState
    tries: int
    due: float
    last: str = Field(description="What came of the last try.")


class DeliveriesOut(Out):
    """Newest first."""

    deliveries: list[DeliveryOut]


class RetriedOut(Out):
    """How many are tried again."""

    retried: int


class TestedOut(Out):
    """What came of it."""

    result: str = Field(description='"200", or what went wrong.')


def _opaque(text: str) -> str:
    """An id, or one that belongs to nothing: malformed and missing get the same answer."""
    if not text:
        return ""  # a filter that is not set
    return text if len(text) <= 64 and text.isascii() and text.replace("-", "").replace("_", "").isalnum() else "none"


Id = Annotated[str, AfterValidator(_opaque)]
NAMES = frozenset(name for model in In.__subclasses__() for name in model.model_fields) | {
    "party", "limit", "after", "side", "per_day", "life_days", "quarantine_days", "odds", "kill", "doctor", "binding",
    "Idempotency-Key",
}  # fmt: skip
"""Fields that errors may name."""
