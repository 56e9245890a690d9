"""A phone in a process of its own, told by JSON lines what to do: `python -m tests.sip.phone '{"port": 0}'`.

Every line in is {"do": name, ...}; every line out is the answer to it or an event. Heard audio is not passed on but
measured here, when asked.
"""

import asyncio
import json
import logging
import sys
import time
from collections import deque
from dataclasses import asdict
from typing import Any

import numpy as np
import psutil

from ivr.lines.sip import SipLine
from ivr.lines.sip_settings import SipSettings, SipTls, SipTrunk
from ivr.ports import AudioHeard, Elapsed, LegArrived, LegGone, LineError, LineEvent

_WINDOW = 25


def tone(hz: int, ms: int) -> bytes:
    """A sine at about -10 dBFS."""
    at = np.arange(8 * ms) / 8000
    return bytes((np.sin(2 * np.pi * hz * at) * 10_000).astype("<i2").tobytes())


def measured(frames: "deque[bytes]") -> dict[str, Any]:
    """Loudness and strongest frequency of the last half second."""
    pcm = np.frombuffer(b"".join(frames), dtype="<i2").astype(float)
    if len(pcm) == 0:
        return {"rms": 0.0, "hz": 0}
    strength = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))
    return {"rms": float(np.sqrt(np.mean(pcm**2))), "hz": int(np.argmax(strength) * 8000 / len(pcm))}


class Phone:
    """Carries out commands on a SipLine and prints what happens."""

    def __init__(self, settings: dict[str, Any]) -> None:
        if settings.pop("logs", False):
            logging.getLogger("ivr").addHandler(Lines())
        tls = SipTls(**settings.pop("tls")) if "tls" in settings else None
        trunks = tuple(SipTrunk(**trunk) for trunk in settings.pop("trunks", ()))
        self._line = SipLine(SipSettings(**settings, tls=tls, trunks=trunks))
        self._on_arrival = "answer"
        self._live: set[str] = set()
        self._heard: dict[str, deque[bytes]] = {}
        self._frames: dict[str, int] = {}
        self._elapsed: dict[str, float] = {}

    async def run(self) -> None:
        try:
            await self._line.start(self._arrived)
        except LineError as error:
            say({"event": "failed", "why": str(error)})
            return
        say({"event": "open", "port": self._line.port, "capacity": self._line.capacity, "version": self._line.version})
        lines = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while line := await lines.readline():
            try:
                say({"reply": await self._do(json.loads(line))})
            except LineError as error:
                say({"reply": None, "error": str(error)})
        await self._line.close()
        say({"event": "closed"})

    async def _do(self, order: dict[str, Any]) -> Any:
        line, leg = self._line, order.get("leg", "")
        match order["do"]:
            case "dial":
                return await line.dial(order["address"], order.get("shown", "hotline"), self._sink)
            case "answer":
                await line.answer(leg, self._sink)
            case "refuse":
                await line.refuse(leg, order["code"])
            case "hang_up":
                await line.hang_up(leg)
            case "hang_up_all":
                for each in self._live:
                    await line.hang_up(each)
            case "bridge":
                await line.bridge(leg, order["other"])
            case "tone":
                line.play(leg, order.get("play", 1), tone(order["hz"], order["ms"]))
            case "stop":
                line.stop(leg)
            case "hold":
                line.hold(leg)
            case "go_on":
                line.go_on(leg)
            case "left":
                return line.left(leg)
            case "keys":
                line.send_keys(leg, order["digits"], order["method"])
            case "on_arrival":
                self._on_arrival = order["policy"]
            case "heard":
                return {"frames": self._frames.get(leg, 0), **measured(self._heard.get(leg, deque()))}
            case "elapsed":
                return self._elapsed.get(leg, 0.0)
            case "free_slots" | "kept_away" | "memory":
                return self._fact(order["do"])
        return True

    def _fact(self, name: str) -> Any:
        if name == "memory":
            return psutil.Process().memory_info().rss
        return self._line.free_slots if name == "free_slots" else asdict(self._line.kept_away)

    def _arrived(self, event: LegArrived) -> None:
        caller = event.caller.reveal() if event.caller is not None else None
        say({"event": "LegArrived", "leg": event.leg, "caller": caller, "dialled": event.dialled})
        if self._on_arrival == "answer":
            self._spawn(self._answer(event.leg))
        elif self._on_arrival != "ring":
            self._spawn(self._line.refuse(event.leg, int(self._on_arrival)))

    async def _answer(self, leg: str) -> None:
        try:
            await self._line.answer(leg, self._sink)
        except LineError as error:
            say({"event": "answer_failed", "leg": leg, "error": str(error)})

    def _spawn(self, work: Any) -> None:
        self._work = asyncio.get_running_loop().create_task(work)

    def _sink(self, event: LineEvent) -> None:
        if isinstance(event, AudioHeard):
            self._frames[event.leg] = self._frames.get(event.leg, 0) + 1
            self._heard.setdefault(event.leg, deque(maxlen=_WINDOW)).append(event.pcm)
        elif isinstance(event, Elapsed):
            self._elapsed[event.leg] = self._elapsed.get(event.leg, 0.0) + event.seconds
        else:
            say({"event": type(event).__name__, **asdict(event)})
        if isinstance(event, LegGone):
            self._live.discard(event.leg)
        else:
            self._live.add(event.leg)


class Lines(logging.Handler):
    """Passes log lines on as events."""

    def emit(self, record: logging.LogRecord) -> None:
        say({"event": "log", "text": self.format(record)})


def say(line: dict[str, Any]) -> None:
    """One line out, with the time."""
    print(json.dumps({**line, "t": time.monotonic()}), flush=True)


if __name__ == "__main__":
    asyncio.run(Phone(json.loads(sys.argv[1])).run())
