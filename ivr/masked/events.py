"""What can happen to a masked call. Frozen values that the session gives the machine."""

from dataclasses import dataclass, field
from typing import TypeAlias

from ivr.masked.state import Leg
from ivr.ports import Cause
from masking.port import Admission, ClickPlan, Decision, LegEnd, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """Somebody dialled a virtual number."""

    caller: str
    """Party id where the number is known and trusted, else ""."""
    reachable: bool
    """Whether the caller could be called back."""
    to_doctor: bool
    """Whether the number is a patient's, who reaches the doctor by it."""
    suspect: bool = False
    """Whether the caller's number seems to be somebody else's."""
    loop: bool = False
    """Whether the caller's number is one of ours: the call came from ourselves."""
    serving: bool = True
    """Whether the number is in service."""
    unavailable: bool = False
    """Whether it could not be asked who the caller is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clicked:
    """The server is asked to call both."""

    plan: ClickPlan
    """Who, and what each sees."""
    owner: str
    """Whose binding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What the call leads to is known."""

    verdict: Verdict
    """As the exchange says."""
    admission: Admission = Admission.ADMITTED
    """Whether the limits let it go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveFailed:
    """Masking cannot be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookSaid:
    """The owner's hook has decided."""

    decision: Decision
    """What."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegUp:
    """A leg is answered, and sound flows on it."""

    leg: Leg
    """Which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegDown:
    """A leg is over."""

    leg: Leg
    """Which."""
    cause: Cause
    """Why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialFailed:
    """A phone cannot even be dialled."""

    leg: Leg
    """Which."""
    end: LegEnd
    """Why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPressed:
    """A key."""

    leg: Leg
    """Whose."""
    digit: str = field(repr=False)
    """0-9, *, #, A-D; it may be a digit of a code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SayEnded:
    """A sentence was heard to its end."""

    say: int
    """Its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired:
    """A timer ran out."""

    name: str
    """Which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaxHeard:
    """A leg sends the tones of a fax, or asks for T.38."""

    leg: Leg
    """Which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """The binding was ended with its calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeFailed:
    """The two legs could not be joined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """The wish to be called back was written down, or could not be."""

    noted: bool
    """Whether it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """Something of ours failed in a way that nobody foresaw."""


Event: TypeAlias = (
    Arrived | Clicked | Resolved | ResolveFailed | HookSaid | LegUp | LegDown | DialFailed | KeyPressed | SayEnded
    | TimerFired | FaxHeard | Killed | BridgeFailed | Promised | Broken
)  # fmt: skip
