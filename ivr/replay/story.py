"""What came of a call, as far as two versions of the hotline can be compared by it. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

from ivr.replay.tape import Mark, seconds

NO_WORDS = "(no words)"
_RANKS = {"emergency": 3, "urgent": 2}


class Rank(IntEnum):
    """How urgent the hotline took the call, from whatever showed it."""

    NOTHING = 0
    HUMAN = 1
    URGENT = 2
    EMERGENCY = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A red flag."""

    rule: str
    """Name of the rule."""
    at: float
    """Seconds of the tape at which it was raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One run of one call."""

    heard: tuple[str, ...] = ()
    """Final words of each utterance."""
    asked: tuple[str, ...] = ()
    """Questions, in order."""
    flags: tuple[Flag, ...] = ()
    """Red flags, in order."""
    rank: Rank = Rank.NOTHING
    """The most urgent that the call was taken for."""
    level: str = ""
    """What the triage proposed; empty where it came to no result."""
    department: str = ""
    """With that, or with the search for a human."""
    complaint: str = ""
    """Main complaint of the result."""
    reasons: tuple[str, ...] = ()
    """Rules behind result and handover."""
    human: bool = False
    """Whether a human was sought."""
    bridged: bool = False
    """Whether one was reached."""
    path: tuple[str, ...] = ()
    """States of the call."""
    troubles: tuple[str, ...] = ()
    """Parts that broke."""
    outcome: str = ""
    """As in the list of calls."""


def story(marks: tuple[Mark, ...]) -> Story:
    """The story that marks tell."""
    told: dict[str, Any] = {one.name: one.default for one in fields(Story)}
    for mark in marks:
        if teller := _TELLERS.get(mark.kind):
            teller(told, mark)
    return Story(**told)


def _more(told: dict[str, Any], name: str, *values: object) -> None:
    told[name] = (*told[name], *values)


def _rank(told: dict[str, Any], level: object, least: Rank) -> None:
    told["rank"] = max(told["rank"], Rank(_RANKS.get(str(level), least)))


def _heard(told: dict[str, Any], mark: Mark) -> None:
    _more(told, "heard", str(mark.data["words"]["text"]))


def _nothing(told: dict[str, Any], mark: Mark) -> None:
    _more(told, "heard", NO_WORDS)


def _command(told: dict[str, Any], mark: Mark) -> None:
    _more(told, "heard", f"(asks for: {mark.data['command']})")


def _key(told: dict[str, Any], mark: Mark) -> None:
    _more(told, "heard", f"(key {mark.data['digit']})")


def _flag(told: dict[str, Any], mark: Mark) -> None:
    flag = mark.data["flag"]
    _more(told, "flags", Flag(rule=str(flag["rule"]), at=seconds(mark.frame)))
    _rank(told, "emergency", Rank.EMERGENCY)


def _turn(told: dict[str, Any], mark: Mark) -> None:
    turn: Mapping[str, Any] = mark.data["turn"]
    if turn.get("question"):
        _more(told, "asked", str(turn["question"]["id"]))
    if handover := turn.get("handover"):
        _rank(told, handover["level"], Rank.HUMAN)
        _more(told, "reasons", str(handover["reason"]))
    if result := turn.get("result"):
        told.update({name: str(result[name]) for name in ("level", "department", "complaint")})
        _more(told, "reasons", *(str(one) for one in result["reasons"]))
        _rank(told, result["level"], Rank.NOTHING)


def _order(told: dict[str, Any], mark: Mark) -> None:
    match mark.data.get("order"):
        case "FindAgent":
            told["human"] = True
            told["department"] = told["department"] or str(mark.data.get("department", ""))
            _rank(told, mark.data.get("level"), Rank.HUMAN)
        case "Finish":
            told["outcome"] = str(mark.data["outcome"])
        case _:
            pass


def _state(told: dict[str, Any], mark: Mark) -> None:
    _more(told, "path", str(mark.data["state"]))


def _trouble(told: dict[str, Any], mark: Mark) -> None:
    _more(told, "troubles", str(mark.data.get("what", "dialogue")))


def _bridged(told: dict[str, Any], mark: Mark) -> None:
    told["bridged"] = True


_TELLERS: dict[str, Callable[[dict[str, Any], Mark], None]] = {
    "Heard": _heard,
    "NothingHeard": _nothing,
    "CommandHeard": _command,
    "DigitPressed": _key,
    "RedFlagRaised": _flag,
    "TurnReady": _turn,
    "order": _order,
    "state": _state,
    "Trouble": _trouble,
    "DialogueFailed": _trouble,
    "Bridged": _bridged,
}
