"""What to do next in a masked call. Frozen values that the machine gives and the session carries out."""

from dataclasses import dataclass, field
from typing import TypeAlias

from dialogs.port import Prompt
from ivr.call.commands import StartTimer as StartTimer
from ivr.call.commands import StopTimer as StopTimer
from ivr.masked.state import Leg
from masking.port import Happened, LegEnd, WishState


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolve:
    """Ask what the call leads to; ends in Resolved or ResolveFailed."""

    code: str = field(default="", repr=False)
    """Keys of the caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskHook:
    """Ask the owner's hook; ends in HookSaid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Answer leg a; ends in LegUp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Refuse leg a before it was answered."""

    code: int
    """SIP status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """Call a party as a new dialog; ends in LegUp, LegDown or DialFailed."""

    leg: Leg
    """Which leg it becomes."""
    party: str
    """Whom."""
    shown: str
    """Virtual number that the party sees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Say sentences on a leg, replacing what is heard there; ends in SayEnded unless replaced."""

    leg: Leg
    """Where."""
    say: int
    """Number, new for every Say of a call."""
    prompts: tuple[Prompt, ...]
    """In order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ringback:
    """Leg a hears a ringing tone of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hush:
    """A leg hears nothing."""

    leg: Leg
    """Which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """Join the legs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warn:
    """Both hear a tone: the end is near."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUp:
    """End a leg in any state."""

    leg: Leg
    """Which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOver:
    """The triage hotline goes on with leg a."""

    human: bool
    """Whether a human is called at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """Write down that the caller wants to be called back; ends in Promised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """An event for the owner of the binding, or for the operator."""

    kind: Happened
    """What happened."""
    why: str = ""
    """Reason code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteWish:
    """Click-to-call: say where it stands."""

    state: WishState
    """Where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """Write the records of the legs."""

    end: LegEnd
    """Why it ended."""
    released_by: str
    """By whom."""
    dialled: bool
    """Whether there was a leg b."""
    joined: bool
    """Whether the two ever talked."""


Command: TypeAlias = (
    Resolve | AskHook | Answer | Refuse | Dial | Say | Ringback | Hush | Bridge | Warn | HangUp | TakeOver | Promise
    | Tell | NoteWish | StartTimer | StopTimer | Finish
)  # fmt: skip
