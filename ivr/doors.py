"""Everything that a call may use, as one frozen value."""

from collections.abc import Callable
from dataclasses import dataclass, field

from dialogs.port import Dialogue, Prompts
from ivr.hearing import Ears
from ivr.notes import Behind
from ivr.ports import Line, Sound, Voice
from ivr.pressure import Pressure
from ivr.watch.watcher import Nobody as Unwatched
from ivr.watch.watcher import Watcher
from ivr.witness import Witnesses
from masking.port import Masking
from records.port import Callbacks, Journal, Lifelines
from routing.port import Router


def _nothing(text: str) -> bytes | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Everything a session may use; made once by bootstrap."""

    line: Line
    """Phone legs."""
    sound: Sound
    """What is heard on them."""
    ears: Ears | None
    """Recognition and safety net; None where no model answers: then the keys lead."""
    voice: Voice
    """Text to speech."""
    prompts: Prompts
    """Sentences by name."""
    talk: Dialogue
    """The conversation."""
    keys: Dialogue
    """The keypad menu."""
    router: Router
    """Whose phones ring."""
    masking: Masking
    """Party ids and neutral caller ids."""
    journal: Journal
    """What happened."""
    callbacks: Callbacks
    """Promises to call back."""
    clock: Callable[[], float]
    """Seconds since the epoch."""
    witness: Witnesses | None = None
    """Who watches each call, if anybody: calls can be recorded for test."""
    lifelines: Lifelines | None = None
    """Calls in progress, for ringing callers back after a fault; None where nobody would."""
    keeper: str = ""
    """This process, among those that may have calls."""
    behind: Behind = field(default_factory=Behind)
    """What calls write after their time."""
    watcher: Watcher = field(default_factory=Unwatched)
    """Who measures: figures, spans, the live table."""
    pressure: Pressure | None = None
    """How late recognition is in this process; None where that is not measured."""
    kept: Callable[[str], bytes | None] = _nothing
    """What a sentence sounds like, where that is in memory: never waits for a voice."""
    language: str = "en"
    """Language that calls start in."""
