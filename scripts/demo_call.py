"""One real phone call through the hotline: `scripts/demo [scenario]`.

Starts the whole hotline, an agent's SIP phone and a patient's SIP phone as processes of their own, lets them talk, and
tells what happened, from the audio on the wire and from the hotline's own record.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import sys
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ivr import signs
from scripts.demo_report import Story, render, tell_story
from scripts.phones.wire import Wire

ROOT = Path(__file__).resolve().parent.parent
PEOPLE = tomllib.loads((ROOT / "scripts/phones/people.toml").read_text(encoding="utf-8"))
CANARY = "+12025550143"
AGENT_RTP = range(28000, 32000)
SIP_PORTS = range(40000, 60000)
READY_SECONDS = 150.0
CALL_SECONDS = 200.0


class DemoFailed(Exception):
    """One sentence on what went wrong and what to do."""


@dataclass(slots=True)
class Process:
    """A process whose output is read line by line."""

    name: str
    handle: asyncio.subprocess.Process
    lines: list[dict[str, Any]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    reading: asyncio.Task[None] | None = None

    async def read(self) -> None:
        """Keep every line; JSON ones as values."""
        assert self.handle.stdout is not None
        while raw := await self.handle.stdout.readline():
            line = raw.decode(errors="replace").rstrip()
            if line.startswith("{"):
                self.lines.append(json.loads(line))
            else:
                self.text.append(line)
            self.news.set()
        self.news.set()

    async def until(self, seen: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait for something in the output. Raises DemoFailed."""
        deadline = time.monotonic() + seconds
        while not seen():
            if self.handle.returncode is not None or time.monotonic() > deadline:
                why = next((line for line in reversed(self.text) if line), "no output")
                raise DemoFailed(f"{what}: {why}")
            self.news.clear()
            try:
                await asyncio.wait_for(self.news.wait(), 0.5)
            except TimeoutError:
                continue

    async def end(self, sign: int = signal.SIGTERM, seconds: float = 30.0) -> None:
        """Ask it to end; insist after a while."""
        if self.handle.stdin:
            self.handle.stdin.close()
        if self.handle.returncode is None and sign:
            self.handle.send_signal(sign)
        try:
            await asyncio.wait_for(self.handle.wait(), seconds)
        except TimeoutError:
            self.handle.kill()
            await self.handle.wait()


async def launch(name: str, *argv: str, env: dict[str, str] | None = None) -> Process:
    """Start a Python module of ours."""
    handle = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *argv, cwd=ROOT, env={**os.environ, **(env or {})},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    process = Process(name=name, handle=handle)
    process.reading = asyncio.create_task(process.read())
    return process


def sip_port() -> int:
    """A free UDP and TCP port outside all ranges of RTP, so that the wire of one phone is never taken for another's."""
    for port in random.sample(SIP_PORTS, 50):
        try:
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return port
    raise DemoFailed("no free port was found for SIP")


def environment(var: Path) -> dict[str, str]:
    """Settings of the demo's hotline: a folder and a port of its own, beside whatever else runs here."""
    return {
        "TRIAGELINE_PATHS__VAR": str(var),
        "TRIAGELINE_PATHS__AGENTS": str(var / "agents.toml"),
        "TRIAGELINE_SIP__PORT": str(sip_port()),
        "TRIAGELINE_SIP__BIND": "127.0.0.1",
        "TRIAGELINE_HOTLINE__DRAIN_SECONDS": "5",
        "TRIAGELINE_CONSOLE__ENABLED": "false",
        "TRIAGELINE_CONFIG": "",
    }


def write_agents(var: Path, port: int) -> None:
    """One agent: the simulated phone."""
    text = f'[[agent]]\nid = "nurse-1"\naddress = "sip:nurse1@127.0.0.1:{port}"\nlanguages = ["en"]\n'
    (var / "agents.toml").write_text(text, encoding="utf-8")


def say(text: str) -> None:
    """Progress."""
    print(text, flush=True)


async def play(args: argparse.Namespace) -> Story:
    """The whole demo. Raises DemoFailed, and CancelledError on SIGTERM after everything was stopped."""
    if (task := asyncio.current_task()) is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    var = ROOT / "var/demo"
    var.mkdir(parents=True, exist_ok=True)
    say(f"demo: {PEOPLE[args.scenario]['title']}")
    say("  agent's phone ...")
    agent = await launch("agent", "scripts.phones.agent", "--port", str(sip_port()))
    hotline: Process | None = None
    wire: Wire | None = None
    try:
        await agent.until(lambda: bool(agent.lines), 60, "the agent's phone did not start")
        port = int(agent.lines[0]["port"])
        write_agents(var, port)
        say("  hotline: telephony, recognition, dialogue (Rasa takes about 20 seconds to load) ...")
        settings = environment(var)
        public = int(settings["TRIAGELINE_SIP__PORT"])
        hotline = await launch("hotline", "ivr", "up", env=settings)
        await hotline.until(lambda: any("ready:" in line for line in hotline.text), READY_SECONDS, "no hotline")
        worker = signs.taking_calls(signs.read_all(var / "run"))[0]
        wire = Wire(AGENT_RTP, port)
        say(f"  the patient dials sip:hotline@127.0.0.1:{public} ...")
        patient = await launch("patient", "scripts.phones.patient", *patient_args(args, public))
        await patient.until(lambda: patient.handle.returncode is not None or over(patient), CALL_SECONDS, "no end")
        await patient.end(0)
        if problem := next((line for line in patient.text if line.startswith("error:")), ""):
            raise DemoFailed(problem.removeprefix("error: "))
        wire.stop()
        await asyncio.sleep(0.5)
        return await tell_story(args.scenario, var, CANARY, patient.lines, agent.lines, wire, worker.recogniser)
    finally:
        if wire:
            wire.stop()
        if hotline:
            await hotline.end(signal.SIGINT, 60)
        await agent.end(0, 10)


def over(patient: Process) -> bool:
    """Whether the patient's call has ended."""
    return any(line["event"] == "gone" for line in patient.lines)


def patient_args(args: argparse.Namespace, port: int) -> list[str]:
    """The patient's command line."""
    given = ["--call", f"sip:hotline@127.0.0.1:{port}", "--person", args.scenario]
    given += ["--shown", CANARY, "--port", str(sip_port())]
    given += ["--voice", args.caller_voice, "--loss", str(args.loss)]
    if args.noise is not None:
        given += ["--noise", str(args.noise)]
    return given + (["--wav", str(args.wav.resolve())] if args.wav else [])


def default_voice() -> str:
    """Piper where installed, else flite, else espeak-ng."""
    from ivr.voices.choose import problem

    return next((name for name in ("piper", "flite:slt", "espeak:en-us") if problem(name) is None), "espeak:en-us")


def voice_name(text: str) -> str:
    """A voice that can be used here."""
    from ivr.voices.choose import problem

    if missing := problem(text):
        raise argparse.ArgumentTypeError(missing)
    return text


def folder(text: str) -> Path:
    """A folder with WAV files."""
    path = Path(text)
    if not list(path.glob("*.wav")):
        raise argparse.ArgumentTypeError(f"{text} is not a folder with .wav files")
    return path


def per_cent(text: str) -> int:
    """0 to 90."""
    if not text.isdigit() or int(text) > 90:
        raise argparse.ArgumentTypeError("give a loss from 0 to 90 per cent")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """Command line."""
    raw = argparse.RawTextHelpFormatter
    top = argparse.ArgumentParser(prog="scripts/demo", description=__doc__, formatter_class=raw)
    scenarios = "\n".join(f"  {name}: {one['title']}" for name, one in PEOPLE.items())
    scenarios += "\n  masking: a doctor calls a patient back, and neither sees a number (scripts/demo masking --help)"
    top.add_argument(
        "scenario", nargs="?", default="emergency", choices=tuple(PEOPLE), metavar="scenario",
        help=f"default: emergency\n{scenarios}",
    )  # fmt: skip
    top.add_argument("--json", type=Path, metavar="FILE", help="write the result for machines")
    top.add_argument(
        "--caller-voice", type=voice_name, default=default_voice(), metavar="VOICE",
        help="piper, flite:slt, flite:rms, flite:awb, espeak:en-us+f3 ...",
    )  # fmt: skip
    top.add_argument("--noise", type=float, metavar="DB", help="room noise so many dB below the voice, for example 15")
    top.add_argument("--loss", type=per_cent, default=0, metavar="PERCENT", help="share of the caller's packets lost")
    top.add_argument(
        "--wav", type=folder, metavar="DIR",
        help="a real person's answers: complaint.wav, age.wav ... by the question's name,\n"
        "otherwise.wav for all others; or any names, taken in order; NAME.txt beside it holds the words",
    )  # fmt: skip
    return top


def main() -> int:
    """Exit 0 where the call went as the scenario says, 1 where it did not, 2 for bad input or a broken set-up."""
    if sys.argv[1:2] == ["masking"]:
        from scripts.demo_masking import main as masking

        return masking(sys.argv[2:])
    args = parser().parse_args()
    if args.json and not args.json.resolve().parent.is_dir():
        print(f"error: there is no folder {args.json.resolve().parent} for the result", file=sys.stderr)
        return 2
    try:
        story = asyncio.run(play(args))
    except DemoFailed as failed:
        print(f"error: {failed} (logs: var/demo/log)", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except asyncio.CancelledError:
        return 143
    print(render(story))
    if args.json:
        args.json.write_text(json.dumps(story.for_machines(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    missed = story.missed(PEOPLE[args.scenario]["expect"])
    print(f"\nnot as expected: {missed}" if missed else "\nas expected")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
