"""One call of the farm, line by line: what the hotline noted and what the caller said. Pure; synthetic callers only."""

from collections.abc import Sequence
from typing import Any

from records.port import Entry
from scripts.bench.farm.plan import Case


def story(case: Case, measured: dict[str, Any], entries: Sequence[Entry]) -> list[str]:
    """In the order of time, seconds from the first entry."""
    start = entries[0].at if entries else 0.0
    clock = measured["clock"]
    moments = [(entry.at - start, f"{entry.kind} {_brief(entry)}") for entry in entries]
    for one in measured["utterances"]:
        end = f" until {one['end'] + clock - start:.2f}" if one["end"] else ""
        moments.append((one["start"] + clock - start, f"    caller{end}: {one['text']}"))
    head = f"call {case.id}: {case.scenario}, {case.voice} x {case.rate}, noise {case.noise}, {measured['cause']}"
    return [head, *(f"  {at:7.2f}  {text}" for at, text in sorted(moments))]


def _brief(entry: Entry) -> str:
    data: Any = dict(entry.data)
    match entry.kind:
        case "Said":
            return " ".join(data["keys"])
        case "Heard":
            return str(data["words"]["text"])
        case "TurnReady":
            turn = data["turn"]
            question, result = turn.get("question"), turn.get("result")
            understood = "" if turn["understood"] else "not understood"
            parts = [question and question["id"], result and result["level"], understood]
            return " ".join(str(part) for part in parts if part)
        case _:
            return " ".join(f"{name}={value}" for name, value in data.items() if isinstance(value, str | int | float))
