"""Verdicts as text for a terminal. Pure."""

from collections.abc import Sequence
from itertools import zip_longest
from textwrap import wrap
from typing import Any

from ivr.replay.compare import Difference, Verdict

COLUMN = 42
LABEL = 14


def render(name: str, verdict: Verdict) -> str:
    """One replayed call, then and now side by side."""
    lines = [f"call {name}: {_summary(verdict)}", *(f"  ALARM  {alarm}" for alarm in verdict.alarms)]
    if verdict.differences:
        lines += ["", f"  {'':<{LABEL}}{'then':<{COLUMN}}now"]
    for one in verdict.differences:
        lines += _side_by_side(one)
    lines += [f"  not said any more, though the caller had an answer: {key}" for key in verdict.unsaid if key]
    return "\n".join(lines) + "\n"


def render_table(verdicts: Sequence[tuple[str, Verdict | str]]) -> str:
    """One line a call; a text in place of a verdict says why it could not be replayed."""
    width = max([4, *(len(name) for name, _ in verdicts)])
    lines = [f"{'call':<{width}}  {'then':<10} {'now':<10} {'differs':>7}  verdict"]
    for name, verdict in verdicts:
        if isinstance(verdict, str):
            lines.append(f"{name:<{width}}  {'-':<10} {'-':<10} {'-':>7}  NOT REPLAYED: {verdict}")
            continue
        before, after = (story.rank.name.lower() for story in (verdict.before, verdict.after))
        said = "ALARM: " + verdict.alarms[0] if verdict.alarms else "ok"
        lines.append(f"{name:<{width}}  {before:<10} {after:<10} {len(verdict.differences):>7}  {said}")
    alarms = sum(isinstance(one, str) or not one.safe for _, one in verdicts)
    lines.append(f"{len(verdicts)} calls, {alarms} with an alarm")
    return "\n".join(lines) + "\n"


def _summary(verdict: Verdict) -> str:
    if verdict.alarms:
        return "LESS SAFE than it was"
    return f"{len(verdict.differences)} differences, none of them an alarm" if verdict.differences else "as it was"


def _side_by_side(one: Difference) -> list[str]:
    if isinstance(one.before, tuple):
        pairs = list(zip_longest(one.before, one.after, fillvalue=""))
        rows = [pair for pair in pairs if pair[0] != pair[1]] or pairs
    else:
        rows = [(one.before, one.after)]
    lines: list[str] = []
    for number, (before, after) in enumerate(rows):
        cells = zip_longest(_cell(before), _cell(after), fillvalue="")
        lines += [
            f"  {one.what if not number and not line else '':<{LABEL}}{left:<{COLUMN}}{right}".rstrip()
            for line, (left, right) in enumerate(cells)
        ]
    return lines


def _cell(value: Any) -> list[str]:
    text = {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    return wrap(text, COLUMN - 2) or ["-"]
