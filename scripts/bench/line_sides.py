"""The two sides of the line's measurement: the hotline, which is measured, and those who call it."""

import asyncio
import threading
import time
from array import array
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import numpy as np
import psutil

from ivr.lines.sip import SipLine
from ivr.lines.sip_settings import SipSettings
from ivr.ports import AudioHeard, LegAnswered, LegArrived, LegGone, LineError, LineEvent

Mode = Literal["hear", "both", "joined", "ears0", "ears40", "ears100"]
PATIENCE_S = 20.0
_HOTLINE_RTP, _CALLERS_RTP = (20_000, 24_999), (25_000, 29_999)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One point of the measurement."""

    calls: int
    """Calls wanted at a time."""
    seconds: int
    """How long the standing calls are measured."""
    rate: int
    """Calls begun per second."""
    mode: Mode
    """Only hearing; hearing and speaking all the time; joined in pairs, with no Python in the audio; or with
    recognition, callers speaking none, 40 % or all of the time."""
    secret: bool = False
    """Whether the media is SRTP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What was measured."""

    mode: Mode
    """As planned."""
    wanted: int
    """Calls asked for."""
    answered: int
    """Calls standing at the end of the measurement."""
    cpu: float
    """Share of one core that the measured process used, per cent."""
    cpu_per_call: float
    """The same for one of the standing calls, per cent."""
    memory_per_call_kib: float
    """Growth of the resident memory by the first use of a call, KiB."""
    frames: float
    """Frames that came, of those due, per cent; 0 where nobody listens."""
    gaps_ms: tuple[float, float, float, float]
    """Time between two frames of a leg: median, 95 and 99 of a hundred, longest."""
    threads: dict[str, float]
    """Share of one core by kind of thread, per cent."""


class Hotline:
    """Answers whoever calls and measures itself."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.line = SipLine(SipSettings(port=0, rtp_ports=_HOTLINE_RTP, srtp="require" if plan.secret else "off"))
        self._standing: list[str] = []
        self._last: dict[str, float] = {}
        self._gaps: array[float] = array("d")
        self._tasks: set[asyncio.Task[None]] = set()
        self._sound = _tone(1000 * plan.seconds + 5000) if plan.mode == "both" else b""

    def arrived(self, event: LegArrived) -> None:
        """A caller."""
        task = asyncio.get_running_loop().create_task(self._answer(event.leg))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def open(self) -> None:
        """Before the first call."""

    async def measure(self, empty: int) -> Point:
        """Measure the standing calls; `empty` is the resident memory before the first one, in bytes."""
        await self._set_up()
        me, self._gaps, self._last = psutil.Process(), array("d"), {}
        cpu, threads, begin = _cpu_seconds(me), _cpu_by_thread(me), time.monotonic()
        await asyncio.sleep(self._plan.seconds)
        lasted, used, standing = time.monotonic() - begin, _cpu_seconds(me) - cpu, len(self._standing)
        after = _cpu_by_thread(me)
        return Point(
            mode=self._plan.mode,
            wanted=self._plan.calls,
            answered=standing,
            cpu=100 * used / lasted,
            cpu_per_call=100 * used / lasted / max(1, standing),
            memory_per_call_kib=(me.memory_info().rss - empty) / 1024 / max(1, standing),
            frames=100 * (len(self._gaps) + len(self._last)) / max(1.0, standing * lasted / 0.02),
            gaps_ms=_percentiles(self._gaps),
            threads={name: 100 * (after[name] - threads.get(name, 0.0)) / lasted for name in sorted(after)},
        )

    async def _set_up(self) -> None:
        """Speak on every leg, or join them in pairs; then wait until that is over."""
        if self._plan.mode == "both":
            for leg in self._standing:
                self.line.play(leg, 1, self._sound)
        if self._plan.mode == "joined":
            await _join_pairs(self.line, self._standing)
        await asyncio.sleep(1.0)

    async def _answer(self, leg: str) -> None:
        # A caller may be gone before the answer.
        with suppress(LineError):
            await self.line.answer(leg, self._sink)

    def _sink(self, event: LineEvent) -> None:
        if isinstance(event, AudioHeard):
            now = time.monotonic()
            last = self._last.get(event.leg)
            if last is not None:
                self._gaps.append(now - last)
            self._last[event.leg] = now
        elif isinstance(event, LegAnswered):
            self._standing.append(event.leg)
        elif isinstance(event, LegGone) and event.leg in self._standing:
            self._standing.remove(event.leg)


class Callers:
    """Dials, and joins the answered legs in pairs."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.line = SipLine(SipSettings(port=0, rtp_ports=_CALLERS_RTP, srtp="require" if plan.secret else "off"))
        self._standing: list[str] = []
        self._settled = 0
        self._dialled: int | None = None
        self._all_settled = asyncio.Event()

    async def dial_all(self, port: int) -> int:
        """Dial as planned; the number of calls that were answered."""
        dialled = 0
        with suppress(LineError):  # all slots are taken: the rest is not even dialled
            while dialled < self._plan.calls:
                await self.line.dial(f"sip:bench@127.0.0.1:{port}", "bench", self._sink)
                dialled += 1
                await asyncio.sleep(1 / self._plan.rate)
        self._dialled = dialled
        self._note_settled()
        with suppress(TimeoutError):  # those that were answered by then count
            await asyncio.wait_for(self._all_settled.wait(), PATIENCE_S)
        await self._join()
        return len(self._standing)

    async def _join(self) -> None:
        await _join_pairs(self.line, self._standing)

    def _sink(self, event: LineEvent) -> None:
        if isinstance(event, LegAnswered):
            self._standing.append(event.leg)
            self._settled += 1
        elif isinstance(event, LegGone) and event.leg in self._standing:
            self._standing.remove(event.leg)
        elif isinstance(event, LegGone):
            self._settled += 1
        self._note_settled()

    def _note_settled(self) -> None:
        if self._settled == self._dialled:
            self._all_settled.set()


async def _join_pairs(line: SipLine, legs: list[str]) -> None:
    for one, other in zip(legs[::2], legs[1::2], strict=False):
        await line.bridge(one, other)


def _tone(ms: int) -> bytes:
    at = np.arange(8 * ms) / 8000
    return bytes((np.sin(2 * np.pi * 440 * at) * 8000).astype("<i2").tobytes())


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _cpu_by_thread(process: psutil.Process) -> dict[str, float]:
    """Seconds by kind of thread; those that Python does not know are the SIP library's own (the bridge's clock)."""
    names = {one.native_id: one.name.rstrip("0123456789_-") for one in threading.enumerate()}
    found: dict[str, float] = {}
    for one in process.threads():
        name = names.get(one.id, "SIP library's clock and others")
        found[name] = found.get(name, 0.0) + one.user_time + one.system_time
    return found


def _percentiles(gaps: "array[float]") -> tuple[float, float, float, float]:
    if not gaps:
        return 0.0, 0.0, 0.0, 0.0
    p50, p95, p99, most = np.percentile(np.frombuffer(gaps), (50, 95, 99, 100)) * 1000
    return float(p50), float(p95), float(p99), float(most)
