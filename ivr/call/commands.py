"""What to do next. Frozen values that the machine gives and the session carries out through ports."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from dialogs.port import Heard, Level, Prompt, Question
from routing.port import Agent


class Engine(StrEnum):
    """Which conversation engine is asked."""

    TALK = "talk"
    KEYS = "keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Answer the caller's leg."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Say sentences to the caller, replacing what is being said; ends in SayEnded unless stopped or replaced."""

    say: int
    """Number, new for every Say of a call."""
    prompts: tuple[Prompt, ...]
    """In order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSaying:
    """Be silent to the caller at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Be silent to the caller at once, but keep the place in the Say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoOn:
    """Go on with the Say that is held, from the pause before the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Expect an answer to this question from now on; None means free speech."""

    question: Question | None
    """Chooses grammar and patience."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskDialogue:
    """Ask an engine for the next turn; ends in TurnReady or DialogueFailed. Neither words nor digit means: start."""

    ask: int
    """Number, new for every AskDialogue of a call."""
    engine: Engine
    """Which engine."""
    words: Heard | None = None
    """What the caller said."""
    digit: str = ""
    """Key that the caller pressed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindAgent:
    """Ask routing for a plan; ends in PlanReady."""

    level: Level
    """Urgency."""
    department: str
    """Department wanted; empty for any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """Ring one agent's phone; AgentRinging, AgentAnswered and at last AgentGone follow."""

    slot: str
    """Name for the new leg."""
    agent: Agent
    """Who."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """Whisper to an agent; ends in BriefingEnded."""

    slot: str
    """Agent leg."""
    prompts: tuple[Prompt, ...]
    """In order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DropAgent:
    """End an agent leg in any state; the machine expects no more of this slot."""

    slot: str
    """Agent leg."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """Join caller and agent; silent on success, BridgeFailed otherwise."""

    slot: str
    """Agent leg."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteCallback:
    """Write a callback down; ends in CallbackNoted or CallbackFailed."""

    level: Level
    """Urgency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTimer:
    """Start or restart a named timer; ends in TimerFired."""

    name: str
    """Unique in the call."""
    seconds: float
    """Time of the call's own clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTimer:
    """Forget a timer; stopping one that does not run does nothing."""

    name: str
    """As started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUp:
    """End the caller's leg."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The call is over: close its record and forget it."""

    outcome: str
    """"bridged", "advised", "callback", "unanswered", "not_reached" or "hung_up"."""


Command: TypeAlias = (
    Answer
    | Say
    | StopSaying
    | Hold
    | GoOn
    | Listen
    | AskDialogue
    | FindAgent
    | Ring
    | Brief
    | DropAgent
    | Bridge
    | NoteCallback
    | StartTimer
    | StopTimer
    | HangUp
    | Finish
)
