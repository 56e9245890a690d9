"""The closed sets that labels of figures and attributes of spans are made of. Whatever is not in its set becomes
"other": neither a number nor a word of a caller can get in."""

from collections.abc import Set

from dialogs.port import Level
from ivr.call.commands import Engine
from ivr.call.events import Lull
from ivr.call.state import State
from ivr.ports import Cause
from masking.port import LegEnd

OTHER = "other"
MASKED = "masked"
"""State and outcome of calls through virtual numbers, which have a machine of their own."""
STATES = frozenset({MASKED, *(state.value for state in State)})
_RARE = {LegEnd.FAX, LegEnd.LOOP, LegEnd.REFUSED, LegEnd.OUT_OF_SERVICE}
ENDS = frozenset(end.value for end in LegEnd if end not in _RARE)
"""Why masked calls end; rare reasons share "other", for every value is a series of its own."""
LEVELS = frozenset(level.value for level in Level)
ENGINES = frozenset(engine.value for engine in Engine)
OUTCOMES = frozenset({MASKED, "bridged", "advised", "callback", "unanswered", "hung_up", "failed"})
"""How calls end; "failed" where a call ended without its record being closed."""
REFUSALS = frozenset({"full", "draining"})
"""Why a call was not taken. Never an overloaded recogniser: such calls are led by keys (ivr.pressure)."""
RESULTS = frozenset({"ok", "failed"})
LEG_RESULTS = frozenset({"answered", *(cause.value for cause in Cause)})
"""What became of ringing an agent's phone."""
PARTS = frozenset({"recogniser", "voice", "session", "dialogue", "journal", "line", "worker"})
"""Parts of ours that may break in a call."""
AIR = frozenset(lull.value for lull in Lull)
"""What filled silence that nobody asked for."""
VOICES = frozenset({"piper", "espeak", "pyttsx3", "flite", "silent"})
"""Voice engines."""
SOURCES = frozenset({"cache", "engine"})
"""Where a sentence's sound came from."""
PROCESSES = frozenset({"redis", "actions", "rasa", "edge", "worker", "up"})
"""Processes of the hotline, all workers under one word."""
URGENCIES = frozenset({"normal", "urgent", "emergency"})
"""Urgency of what is owed."""
PRESENCES = frozenset({"available", "away", "busy"})
"""What agents are."""


def closed(word: str, words: Set[str]) -> str:
    """The word where it is one of the set, else "other"."""
    return word if word in words else OTHER
