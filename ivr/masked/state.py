"""The state of one masked call: a frozen value that the steps replace."""

from dataclasses import dataclass, field
from enum import StrEnum

from dialogs.port import Prompt
from masking.port import LegEnd


class State(StrEnum):
    """Where a masked call is."""

    NEW = "new"
    ASKED = "asked"
    """It is looked up what the call leads to."""
    CODING = "coding"
    """The caller keys a code in."""
    CHECKING = "checking"
    """The code is read back to the caller."""
    ADMITTING = "admitting"
    """The owner's hook is asked."""
    CALLING = "calling"
    """Click-to-call: the first phone rings."""
    GREETING = "greeting"
    """Click-to-call: whoever picked up first is asked to press 1."""
    RINGING = "ringing"
    """The callee's phone rings."""
    CONFIRMING = "confirming"
    """Whoever picked up is asked to press 1."""
    BRIDGED = "bridged"
    """Both talk."""
    OFFERING = "offering"
    """The caller is offered the hotline, or to be called back."""
    TELLING = "telling"
    """Last words; then we hang up."""
    HANDED = "handed"
    """The triage hotline has taken the caller over."""
    ENDED = "ended"


class Leg(StrEnum):
    """The two phones of a call, as its records name them."""

    A = "a"
    """Whoever was first on the phone."""
    B = "b"
    """The other."""


class Offer(StrEnum):
    """What a caller may press 1 for."""

    HOTLINE = "hotline"
    """Also for who just stays on the line."""
    CALLBACK = "callback"
    NOTHING = "nothing"
    """0 for a person works all the same: whoever calls us, an emergency service that calls back included, reaches a
    human."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, as far as decisions need it. It holds party ids and virtual numbers, no real number."""

    state: State = State.NEW
    """Where it is."""
    click: bool = False
    """Whether the server began it."""
    caller: str = ""
    """Party id of leg a; "" where its number is not known or not trusted."""
    reachable: bool = False
    """Whether leg a could be called back."""
    to_doctor: bool = True
    """Whether leg b is the doctor's."""
    serving: bool = True
    """Whether the virtual number is in service."""
    binding: str = ""
    """Id; "" before one is found."""
    owner: str = ""
    """Whose binding."""
    callee: str = ""
    """Party id that the verdict names: nobody else is ever dialled."""
    shown: str = ""
    """Virtual number that leg b sees."""
    first_shown: str = ""
    """Click-to-call: virtual number that leg a sees."""
    seconds: float = 0.0
    """Longest duration."""
    tone_before: float = 60.0
    """Seconds before its end at which both hear a tone."""
    by_code: bool = False
    """Whether a code let the caller in."""

    answered: bool = False
    """Whether leg a can hear us."""
    dialled: bool = False
    """Whether leg b was ever dialled."""
    there: bool = False
    """Whether leg b is up or being dialled."""
    confirmed: bool = False
    """Whether leg b pressed 1."""
    joined: bool = False
    """Whether the two have ever been bridged."""
    words: tuple[Prompt, ...] = ()
    """What leg a hears as soon as it can; what it is hearing afterwards."""
    says: int = 0
    """Sentences given so far."""
    saying: int = 0
    """Number of the one in progress; 0 for none."""
    digits: str = field(default="", repr=False)
    """Keys of the code: never in a log, a trace or a record."""
    tries: int = 0
    """Wrong codes."""
    again: int = 0
    """How often a code was taken back and keyed in anew."""
    offer: Offer | None = None
    """What pressing 1 means while OFFERING."""
    end: LegEnd | None = None
    """Why it ended, or is about to."""
    released_by: str = "us"
    """Who ended it: "caller", "callee" or "us"."""

    @property
    def finished(self) -> bool:
        """Whether nothing more is to be done here."""
        return self.state in (State.ENDED, State.HANDED)
