"""The state of one call: a frozen value that the steps replace."""

from dataclasses import dataclass
from enum import StrEnum

from dialogs.port import Handover, Heard, Level, Prompt, Question, TriageResult, Turn
from routing.port import RingStep


class State(StrEnum):
    """Where a call is."""

    NEW = "new"
    GREETING = "greeting"
    ASKING = "asking"
    LISTENING = "listening"
    THINKING = "thinking"
    SEEKING = "seeking"
    BRIDGED = "bridged"
    PARTED = "parted"
    OFFERING = "offering"
    RETURNING = "returning"
    CLOSING = "closing"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, as far as decisions need it."""

    state: State = State.NEW
    """Where it is."""
    reachable: bool = False
    """Whether the caller could be called back."""
    earlier: str = ""
    """Id of an earlier call of this caller that a fault of ours cut off; empty for none."""
    earlier_level: Level | None = None
    """Urgency of that call where a human was due then; None where the conversation just goes on."""
    met: bool = True
    """Whether the caller is on the line for sure: somebody else may pick up when we call."""
    denied: bool = False
    """Whether whoever picked up says that it was not them."""

    answered: bool = False
    """Whether the caller can hear us."""
    saying: int = 0
    """Number of the Say in progress; 0 for silence."""
    says: int = 0
    """Says given so far."""
    barge: bool = True
    """Whether the caller's voice may stop what is being said."""
    cut: bool = False
    """Whether the caller's voice stopped the last Say before its end."""
    held: int = 0
    """Number of the Say that was held last; it is held now where it is also the one in progress."""
    holds: int = 0
    """How often the Say in progress was held."""
    speaking: bool = False
    """Whether the caller is speaking."""

    asks: int = 0
    """AskDialogues given so far."""
    awaiting: int = 0
    """Number of the ask whose turn is awaited; 0 for none."""
    on_keys: bool = False
    """Whether the keypad menu leads the conversation."""
    question: Question | None = None
    """What the caller is being asked."""
    asked: frozenset[str] = frozenset()
    """Ids of all questions asked so far."""
    said: tuple[Prompt, ...] = ()
    """Sentences of the last turn, for "repeat"."""
    pending: Turn | None = None
    """A turn that waits for the greeting, or for the caller, to end."""
    words: Heard | None = None
    """What the caller said last, as it was given to the dialogue."""
    early: Heard | None = None
    """What the caller said before the dialogue was ready."""
    digits: str = ""
    """Keys collected for a number."""
    misses: int = 0
    """Consecutive silences and misunderstandings."""
    noises: int = 0
    """Consecutive sounds without words."""
    result: TriageResult | None = None
    """What the triage proposed."""

    handover: Handover | None = None
    """The wish for a human."""
    announce: tuple[Prompt, ...] = ()
    """What is said as soon as the caller stops speaking."""
    advice: tuple[Prompt, ...] = ()
    """What is said after the announcement if no human is there by then."""
    must_hear: bool = False
    """Whether the sentence in progress must be heard to its end before the bridge."""
    plan: tuple[RingStep, ...] = ()
    """Steps of ringing."""
    step: int = -1
    """Step in progress."""
    slots: int = 0
    """Agent legs made so far."""
    ringing: frozenset[str] = frozenset()
    """Agent legs that ring or are being dialled."""
    briefing: frozenset[str] = frozenset()
    """Agent legs that hear the summary."""
    accepted: str = ""
    """Agent leg that took the call."""
    bridged: bool = False
    """Whether caller and agent have ever been joined."""
    fresh: bool = False
    """Whether the bridge is so young that its end counts as a fault."""
    unanswered: bool = False
    """Whether a whole plan was rung in vain."""
    noted: bool = False
    """Whether a callback is written down or being written."""

    @property
    def holding(self) -> bool:
        """Whether what is being said is held until it is clear what the caller's voice means."""
        return bool(self.saying) and self.held == self.saying

    @property
    def finished(self) -> bool:
        """Whether the caller is gone and the record closed."""
        return self.state is State.ENDED
