"""Figures from what the callers measured and from the hotline's own records. Pure."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from records.port import Entry
from scripts.bench.farm.plan import CALLERS, Case

_CUT_SECONDS = 0.1
_LEVELS = ("emergency", "urgent", "routine", "self_care")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Where one response gap went; seconds, one after the other."""

    heard: float
    """Caller's last sound to the final words: the way there, the silence that is waited for, the last decoding."""
    turn: float
    """Final words to the dialogue's turn."""
    said: float
    """Turn to the sentence handed to the line: the journal, and a voice where it was not kept."""
    sound: float
    """Handed over to the first sound on the caller's line: silence before the first word, pacing, the way back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One call, judged."""

    case: Case
    """What was placed."""
    completed: bool
    """Whether it has a record and ended by itself."""
    level: str
    """Level that it ended with; a call put through without one counts as urgent."""
    flagged: bool
    """Whether a red flag was raised."""
    ring: float | None
    """Seconds from the end of the utterance that raised the flag to the first ringing of an agent's phone; negative
    where it rang before the caller had finished."""
    gaps: tuple[float, ...]
    """Seconds from the caller's last sound to the hotline's next one."""
    parts: tuple[Parts, ...]
    """Of those that the record explains."""
    cuts: int
    """Utterances that the hotline took for finished while the caller still spoke."""
    utterances: int
    """Utterances that could have been cut."""
    barge: float | None
    """Seconds from the caller's first sound over the hotline to its silence."""
    barge_tried: bool
    """Whether the caller spoke over the hotline."""
    errors: int
    """Words wrong, missing or too many."""
    words: int
    """Words spoken."""

    @property
    def ok(self) -> bool:
        """Whether the call came out as the scenario wants."""
        wanted = CALLERS[self.case.scenario]["expect"]
        return self.completed and (not wanted or self.level == wanted)


def judge(case: Case, measured: dict[str, Any], entries: Sequence[Entry]) -> Scored:
    """One call."""
    said = measured["utterances"]
    clock = measured["clock"]
    spans = [(one["start"] + clock, one["end"] + clock, one) for one in said]
    flag = next((entry for entry in entries if entry.kind == "RedFlagRaised"), None)
    finals = [entry for entry in entries if entry.kind in ("Heard", "NothingHeard", "CommandHeard")]
    cuttable = [span for span in spans if flag is None or span[1] < flag.at]
    barges = [one for one in said if one["barge"]]
    heard = " ".join(_text(entry) for entry in entries if entry.kind == "Heard")
    spoken = " ".join(one["text"] for one in said if one["end"])
    errors, words = word_errors(spoken, heard)
    return Scored(
        case=case,
        completed=bool(entries) and measured["cause"] == "normal",
        level=_level(entries),
        flagged=flag is not None,
        ring=_ring(flag, entries, spans),
        gaps=tuple(
            one["answered"] - one["end"] for one in said if one["answered"] > one["end"] > 0 and not one["barge"]
        ),
        parts=tuple(found for start, end, one in spans if (found := _parts(one, end, clock, entries))),
        cuts=sum(any(start + 0.3 < entry.at < end - _CUT_SECONDS for entry in finals) for start, end, _ in cuttable),
        utterances=len(cuttable),
        barge=next((one["silent_after"] - one["start"] for one in barges if one["silent_after"]), None),
        barge_tried=bool(barges),
        errors=errors if flag is None else 0,
        words=words if flag is None else 0,
    )


def _parts(one: dict[str, Any], end: float, clock: float, entries: Sequence[Entry]) -> Parts | None:
    """The gap after an utterance; None where anything else than its own words led to the next sound."""
    answered = one["answered"] + clock
    if not answered > end or not one["end"] or one["barge"]:
        return None
    at = [end]
    for kind in ("Heard", "TurnReady", "Said"):
        found = [entry.at for entry in entries if entry.kind == kind and at[-1] <= entry.at <= answered]
        if not found:
            return None
        at.append(found[0])
    at.append(answered)
    return Parts(heard=at[1] - at[0], turn=at[2] - at[1], said=at[3] - at[2], sound=at[4] - at[3])


def _text(entry: Entry) -> str:
    words: Any = entry.data["words"]
    return str(words["text"])


def _level(entries: Sequence[Entry]) -> str:
    found: list[str] = []
    for entry in entries:
        data: Any = entry.data
        if entry.kind == "RedFlagRaised":
            found.append("emergency")
        if entry.kind == "TurnReady":
            found += [part["level"] for part in (data["turn"].get("result"), data["turn"].get("handover")) if part]
        if entry.kind == "Bridged":
            found.append("urgent")
    return min(found, key=_LEVELS.index, default="")


def _ring(flag: Entry | None, entries: Sequence[Entry], spans: Sequence[tuple[float, float, Any]]) -> float | None:
    rang = next((entry.at for entry in entries if entry.kind == "AgentRinging"), None)
    before = [end for start, end, _ in spans if flag is not None and start < flag.at]
    return rang - before[-1] if rang is not None and before else None


def word_errors(spoken: str, heard: str) -> tuple[int, int]:
    """Edit distance in words, and the number of words spoken."""
    wanted, got = (re.findall(r"[a-z']+", text.lower()) for text in (spoken, heard))
    row = list(range(len(got) + 1))
    for place, word in enumerate(wanted, 1):
        last, row[0] = row[0], place
        for column, other in enumerate(got, 1):
            last, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, last + (word != other))
    return row[-1], len(wanted)


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank. Raises ValueError for no values."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]


def interval(hits: int, of: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson, 1927)."""
    if not of:
        return 0.0, 1.0
    z, share = 1.96, hits / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def groups(scored: Iterable[Scored], key: Callable[[Case], object]) -> dict[str, list[Scored]]:
    """By a dimension of the matrix."""
    found: dict[str, list[Scored]] = {}
    for one in scored:
        found.setdefault(str(key(one.case)), []).append(one)
    return dict(sorted(found.items()))
