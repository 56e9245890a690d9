"""The moments of a call that figures, spans and the live table are made of."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class What(StrEnum):
    """What kind of moment; in brackets what the moment's fields mean beside `at`."""

    BEGAN = "began"
    STATE = "state"
    """(word: new state)"""
    LEVEL = "level"
    """(word: level of care, as soon as it is known and whenever it changes)"""
    LISTENED = "listened"
    """(seconds: delay of the final words)"""
    LOST = "lost"
    """(count: frames of audio lost)"""
    TURN_BEGAN = "turn_began"
    """(since: the caller's last sound)"""
    TURN_GONE = "turn_gone"
    """The caller went on speaking, or the turn came to nothing."""
    GAP = "gap"
    """(seconds: caller's last sound to our first)"""
    ASKED = "asked"
    """(key: number of the question, word: engine)"""
    ANSWERED = "answered"
    """(key, word, seconds; good: False where the engine failed)"""
    SAY = "say"
    """(key: number of the Say)"""
    PLAYED = "played"
    """(key, seconds: Say to sound)"""
    BARGED_IN = "barged_in"
    FLAG = "flag"
    """The first red flag of the call."""
    FLAG_RANG = "flag_rang"
    """(seconds)"""
    FLAG_BRIDGED = "flag_bridged"
    """(seconds)"""
    SOUGHT = "sought"
    """A human is sought (word: level)"""
    RUNG = "rung"
    """(key: agent leg)"""
    RINGING = "ringing"
    """(key)"""
    PICKED_UP = "picked_up"
    """(key, seconds: since rung)"""
    ACCEPTED = "accepted"
    """(key, seconds: since picked up)"""
    LEG_GONE = "leg_gone"
    """(key, word: cause; good: whether it had been answered)"""
    JOINING = "joining"
    """(key)"""
    JOINED = "joined"
    """(key, seconds: since joining)"""
    KEYS = "keys"
    """The keypad menu took the conversation over."""
    DEAD_AIR = "dead_air"
    """(word: what filled it)"""
    TROUBLE = "trouble"
    """(word: part)"""
    JOURNAL_LOST = "journal_lost"
    OWED = "owed"
    """A callback was promised."""
    MASKED_ENDED = "masked_ended"
    """(word: why, as in its records)"""
    ENDED = "ended"
    """(word: outcome, seconds: length of the call)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One moment of one call."""

    what: What
    """Kind."""
    at: float
    """Seconds of the observer's clock."""
    since: float = 0.0
    """When it began, same clock, where that is another time."""
    seconds: float = 0.0
    """What was measured."""
    word: str = ""
    """A word of a closed set."""
    key: str = ""
    """Names a thing inside the call: an agent leg, a Say. For joining moments only: never a label."""
    count: int = 1
    """How many."""
    good: bool = True
    """False for a failure."""


Tell: TypeAlias = Callable[[str, Moment], None]
"""Takes a call's id and a moment of it."""
