"""Caller farm: `python -m scripts.bench.calls [--calls N] [--at-once N] [--json FILE] ...`.

Starts one hotline with agents' phones, places bounded loopback calls sampled from a matrix of voices, speeds, noise,
packet loss and codecs, and scores them by code: outcome, response gap, false cut-offs, barge-in, red-flag recall and
ringing, word error, by group. Times are taken from the sound on the callers' own lines.
"""

import argparse
import asyncio
import json
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from records import database
from records.journal_sql import SqlJournal
from records.keys import keys_from_folder
from records.store import Store
from scripts.bench.farm.plan import CODECS, LOSSES, MOST, SCENARIOS, VOICES, Case, matrix, sample
from scripts.bench.farm.report import PARTS, lines
from scripts.bench.farm.score import Scored, judge
from scripts.bench.farm.story import story
from scripts.demo_call import DemoFailed, Process, environment, launch

READY_SECONDS = 150.0
GROUP_SECONDS = 600.0


def machine() -> str:
    """What it runs on."""
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in info if "model name" in line), platform.machine())
    return f"{os.cpu_count()} cores {model}, Linux {platform.release()}, Python {platform.python_version()}"


async def open_house(var: Path, at_once: int) -> tuple[Process, Process, str]:
    """A hotline of its own, its agents' desk, and its SIP address. Raises DemoFailed."""
    desk = await launch("desk", "scripts.bench.farm.desk")
    await desk.until(lambda: bool(desk.lines), 60, "the agents' phones did not start")
    port = desk.lines[0]["port"]
    roster = [
        f'[[agent]]\nid = "nurse-{number}"\naddress = "sip:nurse{number}@127.0.0.1:{port}"\n'
        for number in range(1, at_once + 3)
    ]
    (var / "agents.toml").write_text("\n".join(roster), encoding="utf-8")
    settings = {**environment(var), "TRIAGELINE_HOTLINE__CALLERS": str(2 * at_once + 2)}
    hotline = await launch("hotline", "ivr", "up", env=settings)
    try:
        await hotline.until(lambda: any("ready:" in line for line in hotline.text), READY_SECONDS, "no hotline")
    except DemoFailed:
        await close_house(desk, hotline)
        raise
    return desk, hotline, f"sip:hotline@127.0.0.1:{settings['TRIAGELINE_SIP__PORT']}"


async def close_house(desk: Process, hotline: Process) -> None:
    """The end."""
    await hotline.end(signal.SIGINT, 60)
    await desk.end(0, 10)


async def place(cases: Sequence[Case], var: Path, target: str, at_once: int, into: list[dict[str, Any]]) -> None:
    """All calls of one codec and one loss; what was measured goes `into` the list, also where this is broken off."""
    told = {"var": str(var), "target": target, "codec": cases[0].codec, "loss": cases[0].loss, "at_once": at_once}
    fleet = await launch("fleet", "scripts.bench.farm.fleet", json.dumps(told))
    assert fleet.handle.stdin is not None
    fleet.handle.stdin.write("".join(json.dumps(case.as_json()) + "\n" for case in cases).encode())
    fleet.handle.stdin.close()
    try:
        async with asyncio.timeout(GROUP_SECONDS):
            await fleet.handle.wait()
            if fleet.reading is not None:
                await fleet.reading
    except TimeoutError:
        print("    a group took too long and was broken off")
    finally:
        if fleet.handle.returncode is None:
            fleet.handle.kill()
        into += fleet.lines
    for line in fleet.text:
        print(f"    {line}")


async def judged(
    cases: Sequence[Case], measured: Sequence[dict[str, Any]], var: Path, *, told: bool = False
) -> list[Scored]:
    """With the hotline's own records. `told`: calls that did not come out as wanted are printed line by line."""
    store = Store(database.prepare(f"sqlite:///{var / 'triageline.db'}"))
    journal = SqlJournal(store, keys_from_folder(var / "keys"))
    by_case = {one["case"]: one for one in measured}
    try:
        found = []
        for case in cases:
            one = by_case.get(case.id, {"utterances": [], "clock": 0.0, "cause": "no result", "record": ""})
            entries = await journal.read(one["record"]) if one["record"] else ()
            found.append(judge(case, one, entries))
            if told and not found[-1].ok:
                print("\n".join(story(case, one, entries)))
        return found
    finally:
        await asyncio.to_thread(store.close)


def grouped(cases: Sequence[Case]) -> list[list[Case]]:
    """By codec and loss: those are settings of a whole phone."""
    groups: dict[tuple[str, int], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.codec, case.loss), []).append(case)
    return [groups[key] for key in sorted(groups)]


def only(cases: Sequence[Case], numbers: Sequence[int]) -> tuple[Case, ...]:
    """Some of the calls of a run. Raises ValueError where a number is not among them."""
    if unknown := sorted(set(numbers) - {case.id for case in cases}):
        raise ValueError(f"there is no call {unknown[0]} among {len(cases)} calls: give --calls as in the whole run")
    return tuple(case for case in cases if case.id in numbers)


def numbers(text: str) -> tuple[int, ...]:
    """Numbers with commas between them."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError("give numbers of calls with commas between them, for example 7,12") from None


async def place_all(
    cases: Sequence[Case], var: Path, target: str, at_once: int, measured: list[dict[str, Any]]
) -> None:
    """Every group in turn; Ctrl-C leaves the rest out."""
    try:
        for group in grouped(cases):
            start = time.monotonic()
            await place(group, var, target, at_once, measured)
            took = f"{len(group)} in {time.monotonic() - start:.0f} s, {len(measured)} of {len(cases)} calls"
            print(f"  {group[0].codec}, loss {group[0].loss} %: {took}", flush=True)
    except asyncio.CancelledError:
        print("  broken off: what has ended by now is scored", flush=True)
        if (task := asyncio.current_task()) is not None:
            task.uncancel()


async def run(args: argparse.Namespace) -> int:
    """Everything. Raises DemoFailed."""
    fixed = {
        "voice": args.voice, "codec": args.codec, "loss": args.loss, "scenario": args.scenario, "noise": args.noise,
    }  # fmt: skip
    cases = sample(args.calls, args.seed, {name: values for name, values in fixed.items() if values})
    if args.matrix:
        cases = matrix(cases, args.codec or CODECS, args.loss or sorted(set(LOSSES)))
    cases = only(cases, args.only) if args.only else cases
    print(f"machine: {machine()}")
    print(f"{len(cases)} calls, at most {args.at_once} at once, seed {args.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="farm-") as folder:
        var = Path(folder)
        desk, hotline, target = await open_house(var, args.at_once)
        measured: list[dict[str, Any]] = []
        try:
            await place_all(cases, var, target, args.at_once, measured)
            ended = {one["case"] for one in measured}
            scored = await judged([case for case in cases if case.id in ended], measured, var, told=args.story)
        finally:
            await close_house(desk, hotline)
    print("\n" + "\n".join(lines(scored)))
    for one in scored:
        if not one.ok:
            print(f"  not as wanted: {one.case} -> level {one.level or 'none'}, flag {one.flagged}")
    if args.json:
        args.json.write_text(json.dumps([_plain(one) for one in scored], indent=1) + "\n", encoding="utf-8")
    return 0


def _plain(one: Scored) -> dict[str, Any]:
    names = ("completed", "level", "flagged", "ring", "gaps", "cuts", "utterances", "barge", "errors", "words", "ok")
    parts = [{name: round(getattr(part, name), 3) for name in PARTS} for part in one.parts]
    return {"case": one.case.as_json(), **{name: getattr(one, name) for name in names}, "parts": parts}


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--calls",
        type=int,
        default=48,
        metavar="N",
        help=f"how many, at most {MOST} (default 48); with --matrix for each phone",
    )
    parser.add_argument("--at-once", type=int, default=6, choices=range(1, 41), metavar="N", help="default 6")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--voice", action="append", choices=VOICES)
    parser.add_argument("--codec", action="append", choices=CODECS)
    parser.add_argument("--loss", action="append", type=int, choices=range(31), metavar="PERCENT", help="0 to 30")
    parser.add_argument("--matrix", action="store_true", help="the same calls with every codec and every loss given")
    parser.add_argument("--scenario", action="append", choices=sorted(set(SCENARIOS)))
    parser.add_argument("--noise", action="append", type=float, metavar="DB")
    parser.add_argument("--only", type=numbers, default=(), metavar="N,N", help="only these calls of the run")
    parser.add_argument("--story", action="store_true", help="print calls that went wrong line by line")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every call, for machines")
    args = parser.parse_args()
    try:
        return asyncio.run(run(args))
    except (DemoFailed, ValueError) as failed:
        print(f"error: {failed}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
