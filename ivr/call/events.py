"""What happened in one call. Frozen values; every one is journalled before the machine sees it.

Agent legs are named by slots that the machine itself gave out; a slot is used once.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from dialogs.port import Command, Level, RedFlag, Turn
from dialogs.port import Heard as Words
from ivr.ports import Cause
from routing.port import RingStep


@dataclass(frozen=True, slots=True, kw_only=True)
class CallArrived:
    """A caller's phone rings us."""

    call: str
    """Id of the call, opaque."""
    party: str
    """Opaque party id of the caller; empty while the vault cannot be read."""
    reachable: bool
    """Whether the caller could be called back."""
    language: str
    """Language the call starts in, ISO 639-1."""
    earlier: str = ""
    """Id of an earlier call of this caller that a fault of ours cut off; empty for none."""
    earlier_level: Level | None = None
    """Urgency of that call where a human was due then; None where none was."""
    rung_back: bool = False
    """Whether it was us who called, because of that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAnswered:
    """Media flows to and from the caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SayEnded:
    """Everything of one Say has been heard."""

    say: int
    """Number of the Say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechStarted:
    """The caller began to speak."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnTaken:
    """The caller's voice over a sentence of ours is more than a sign of listening: it has words, or it lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """The caller finished an utterance that has words."""

    words: Words
    """Final transcript."""
    yes: bool | None = None
    """True or False where the words are a plain yes or no in the call's language."""
    aside: bool = False
    """Whether it is only a sign of listening ("mm-hm"), said over a sentence for which it is no answer."""
    continues: bool = False
    """Whether it began so soon after the last utterance that it is the rest of it; a plain yes or no never is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingHeard:
    """What sounded like speech had no words."""

    seconds: float = 0.0
    """How long it sounded: a cough is short, mumbling is long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandHeard:
    """The caller spoke a universal command."""

    command: Command
    """Which one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedFlagRaised:
    """The safety net recognised a danger; it may come in the middle of an utterance."""

    flag: RedFlag
    """What, and what to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitPressed:
    """The caller pressed a key."""

    digit: str
    """0-9, *, #."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnReady:
    """The dialogue answered."""

    ask: int
    """Number of the Ask that it answers."""
    turn: Turn
    """What comes next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogueFailed:
    """No dialogue engine could answer."""

    ask: int
    """Number of the Ask that it answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReady:
    """Routing says whose phones ring, in which order."""

    steps: tuple[RingStep, ...]
    """May be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRinging:
    """An agent's phone rings."""

    slot: str
    """Agent leg."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentAnswered:
    """An agent picked up and can hear us."""

    slot: str
    """Agent leg."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefingEnded:
    """The agent has heard the whole summary once."""

    slot: str
    """Agent leg."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDigit:
    """An agent pressed a key."""

    slot: str
    """Agent leg."""
    digit: str
    """0-9, *, #."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentGone:
    """An agent leg is over: busy, declined, unreachable or hung up."""

    slot: str
    """Agent leg."""
    cause: Cause
    """Why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeFailed:
    """Caller and agent could not be joined."""

    slot: str
    """Agent leg."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackNoted:
    """The promised callback is durably written down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackFailed:
    """The callback could not be written down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired:
    """A timer ran out."""

    name: str
    """Name it was started with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HungUp:
    """The caller is gone."""

    cause: Cause
    """Why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something of ours broke in this call; the caller must reach a human all the same."""

    what: str
    """Stable short name of the part, for the journal."""


class Lull(StrEnum):
    """How far an unexcused silence of ours has come."""

    FILLER = "filler"
    """The caller hears a sound at once; it is already playing."""
    KEYS = "keys"
    """The keypad menu takes the lead."""
    HUMAN = "human"
    """A human is sought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadAir:
    """The caller has heard nothing of ours for too long, whatever the machine believes."""

    level: Lull
    """What is due."""


Event: TypeAlias = (
    CallArrived
    | CallAnswered
    | SayEnded
    | SpeechStarted
    | TurnTaken
    | Heard
    | NothingHeard
    | CommandHeard
    | RedFlagRaised
    | DigitPressed
    | TurnReady
    | DialogueFailed
    | PlanReady
    | AgentRinging
    | AgentAnswered
    | BriefingEnded
    | AgentDigit
    | AgentGone
    | BridgeFailed
    | CallbackNoted
    | CallbackFailed
    | TimerFired
    | HungUp
    | Trouble
    | DeadAir
)
