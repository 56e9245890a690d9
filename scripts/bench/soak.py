"""Many short calls through the whole hotline, and what is left of them: nothing may be.

    .venv/bin/python -m scripts.bench.soak                               2,000 calls, 20 at once, one worker
    .venv/bin/python -m scripts.bench.soak --calls 500 --at-once 10 --workers 2 --json soak.json

Starts a hotline of its own in a temporary folder, with Rasa, Redis and the edge, and calls it with sipp over loopback:
callers who leave in the greeting, who answer by keys, and who ask for a person and hear an agent's phone picked up.
After a warm-up it notes each process's memory, threads and open files, places the calls, waits until SIP has forgotten
them, and compares. Exit code 1 where a call failed or was stuck, or a worker's memory drifted by 5 % or more.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from ivr import signs
from records import database
from records.journal_sql import SqlJournal
from records.keys import keys_from_folder
from records.lifelines_sql import SqlLifelines
from records.store import Store
from routing.agents import load_agents
from routing.service import RedisBook
from routing.store import AgentStore
from scripts.bench.soak_calls import AGENT, SCENARIOS, numbers

ROOT = Path(__file__).resolve().parents[2]
MOST_CALLS, MOST_AT_ONCE, MOST_WORKERS = 20_000, 60, 8
WARM_UP = 600
"""Until memory is at its working level: it grows by some 20 MB over the first 500 calls and stays there."""
FORGET_SECONDS = 40.0
"""SIP keeps a transaction for 32 s after its call."""
CALL_SECONDS = 3.5
DRIFT = 0.05
AGENTS = 3
PARTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What a process holds."""

    megabytes: float
    threads: int
    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What calls left behind."""

    calls: int
    """In progress, as the workers say."""
    lifelines: int
    """Held for ringing back."""
    reserved: int
    """Agents held by a call."""
    open_in_records: int
    """Without an end in the journal."""
    media_ports: int
    """UDP ports of the workers beside SIP."""


def main() -> int:
    """Run it; the exit code."""
    args = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    try:
        return _soak(args, folder)
    finally:
        if not args.keep:
            shutil.rmtree(folder, ignore_errors=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--at-once", type=int, default=20)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--keep", action="store_true", help="leave the hotline's folder, with its logs, in place")
    args = parser.parse_args()
    for name, most in (("calls", MOST_CALLS), ("at_once", MOST_AT_ONCE), ("workers", MOST_WORKERS)):
        if not 1 <= getattr(args, name) <= most:
            parser.error(f"--{name.replace('_', '-')} must be from 1 to {most}")
    if shutil.which("sipp") is None:
        parser.error("sipp is missing: install the system package sip-tester")
    return args


def _soak(args: argparse.Namespace, folder: Path) -> int:
    env = _environment(args, folder)
    (folder / "numbers.csv").write_text(numbers(), encoding="utf-8")
    agents = [_sipp(folder, "agent", AGENT, "-p", str(port)) for port in _write_agents(folder)]
    out = (folder / "up.txt").open("wb")
    hotline = subprocess.Popen(
        [sys.executable, "-m", "ivr", "up"], cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out
    )
    try:
        _await_ready(hotline, folder, args.workers)
        port = json.loads((folder / "run/edge.json").read_text(encoding="utf-8"))["port"]
        print(f"warming up with {WARM_UP} calls ...", flush=True)
        _place(folder, port, WARM_UP, args.at_once)
        time.sleep(FORGET_SECONDS)
        before, began = _sizes(folder), time.monotonic()
        print(f"{args.calls} calls, {args.at_once} at once ...", flush=True)
        good, bad = _in_parts(args, folder, port)
        seconds = time.monotonic() - began
        time.sleep(FORGET_SECONDS)
        return _tell(args, good, bad, seconds, before, _sizes(folder), asyncio.run(_left(folder)))
    finally:
        hotline.send_signal(signal.SIGINT)
        for agent in agents:
            agent.terminate()
            agent.wait()
        hotline.wait(60)
        out.close()


def _in_parts(args: argparse.Namespace, folder: Path, port: int) -> tuple[int, int]:
    """Calls that went well and badly. Memory is told after each part: what grows once is not what grows for ever."""
    good = bad = 0
    for number in range(PARTS):
        share = args.calls // PARTS + (args.calls % PARTS if number == 0 else 0)
        fine, wrong = _place(folder, port, share, args.at_once)
        good, bad = good + fine, bad + wrong
        workers = {name: size for name, size in _sizes(folder).items() if name.startswith("worker")}
        told = ", ".join(f"{name} {size.megabytes:.1f} MB" for name, size in sorted(workers.items()))
        print(f"{good + bad} calls, {bad} of them bad: {told}", flush=True)
    return good, bad


def _environment(args: argparse.Namespace, folder: Path) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("TRIAGELINE_")}
    return {
        **ours,
        "TRIAGELINE_PATHS__VAR": str(folder),
        "TRIAGELINE_PATHS__AGENTS": str(folder / "agents.toml"),
        "TRIAGELINE_PATHS__TRUNKS": str(folder / "none.toml"),
        "TRIAGELINE_PATHS__MODELS": str(ROOT / "var/models"),
        "TRIAGELINE_PATHS__CACHE": str(ROOT / "var/cache"),
        "TRIAGELINE_SIP__BIND": "127.0.0.1",
        "TRIAGELINE_SIP__PORT": "0",
        "TRIAGELINE_HOTLINE__WORKERS": str(args.workers),
        "TRIAGELINE_HOTLINE__CALLERS": str(args.at_once + 10),
        "TRIAGELINE_HOTLINE__DRAIN_SECONDS": "5",
        "TRIAGELINE_CONSOLE__ENABLED": "false",
        "TRIAGELINE_CONFIG": str(folder / "none.toml"),
    }


def _write_agents(folder: Path) -> list[int]:
    ports = [24_000 + os.getpid() % 10_000 + number for number in range(AGENTS)]
    entries = [f'[[agent]]\nid = "agent-{port}"\naddress = "sip:agent@127.0.0.1:{port}"\n' for port in ports]
    (folder / "agents.toml").write_text("\n".join(entries), encoding="utf-8")
    return ports


def _sipp(folder: Path, name: str, scenario: str, *words: str) -> subprocess.Popen[bytes]:
    file = folder / f"{name.replace(' ', '-')}.xml"
    if not file.exists():  # another sipp may be reading it
        file.write_text(scenario, encoding="utf-8")
    with file.with_suffix(".txt").open("wb") as errors:
        return subprocess.Popen(
            ["sipp", "-sf", str(file), "-i", "127.0.0.1", "-mi", "127.0.0.1", "-nostdin", *words],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
        )  # fmt: skip


def _await_ready(hotline: "subprocess.Popen[bytes]", folder: Path, workers: int) -> None:
    until = time.monotonic() + 180
    while time.monotonic() < until and hotline.poll() is None:
        found = signs.taking_calls(signs.read_all(folder / "run"))
        said = (folder / "up.txt").read_text(encoding="utf-8")
        if len(found) >= workers and all(one.voices for one in found) and "ready:" in said:
            return
        time.sleep(0.5)
    sys.exit(f"the hotline did not start:\n{(folder / 'up.txt').read_text(encoding='utf-8')}")


def _place(folder: Path, port: int, calls: int, at_once: int) -> tuple[int, int]:
    """Calls that went as their callers expected, and those that did not."""
    share, lanes = calls // len(SCENARIOS), max(1, at_once // len(SCENARIOS))
    running = []
    for number, (name, scenario) in enumerate(SCENARIOS.items()):
        mine = share + (calls - share * len(SCENARIOS) if number == 0 else 0)
        rate = max(1, round(lanes / CALL_SECONDS))
        running.append((mine, _sipp(
            folder, name, scenario, f"127.0.0.1:{port}", "-m", str(mine), "-l", str(lanes), "-r", str(rate),
            "-inf", str(folder / "numbers.csv"), "-p", str(34_000 + os.getpid() % 5_000 * 3 + number),
            "-trace_stat", "-stf", str(folder / f"stat-{number}.csv"), "-fd", "5", "-recv_timeout", "15000",
            "-mp", str(40_000 + number * 2_000),
        )))  # fmt: skip
    for _, process in running:
        process.wait(timeout=60 + calls * CALL_SECONDS)
    good = sum(_successes(folder / f"stat-{number}.csv", process) for number, (_, process) in enumerate(running))
    return good, calls - good


def _successes(file: Path, process: "subprocess.Popen[bytes]") -> int:
    if not file.exists():
        told = "".join(one.read_text(encoding="utf-8", errors="replace") for one in file.parent.glob("*.txt"))
        sys.exit(f"sipp ended with {process.returncode}: {told[-1500:]}")
    lines = file.read_text(encoding="utf-8").splitlines()
    found = dict(zip(lines[0].split(";"), lines[-1].split(";"), strict=False))
    file.unlink()
    return int(found["SuccessfulCall(C)"])


def _sizes(folder: Path) -> dict[str, Size]:
    """By process of the hotline; those that stand by included."""
    found = {}
    for process in psutil.process_iter():
        try:
            if process.environ().get("TRIAGELINE_PATHS__VAR") != str(folder):
                continue
            words = process.cmdline()
            name = _name(words)
            if name:
                size = process.memory_full_info().uss / 1e6
                found[name] = Size(megabytes=size, threads=process.num_threads(), files=process.num_fds())
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def _name(words: list[str]) -> str:
    if "worker" in words and "--name" in words:
        return words[words.index("--name") + 1]
    known = {"redis-server": "redis", "rasa": "rasa", "kamailio": "edge", "sanic": "actions"}
    return next((name for part, name in known.items() if any(part in word for word in words[:4])), "")


async def _left(folder: Path) -> Left:
    store = Store(database.prepare(f"sqlite:///{folder / 'triageline.db'}"))
    agents = AgentStore(f"unix://{folder}/run/redis.sock")
    workers = signs.read_all(folder / "run")
    try:
        journal = SqlJournal(store, keys_from_folder(folder / "keys"))
        held = [call for _, _, call in await RedisBook(load_agents(folder / "agents.toml"), agents).list() if call]
        return Left(
            calls=sum(one.calls for one in workers),
            lifelines=len(await SqlLifelines(store).lost(())),
            reserved=len(held),
            open_in_records=sum(one.ended is None for one in await journal.list(MOST_CALLS + WARM_UP)),
            media_ports=sum(_media_ports(one) for one in workers if one.port),
        )
    finally:
        await agents.close()
        await asyncio.to_thread(store.close)


def _media_ports(worker: signs.Sign) -> int:
    held = psutil.Process(worker.pid).net_connections("udp4")
    return sum(one.laddr.port != worker.port for one in held)


def _tell(
    args: argparse.Namespace, good: int, bad: int, seconds: float,
    before: Mapping[str, Size], after: Mapping[str, Size], left: Left,
) -> int:  # fmt: skip
    print(f"{good} calls as expected, {bad} not, in {seconds:.0f} s")
    print(f"left behind: {asdict(left)}")
    drifted = False
    for name in sorted(before.keys() & after.keys()):
        was, now = before[name], after[name]
        drift = now.megabytes / was.megabytes - 1
        drifted |= name.startswith("worker") and drift >= DRIFT
        print(
            f"{name:<10} {was.megabytes:6.1f} -> {now.megabytes:6.1f} MB ({drift:+.1%})   "
            f"threads {was.threads} -> {now.threads}   files {was.files} -> {now.files}"
        )
    if args.json:
        sizes = {name: [asdict(one[name]) for one in (before, after)] for name in before.keys() & after.keys()}
        figures = {"good": good, "bad": bad, "seconds": seconds, "left": asdict(left), "sizes": sizes}
        args.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    fine = not bad and not drifted and not any(asdict(left).values())
    print("nothing is left" if fine else "NOT as it should be")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
