"""What happened in a demo call, put together from both phones, the wire and the hotline's record."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dialogs.port import Heard
from dialogs.red_flags import load_rule_books
from dialogs.safety_net import RuleSafetyNet
from ivr.voices.choose import choose
from masking.leaks import LeakOracle
from records import database
from records.journal_sql import SqlJournal
from records.keys import keys_from_folder
from records.port import Entry
from records.store import Store
from scripts.phones.phone import ears
from scripts.phones.wire import Wire

Events = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing that was said."""

    who: str
    """"hotline", "patient" or "agent"."""
    text: str
    """Words."""
    start: float
    """Seconds since the patient's phone was answered."""
    end: float
    """The same."""
    heard: str = ""
    """For the patient: what the hotline heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The result."""

    scenario: str
    outcome: str
    level: str
    department: str
    transferred: bool
    agent_ring_ms: int | None
    response_gap_ms: tuple[int, ...]
    transcript: tuple[Said, ...]
    recogniser: str
    leak_hits: int
    wire_scanned: bool
    record: str
    marks: tuple[tuple[float, str], ...]
    """Other moments worth telling: seconds, what."""

    def for_machines(self) -> dict[str, Any]:
        """As JSON."""
        engine, _, model = self.recogniser.partition(" ")
        return {
            "scenario": self.scenario,
            "outcome": self.outcome,
            "level": self.level,
            "department": self.department,
            "transferred": self.transferred,
            "agent_ring_ms": self.agent_ring_ms,
            "response_gap_ms": list(self.response_gap_ms),
            "transcript": [asdict(one) for one in self.transcript],
            "recogniser": {"engine": engine, "model": model},
            "leak_hits": self.leak_hits,
            "wire_scanned": self.wire_scanned,
            "record": self.record,
        }

    def missed(self, expected: Mapping[str, object]) -> str:
        """What is not as the scenario says; empty where all is."""
        wrong = [
            f"{name} is {getattr(self, name)!r} instead of {value!r}"
            for name, value in expected.items()
            if getattr(self, name) != value
        ]
        return "; ".join(wrong + ([f"{self.leak_hits} leaks of the caller's number"] if self.leak_hits else []))


async def tell_story(
    scenario: str, var: Path, canary: str, patient: Events, agent: Events, wire: Wire, recogniser: str
) -> Story:
    """Put it together."""
    entries, outcome = await newest_call(var)
    zero = next((one["t"] for one in patient if one["event"] == "LegAnswered"), 0.0)
    clock = time.time() - time.monotonic()
    result = triage_result(entries)
    rings = [one["t"] for one in agent if one["event"] == "ringing"]
    words_end = await red_flag_end(var, patient, entries)
    hits = LeakOracle([canary])
    leaks = len(hits.scan(b"\n".join(wire.payloads), "wire")) + len(await asyncio.to_thread(hits.scan_folder, var))
    return Story(
        scenario=scenario,
        outcome=outcome,
        level=result["level"],
        department=result["department"],
        transferred=transferred(entries, patient, agent),
        agent_ring_ms=round(1000 * (rings[0] - words_end)) if rings and words_end is not None else None,
        response_gap_ms=tuple(round(1000 * gap) for gap in gaps(patient)),
        transcript=tuple(sorted(transcript(entries, patient, agent, zero, clock), key=lambda one: one.start)),
        recogniser=recogniser,
        leak_hits=leaks,
        wire_scanned=wire.allowed,
        record=entries[0].call if entries else "",
        marks=tuple(marks(entries, agent, zero, clock)),
    )


async def newest_call(var: Path) -> tuple[tuple[Entry, ...], str]:
    """The hotline's record of the last call, and its outcome."""
    store = Store(database.prepare(f"sqlite:///{var / 'triageline.db'}"))
    try:
        journal = SqlJournal(store, keys_from_folder(var / "keys"))
        calls = await journal.list(1)
        return (await journal.read(calls[0].call), calls[0].outcome) if calls else ((), "no call")
    finally:
        await asyncio.to_thread(store.close)


def triage_result(entries: tuple[Entry, ...]) -> dict[str, str]:
    """Level and department: of a red flag where one was raised, else of the triage, else of the handover."""
    found = {"level": "", "department": ""}
    for entry in entries:
        data: Any = entry.data
        if entry.kind == "RedFlagRaised":
            return {"level": "emergency", "department": data["flag"]["department"]}
        if entry.kind == "TurnReady":
            for part in (data["turn"].get("result"), data["turn"].get("handover")):
                if part and not found["level"]:
                    found = {"level": part["level"], "department": part["department"]}
    return found


def transferred(entries: tuple[Entry, ...], patient: Events, agent: Events) -> bool:
    """Bridged, and each heard the other's voice."""
    bridged = any(entry.kind == "Bridged" for entry in entries)
    accepted = next((one["t"] for one in agent if one["event"] == "accepts"), None)
    heard_nurse = any(one["event"] == "heard" and one["key"] == "agent.hello" for one in patient)
    heard_patient = accepted is not None and any(one["event"] == "heard" and one["start"] > accepted for one in agent)
    return bridged and heard_nurse and heard_patient


def gaps(patient: Events) -> list[float]:
    """Seconds from the patient's last word to the first sound of the answer, on the patient's phone."""
    found = []
    end: float | None = None
    for one in patient:
        if one["event"] == "said_end":
            end = one["t"]
        elif one["event"] == "said" or (one["event"] == "heard" and one["key"] == "agent.hello"):
            end = None
        elif one["event"] == "voice" and end is not None:
            found.append(max(0.0, one["start"] - end))
            end = None
    return found


async def red_flag_end(var: Path, patient: Events, entries: tuple[Entry, ...]) -> float | None:
    """When the words that raised the alarm ended, on the monotonic clock: the patient's own audio is recognised again
    with word times, and the safety net is asked after each word. None where no flag was raised."""
    raised = next((entry for entry in entries if entry.kind == "RedFlagRaised"), None)
    clock = time.time() - time.monotonic()
    said = [one for one in patient if one["event"] == "said" and one.get("seconds")]
    before = [one for one in said if raised is None or one["t"] <= raised.at - clock]
    if raised is None or not before:
        return None
    last = before[-1]
    offset = await asyncio.to_thread(flag_offset, last["text"], str(last.get("voice", "")))
    seconds = float(last["seconds"])
    return float(last["t"]) + min(seconds if offset is None else offset, seconds)


def flag_offset(text: str, voice: str) -> float | None:
    """Seconds into an utterance at which its words first mean danger."""
    return asyncio.run(_flag_offset(text, voice)) if voice else None


async def _flag_offset(text: str, voice: str) -> float | None:
    pcm = await choose(voice).speak(text, keep=False)
    recogniser = await ears(Path("var/models"))
    stream = recogniser.stream()
    await stream.feed(pcm)
    words = (await stream.finish()).words
    net = RuleSafetyNet(load_rule_books(Path("dialogs")))
    for count in range(1, len(words) + 1):
        heard = Heard(text=" ".join(word.text for word in words[:count]), final=False)
        if net.check(heard, None, "en"):
            return words[count - 1].end
    return None


def transcript(entries: tuple[Entry, ...], patient: Events, agent: Events, zero: float, clock: float) -> list[Said]:
    """Who said what, when."""
    told = [hotline_said(entry, entries, zero, clock) for entry in entries if entry.kind == "Said"]
    heard = [entry for entry in entries if entry.kind in ("Heard", "CommandHeard", "RedFlagRaised")]
    for who, events in (("patient", patient), ("agent", agent)):
        for one in events:
            if one["event"] != "said":
                continue
            start = one["t"] - zero
            end = start + one.get("seconds", 0.0)
            match = next((entry for entry in heard if entry.at - clock >= one["t"] and entry.kind == "Heard"), None)
            words: Any = match.data if match and match.at - clock - zero < end + 2.5 and who == "patient" else {}
            text = words.get("words", {}).get("text", "") if words else ""
            told.append(Said(who=who, text=one["text"], start=round(start, 2), end=round(end, 2), heard=text))
    return [one for one in told if one.text]


def hotline_said(entry: Entry, entries: tuple[Entry, ...], zero: float, clock: float) -> Said:
    """One Say of the hotline; it lasts until its end is noted, or until something stops it."""
    data: Any = entry.data
    start = entry.at - clock - zero
    later = [one for one in entries if one.at > entry.at]
    stops = ("Said", "SpeechStarted", "Bridged", "HungUp")
    end = next((one for one in later if one.kind in stops or _ends(one, data["say"])), None)
    return Said(
        who="hotline", text=data["text"], start=round(start, 2), end=round(end.at - clock - zero if end else start, 2)
    )


def _ends(entry: Entry, say: int) -> bool:
    data: Any = entry.data
    return entry.kind == "SayEnded" and data["say"] == say


def marks(entries: tuple[Entry, ...], agent: Events, zero: float, clock: float) -> list[tuple[float, str]]:
    """Moments of the record and of the agent's phone."""
    names = {"RedFlagRaised": "RED FLAG recognised", "Bridged": "patient and agent are connected", "HungUp": "hung up"}
    found = [(entry.at - clock - zero, names[entry.kind]) for entry in entries if entry.kind in names]
    texts = {"ringing": "the agent's phone rings", "accepts": "the agent presses 1"}
    found += [(one["t"] - zero, texts[one["event"]]) for one in agent if one["event"] in texts]
    whispers: list[Any] = [entry for entry in entries if entry.kind == "Briefed"]
    if whispers:
        found.append((whispers[0].at - clock - zero, f'the agent is told: "{whispers[0].data["text"]}"'))
    return found


def render(story: Story) -> str:
    """For people."""
    lines = ["", "what was said (seconds since the answer)"]
    rows = [(one.start, f"{one.who + ':':<9} {one.text}" + heard_note(one)) for one in story.transcript]
    rows += [(at, f"  -- {what}") for at, what in story.marks]
    lines += [f"  {at:6.1f}  {text}" for at, text in sorted(rows)]
    gaps_text = ", ".join(f"{gap} ms" for gap in story.response_gap_ms) or "none"
    lines += ["", "latencies", f"  patient's last word -> hotline's first sound, per turn: {gaps_text}"]
    if story.agent_ring_ms is not None:
        early = " (before: the words were recognised while still being spoken)" if story.agent_ring_ms < 0 else ""
        lines.append(f"  end of the red-flag words -> agent's phone rings: {story.agent_ring_ms} ms{early}")
    scanned = "SIP and RTP bytes to the agent, " if story.wire_scanned else "(wire not scanned: needs root) "
    lines += [
        "",
        "result",
        f"  outcome {story.outcome}; level {story.level or 'none'}; department {story.department or 'none'};"
        f" human on the line: {'yes' if story.transferred else 'no'}",
        f"  recogniser: {story.recogniser}",
        f"  caller's number found in {scanned}logs, database, files: {story.leak_hits} times",
        f"  record: TRIAGELINE_PATHS__VAR=var/demo .venv/bin/triageline calls show {story.record}",
    ]
    return "\n".join(lines)


def heard_note(one: Said) -> str:
    """What the hotline heard, where it differs."""
    return f"   (heard: {one.heard})" if one.heard and one.heard != one.text else ""
