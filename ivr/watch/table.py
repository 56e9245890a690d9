"""The live table of `triageline top`, drawn from what the workers and the agents' book say. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

GAP_GOOD_MS, GAP_BAD_MS = 700, 1200
"""Budgets of the response gap."""
NARROW, TINY = 70, 50
"""Widths of the terminal below which only what matters more, and most, is shown."""
MOST_CALLS = 40
"""Calls shown at once."""
SAID = {"taking": ("taking calls", "green"), "standby": ("standing by", "dim"), "draining": ("draining", "yellow")}
"""States of a worker, and how they look."""
URGENT_FIRST = ("emergency", "urgent", "routine", "self_care", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSeen:
    """One agent."""

    id: str
    """Name from the roster."""
    presence: str
    """"available", "away", or "unknown" without Redis."""
    call: str
    """Id of the call that holds the agent; empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The hotline at one moment."""

    workers: Sequence[dict[str, Any]]
    """What the workers said last."""
    agents: Sequence[AgentSeen]
    """All agents."""
    now: float
    """Seconds since the epoch."""
    api: str = ""
    """Where the web API is served, or why it is not; empty where it is off."""
    api_good: bool = True
    """Whether it is served."""


def draw(seen: Seen, width: int) -> RenderableType:
    """The whole screen, for so many columns."""
    return Group(_headline(seen), *_api(seen), _workers(seen, width), _calls(seen, width), _agents(seen, width))


def _headline(seen: Seen) -> Text:
    calls = sum(len(one["calls"]) for one in seen.workers)
    places = sum(one["places"] for one in seen.workers)
    turns = sum(one["recent"]["turns"] for one in seen.workers)
    air = sum(one["recent"]["dead_air"] for one in seen.workers)
    minutes = round(max(one["recent"]["seconds"] for one in seen.workers) / 60)
    line = Text(f"{calls} of {places} places taken", style="bold")
    line.append(f"   last {minutes} min: {turns} answers", style="not bold")
    if turns:
        line.append(", p50 ", style="not bold").append_text(gap(_worst(seen, "gap_p50_ms"), GAP_GOOD_MS))
        line.append(", p95 ", style="not bold").append_text(gap(_worst(seen, "gap_p95_ms"), GAP_BAD_MS))
    return line.append(f", dead air {air}", style="bold red" if air else "not bold")


def _api(seen: Seen) -> tuple[Text, ...]:
    return (Text(f"API: {seen.api}", style="" if seen.api_good else "bold red"),) if seen.api else ()


def _worst(seen: Seen, name: str) -> int | None:
    """Of all workers: their own quantiles cannot be joined, and the worst is what matters."""
    return max((one["recent"][name] for one in seen.workers if one["recent"][name] is not None), default=None)


class _Sheet:
    """A table that leaves out what a narrow terminal has no room for."""

    def __init__(self, title: str, width: int, *columns: tuple[str, bool, int]) -> None:
        """`columns`: name, whether it holds figures, and the least width of the terminal to show it."""
        self._shown = [width >= least for _, _, least in columns]
        self.table = Table(
            title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False
        )
        for name, right, least in columns:
            if width >= least:
                self.table.add_column(name, justify="right" if right else "left", no_wrap=True, overflow="ellipsis")

    def row(self, *cells: RenderableType) -> None:
        """Cells of all columns, also of those left out."""
        self.table.add_row(*(cell for cell, shown in zip(cells, self._shown, strict=True) if shown))


def _workers(seen: Seen, width: int) -> RenderableType:
    sheet = _Sheet(
        "\nWorkers", width, ("worker", False, 0), ("pid", True, NARROW), ("up", True, TINY), ("calls", True, 0),
        ("memory", True, TINY), ("says", False, 0),
    )  # fmt: skip
    for one in seen.workers:
        said, style = _condition(one, seen.now)
        sheet.row(
            str(one["worker"]), str(one["pid"]), duration(seen.now - one["since"]),
            f"{len(one['calls'])}/{one['places']}", f"{one['memory_mb']:.0f} MB", Text(said, style=style),
        )  # fmt: skip
    return sheet.table


def _condition(one: dict[str, Any], now: float) -> tuple[str, str]:
    if not one["alive"]:
        return "gone", "bold red"
    if now - one["at"] > 5:
        return f"silent for {duration(now - one['at'])}", "bold red"
    return SAID.get(one["state"], (str(one["state"]), ""))


def _calls(seen: Seen, width: int) -> RenderableType:
    found = [(call, worker["worker"]) for worker in seen.workers for call in worker["calls"]]
    found.sort(key=lambda one: (_rank(one[0]["level"]), -one[0]["seconds"]))
    title = "Calls" if len(found) <= MOST_CALLS else f"Calls (the first {MOST_CALLS} of {len(found)})"
    if not found:
        return Text("\nCalls: none", style="bold")
    sheet = _Sheet(
        f"\n{title}", width, ("call", False, 0), ("state", False, TINY), ("for", True, 0), ("level", False, 0),
        ("gap", True, TINY), ("dead air", True, NARROW), ("worker", False, NARROW),
    )  # fmt: skip
    for call, worker in found[:MOST_CALLS]:
        level = Text(call["level"] or "-", style=_level_style(call["level"]))
        if call["red_flag"]:
            level.append(" !", style="bold red")
        sheet.row(
            call["call"], call["state"], duration(call["seconds"]), level, gap(call["gap_ms"], GAP_BAD_MS),
            str(call["dead_air"] or "-"), worker,
        )  # fmt: skip
    return sheet.table


def _rank(level: str) -> int:
    return URGENT_FIRST.index(level) if level in URGENT_FIRST else len(URGENT_FIRST)


def _level_style(level: str) -> str:
    return {"emergency": "bold red", "urgent": "yellow"}.get(level, "")


def _agents(seen: Seen, width: int) -> RenderableType:
    if not seen.agents:
        return Text("\nAgents: none", style="bold red")
    sheet = _Sheet("\nAgents", width, ("agent", False, 0), ("presence", False, 0), ("call", False, 0))
    for one in seen.agents:
        busy = Text("busy", style="yellow") if one.call else Text(one.presence, style=_presence_style(one.presence))
        sheet.row(one.id, busy, one.call or "-")
    return sheet.table


def _presence_style(presence: str) -> str:
    return {"available": "green", "unknown": "red"}.get(presence, "dim")


def gap(milliseconds: int | None, bound: int) -> Text:
    """A response gap, red over its bound."""
    if milliseconds is None:
        return Text("-")
    return Text(f"{milliseconds} ms", style="red" if milliseconds > bound else "green")


def duration(seconds: float) -> str:
    """In the two largest units."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d}"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"
