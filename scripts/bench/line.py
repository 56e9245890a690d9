"""What the SIP line itself costs and holds: no recogniser, no dialogue, no voice.

    .venv/bin/python -m scripts.bench.line                               1 to 40 calls, hearing, then both ways
    .venv/bin/python -m scripts.bench.line --calls 60,200 --modes hear   how many are really answered
    .venv/bin/python -m scripts.bench.line --calls 40 --modes joined     legs joined natively, as after a hand-over
    .venv/bin/python -m scripts.bench.line --modes ears0,ears40,ears100  with recognition; callers speak so much

One process holds the hotline's line and is measured; another dials it over loopback and joins its own legs in pairs,
so that packets flow both ways at little cost. Every point has fresh processes. Calls, seconds and rate are bounded, and
nothing but 127.0.0.1 is bound. Figures: CPU of the measured process as a share of one core, with its share per call;
memory added per call; and the time between two frames of one leg as the event loop sees them (20 ms is perfect); with
recognition, the delay until what has arrived has been heard.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
from contextlib import suppress
from dataclasses import asdict, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, get_args

import psutil

from scripts.bench.line_ears import EarsHotline, Talkers, has_ears
from scripts.bench.line_sides import PATIENCE_S, Callers, Hotline, Mode, Plan, Point

MOST_CALLS, MOST_SECONDS, MOST_RATE = 500, 60, 40


async def _be_hotline(pipe: Connection, plan: Plan) -> None:
    hotline = EarsHotline(plan) if has_ears(plan) else Hotline(plan)
    await hotline.open()
    await hotline.line.start(hotline.arrived)
    empty = psutil.Process().memory_info().rss
    pipe.send((hotline.line.port, hotline.line.capacity, hotline.line.version))
    await asyncio.to_thread(pipe.recv)
    pipe.send(await hotline.measure(empty))
    await asyncio.to_thread(pipe.recv)
    await hotline.line.close()


async def _be_callers(pipe: Connection, plan: Plan) -> None:
    callers = Talkers(plan) if has_ears(plan) else Callers(plan)
    await callers.line.start(lambda _: None)
    port = await asyncio.to_thread(pipe.recv)
    pipe.send(await callers.dial_all(port))
    await asyncio.to_thread(pipe.recv)
    await callers.line.close()


def _child(role: str, pipe: Connection, plan: Plan) -> None:
    work = (_be_hotline if role == "hotline" else _be_callers)(pipe, plan)
    with suppress(EOFError):  # the other end is gone: nobody is left to be told
        asyncio.run(work)


def _ask(pipe: Connection, seconds: float) -> Any:
    if not pipe.poll(seconds):
        raise SystemExit("error: a process of the measurement does not answer")
    try:
        return pipe.recv()
    except EOFError:
        raise SystemExit("error: a process of the measurement died") from None


def measure(plan: Plan) -> tuple[Point, tuple[int, int, str]]:
    """One point, in two fresh processes; with the port, the capacity and the version of the library."""
    spawn = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for role in ("hotline", "callers"):
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=_child, args=(role, theirs, plan), daemon=True)
        process.start()
        theirs.close()
        pipes.append(ours)
        processes.append(process)
    hotline, callers = pipes
    facts = _ask(hotline, PATIENCE_S)
    callers.send(facts[0])
    _ask(callers, plan.calls / plan.rate + 2 * PATIENCE_S)
    hotline.send("measure")
    point: Point = _ask(hotline, plan.seconds + PATIENCE_S)
    for pipe in (callers, hotline):
        pipe.send("end")
    for process in processes:
        process.join(timeout=PATIENCE_S)
    broken = [process.exitcode for process in processes if process.exitcode != 0]
    if broken:
        raise SystemExit(f"error: a process of the measurement ended with {broken[0]}")
    return point, facts


def machine() -> str:
    """One line about this machine."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = psutil.virtual_memory().total / 2**30
    load = os.getloadavg()[0]
    return f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, load {load:.1f}"


def _row(point: Point) -> str:
    p50, p95, p99, most = point.gaps_ms
    return (
        f"{point.mode:7}{point.wanted:7}{point.answered:9}{point.cpu:8.1f}{point.cpu_per_call:9.2f}"
        f"{point.memory_per_call_kib:9.0f}{point.frames:9.1f}{p50:8.1f}{p95:7.1f}{p99:7.1f}{most:8.1f}"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", default="1,2,4,10,20,40", help="calls at a time, one point each")
    parser.add_argument("--modes", default="hear,both", help=f"of {', '.join(get_args(Mode))}")
    parser.add_argument("--seconds", type=int, default=8, help="length of each point")
    parser.add_argument("--rate", type=int, default=20, help="calls begun per second")
    parser.add_argument("--srtp", action="store_true", help="encrypted media")
    parser.add_argument("--threads", action="store_true", help="what each kind of thread uses")
    parser.add_argument("--json", type=Path, help="also write the points to this file")
    return parser.parse_args()


def plans(calls: str, modes: str, seconds: int, rate: int) -> list[Plan]:
    """The points asked for. Raises SystemExit with one sentence where a bound is passed."""
    counts = [int(part) for part in calls.split(",")]
    chosen = [mode for mode in get_args(Mode) if mode in modes.split(",")]
    if not all(1 <= count <= MOST_CALLS for count in counts) or len(chosen) != len(modes.split(",")):
        raise SystemExit(f"error: calls are 1 to {MOST_CALLS}, modes are of {', '.join(get_args(Mode))}")
    if not 1 <= seconds <= MOST_SECONDS or not 1 <= rate <= MOST_RATE:
        raise SystemExit(f"error: seconds are 1 to {MOST_SECONDS}, rate is 1 to {MOST_RATE}")
    return [Plan(calls=count, seconds=seconds, rate=rate, mode=mode) for mode in chosen for count in counts]


def main() -> None:
    """Measure and print."""
    asked = _arguments()
    print(f"machine: {machine()}")
    points: list[Point] = []
    for plan in plans(asked.calls, asked.modes, asked.seconds, asked.rate):
        plan = replace(plan, secret=asked.srtp)
        point, (_, capacity, version) = measure(plan)
        if not points:
            print(f"library: pjproject {version}, {capacity} calls a process\n")
            print("mode    wanted answered   cpu %   % call  KiB/cl frames %  gap p50    p95    p99 max ms")
        print(_row(point), flush=True)
        if asked.threads:
            shares = (f"{name} {share:.1f} %" for name, share in point.threads.items() if share >= 0.05)
            print(" " * 8 + ", ".join(shares))
        points.append(point)
    if asked.json is not None:
        asked.json.write_text(json.dumps([asdict(point) for point in points], indent=1))


if __name__ == "__main__":
    main()
