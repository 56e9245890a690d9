"""The live table: what matters is there at every width, and the file that it is made of."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ivr.watch import live
from ivr.watch.board import Board, quantile
from ivr.watch.moments import Moment, What
from ivr.watch.table import MOST_CALLS, AgentSeen, Seen, draw, duration

AGENTS = (
    AgentSeen(id="nurse-1", presence="available", call=""),
    AgentSeen(id="nurse-2", presence="away", call="c" * 14),
)


def a_call(name: str = "b" * 14, **more: Any) -> dict[str, Any]:
    plain = {"state": "listening", "seconds": 75.0, "level": "", "red_flag": False, "gap_ms": 640, "dead_air": 0}
    return {"call": name, **plain, **more}


def a_worker(*calls: dict[str, Any], **more: Any) -> dict[str, Any]:
    recent = {"seconds": 300.0, "turns": 9, "gap_p50_ms": 650, "gap_p95_ms": 1300, "dead_air": 1}
    return {
        "worker": "worker-1", "pid": 4711, "at": 1000.0, "since": 100.0, "memory_mb": 312.4, "places": 20,
        "state": "taking", "alive": True, "calls": list(calls), "recent": recent, **more,
    }  # fmt: skip


def shown(*workers: dict[str, Any], width: int = 100, **more: Any) -> str:
    console = Console(width=width, record=True, file=open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    with console.file:
        console.print(draw(Seen(workers=workers, agents=AGENTS, now=1001.0, **more), width))
    return console.export_text()


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_what_matters_is_there_at_every_width(width: int) -> None:
    text = shown(a_worker(a_call(level="emergency", red_flag=True, state="seeking")), width=width)
    assert max(len(line) for line in text.splitlines()) <= width
    for part in ("worker-1", "taking", "emer", "nurse-1", "busy", "1 of 20"):
        assert part in text, part


def test_urgent_calls_come_first() -> None:
    text = shown(a_worker(a_call("d" * 14, level="routine"), a_call("f" * 14, level="emergency")))
    assert text.index("f" * 14) < text.index("d" * 14)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"alive": False}, "gone"),
        ({"at": 900.0}, "silent for 1:41"),
        ({"state": "draining"}, "draining"),
        ({"state": "standby"}, "standing by"),
    ],
)
def test_the_condition_of_a_worker_is_told(more: dict[str, Any], said: str) -> None:
    assert said in shown(a_worker(**more))


def test_many_calls_are_cut_and_the_cut_is_told() -> None:
    text = shown(a_worker(*(a_call() for _ in range(MOST_CALLS + 5))))
    assert f"the first {MOST_CALLS} of {MOST_CALLS + 5}" in text
    assert text.count("b" * 14) == MOST_CALLS


def test_nothing_is_drawn_of_nothing() -> None:
    assert "Calls: none" in shown(a_worker(recent={"seconds": 300.0, "turns": 0, "gap_p50_ms": None, "gap_p95_ms": None,
                                            "dead_air": 0}))  # fmt: skip


@pytest.mark.parametrize(("seconds", "text"), [(5.9, "5 s"), (75, "1:15"), (7300, "2 h 01"), (180000, "2 d 2 h")])
def test_durations_are_short(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_quantiles_are_values_that_occurred() -> None:
    assert quantile([], 0.5) is None
    assert quantile([1.0], 0.95) == 1.0
    assert [quantile([float(one) for one in range(1, 101)], share) for share in (0.5, 0.95)] == [50.0, 95.0]


def test_old_gaps_are_forgotten() -> None:
    now = [0.0]
    board = Board(lambda: now[0])
    board.tell("b", Moment(what=What.BEGAN, at=0.0))
    board.tell("b", Moment(what=What.GAP, at=0.0, seconds=0.5))
    assert board.snapshot()["recent"]["turns"] == 1
    now[0] = 400.0
    told = board.snapshot()
    assert told["recent"]["turns"] == 0
    assert told["calls"][0]["gap_ms"] == 500


def test_a_live_file_is_private_and_a_dead_worker_has_no_calls(tmp_path: Path) -> None:
    born = live.birth(os.getpid())
    for name, told in {
        "worker-10": a_worker(a_call(), worker="worker-10", pid=os.getpid(), born=born),
        "worker-2": a_worker(a_call(), worker="worker-2", pid=os.getpid(), born=born - 100, at=time.time()),
    }.items():
        live.write(live.file_of(tmp_path, name), told)
        assert live.file_of(tmp_path, name).stat().st_mode & 0o777 == 0o600
    (tmp_path / "live-worker-3.json").write_text("{", encoding="utf-8")
    assert [(one["worker"], one["alive"], len(one["calls"])) for one in live.read(tmp_path)] == [
        ("worker-2", False, 0),
        ("worker-10", True, 1),
    ]
    assert not list(tmp_path.glob("worker-*.json")), "those files are the workers' signs of life"
    assert json.loads(live.file_of(tmp_path, "worker-10").read_text(encoding="utf-8"))["places"] == 20


def test_where_the_api_is_and_what_is_wrong_with_it() -> None:
    assert "API" not in shown(a_worker())
    assert "API: served on http://127.0.0.1:8080\n" in shown(a_worker(), api="served on http://127.0.0.1:8080")
    assert "API: does not run" in shown(a_worker(), api="does not run", api_good=False)
