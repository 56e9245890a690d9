"""Everything that a call may use, as one frozen value."""

from collections.abc import Callable
from dataclasses import dataclass

from dialogs.port import Dialogue, Prompts
from ivr.hearing import Ears
from ivr.ports import Line, Sound, Voice
from masking.port import Masking
from records.port import Callbacks, Journal
from routing.port import Router


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
    language: str = "en"
    """Language that calls start in."""
