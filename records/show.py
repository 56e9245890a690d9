"""Calls and journals as text for a terminal. Everything a caller, an agent or a header could have put in is escaped."""

import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo

from records.port import Callback, CallLine, Entry, Json

LONGEST = 200
"""Characters of one field; the journal has the rest."""
URGENCY_WORDS = ("normal", "urgent", "emergency")
"""By routing's scale."""
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def escape(text: str) -> str:
    """The text without anything that moves a cursor, changes colours or turns the direction of writing."""
    return "".join(_safe(char) for char in text)


def render_list(calls: Sequence[CallLine], *, zone: tzinfo = UTC) -> str:
    """One line a call: start, length, outcome, id."""
    if not calls:
        return "no calls\n"
    rows = [("started", "length", "outcome", "call")] + [
        (
            datetime.fromtimestamp(call.started, zone).strftime("%Y-%m-%d %H:%M:%S"),
            "-" if call.ended is None else f"{call.ended - call.started:.0f} s",
            escape(call.outcome),
            escape(call.call),
        )
        for call in calls
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "".join(f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:<{widths[2]}}  {row[3]}\n" for row in rows)


def render_call(entries: Sequence[Entry], *, zone: tzinfo = UTC) -> str:
    """The timeline of one call, in seconds since its start."""
    if not entries:
        return "an empty call\n"
    start = entries[0].at
    head = f"call {escape(entries[0].call)}, {datetime.fromtimestamp(start, zone):%Y-%m-%d %H:%M:%S %Z}\n"
    return head + "".join(f"{entry.at - start:8.2f}  {_describe(entry)}\n" for entry in entries)


def _safe(char: str) -> str:
    if unicodedata.category(char) not in _UNSAFE:
        return char
    return char.encode("unicode_escape", "surrogatepass").decode()


def _describe(entry: Entry) -> str:
    """A known kind as a sentence, any other as its name and data."""
    known = _KINDS.get(entry.kind)
    rest = {name: value for name, value in entry.data.items() if name != "t"}  # "t": the engine's own time
    text = known(entry.data) if known else f"{entry.kind} {_short(rest)}"
    return escape(_cut(text.rstrip()))


def _short(value: Json) -> str:
    """A value in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={_short(one)}" for name, one in value.items() if one not in (None, "", [], {}))
    if isinstance(value, list):
        return "[" + "; ".join(_short(one) for one in value) + "]"
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _at(data: Mapping[str, Json], *path: str) -> Json:
    """A nested field, None where it is not there: journals outlive the classes that wrote them."""
    value: Json = data
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _word(data: Mapping[str, Json], *path: str) -> str:
    value = _at(data, *path)
    return "" if value is None else _short(value)


def _listed(data: Mapping[str, Json], *path: str) -> list[Json]:
    value = _at(data, *path)
    return list(value) if isinstance(value, list | tuple) else []


def _maps(values: list[Json]) -> list[Mapping[str, Json]]:
    return [value for value in values if isinstance(value, Mapping)]


def _heard(data: Mapping[str, Json]) -> str:
    inside = data if "text" in data else _at(data, "words")
    words = inside if isinstance(inside, Mapping) else {}
    sure = words.get("confidence")
    return f'caller    "{_word(words, "text")}"' + (f"  ({sure:.2f})" if isinstance(sure, int | float) else "")


def _prompts(prompts: list[Json]) -> str:
    keys = [_word(one, "key") if isinstance(one, Mapping) else _short(one) for one in prompts]
    return " + ".join(key for key in keys if key)


def _said(data: Mapping[str, Json]) -> str:
    text = _word(data, "text") or _word(data, "key") or _prompts(_listed(data, "prompts"))
    return f'hotline   "{text}"'


def _briefed(data: Mapping[str, Json]) -> str:
    return f'agent     {_word(data, "slot")} is told "{_word(data, "text")}"'


def _turn(data: Mapping[str, Json]) -> str:
    inside = _at(data, "turn")
    turn: Mapping[str, Json] = inside if isinstance(inside, Mapping) else data
    parts = [
        ("says", _prompts(_listed(turn, "say"))),
        ("asks", _word(turn, "question", "id")),
        ("hands over", _word(turn, "handover", "reason")),
        ("result", " ".join(filter(None, (_word(turn, "result", "level"), _word(turn, "result", "department"))))),
    ]
    return "dialogue  " + ", ".join(f"{name} {value}" for name, value in parts if value)


def _flag(data: Mapping[str, Json]) -> str:
    rule = _word(data, "flag", "rule") or _word(data, "rule")
    words = _word(data, "flag", "words") or _word(data, "words")
    return f"RED FLAG  {rule}" + (f': "{words}"' if words else "")


def _plan(data: Mapping[str, Json]) -> str:
    steps = [
        f"{_word(step, 'name')} ({', '.join(_word(one, 'id') for one in _maps(_listed(step, 'agents')))})"
        for step in _maps(_listed(data, "steps"))
    ]
    return "routing   " + (", then ".join(steps) or "nobody to ask")


def _agent(what: str) -> Callable[[Mapping[str, Json]], str]:
    def describe(data: Mapping[str, Json]) -> str:
        who = _word(data, "agent") or _word(data, "slot")
        more = " ".join(filter(None, (_word(data, "digit"), _word(data, "cause"))))
        return f"agent     {who} {what} {more}"

    return describe


def _fixed(label: str, text: str, *fields: str) -> Callable[[Mapping[str, Json]], str]:
    def describe(data: Mapping[str, Json]) -> str:
        values = " ".join(value for value in (_word(data, field) for field in fields) if value)
        return f"{label:<9} {text} {values}"

    return describe


_KINDS: Mapping[str, Callable[[Mapping[str, Json]], str]] = {
    "CallArrived": _fixed("call", "arrives, language", "language"),
    "CallAnswered": _fixed("call", "answered"),
    "PromptSaid": _said,
    "Said": _said,
    "Briefed": _briefed,
    "SayEnded": _fixed("hotline", "has said", "say"),
    "SpeechStarted": _fixed("caller", "begins to speak"),
    "TurnTaken": _fixed("caller", "takes the turn"),
    "Heard": _heard,
    "NothingHeard": _fixed("caller", "makes a sound without words"),
    "CommandHeard": _fixed("caller", "asks for", "command"),
    "DigitPressed": _fixed("caller", "presses", "digit"),
    "RedFlagRaised": _flag,
    "TurnReady": _turn,
    "DialogueFailed": _fixed("dialogue", "failed"),
    "PlanReady": _plan,
    "AgentRinging": _agent("rings"),
    "AgentAnswered": _agent("answers"),
    "BriefingEnded": _agent("has heard the summary"),
    "AgentDigit": _agent("presses"),
    "AgentAccepted": _agent("accepts"),
    "AgentGone": _agent("is gone:"),
    "Bridged": _agent("and caller talk"),
    "BridgeFailed": _agent("could not be joined"),
    "CallbackNoted": _fixed("callback", "written down"),
    "CallbackFailed": _fixed("callback", "could not be written down"),
    "TimerFired": _fixed("timer", "ran out:", "name"),
    "HungUp": _fixed("caller", "is gone:", "cause"),
    "Trouble": _fixed("TROUBLE", "in", "what"),
    "Finished": _fixed("outcome", "", "outcome"),
    "Finish": _fixed("outcome", "", "outcome"),
}


def render_callbacks(callbacks: Sequence[Callback], *, zone: tzinfo = UTC) -> str:
    """Callbacks owed, one a line; the number stays in the vault."""
    if not callbacks:
        return "No callback is owed."
    lines = [
        f"{one.id:<20} {datetime.fromtimestamp(one.at, zone):%Y-%m-%d %H:%M} {URGENCY_WORDS[min(one.urgency, 2)]}"
        for one in callbacks
    ]
    return "\n".join(lines)
