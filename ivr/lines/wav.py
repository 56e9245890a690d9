"""The line port over audio in memory: far ends take 20 ms and give 20 ms, and time is the audio itself.

A whole call, agents' phones included, runs without telephony and without sleeping: before each frame the line waits
until the hotline has dealt with everything so far (`settle`), so the outcome does not depend on the machine's speed.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ivr.audio.format import BYTES_PER_SECOND, FRAME_BYTES, FRAME_SECONDS
from ivr.audio.resume import resume_at
from ivr.ports import (
    AudioHeard,
    Cause,
    Elapsed,
    KeyPressed,
    LegAnswered,
    LegArrived,
    LegGone,
    LegRinging,
    LineError,
    LineEvent,
    PlayEnded,
    Sink,
)
from masking.port import PhoneNumber

SILENCE = bytes(FRAME_BYTES)
FRAMES_PER_ELAPSED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What a far end does in 20 ms."""

    pcm: bytes = SILENCE
    """What it says; 320 bytes."""
    keys: str = ""
    """Keys it presses."""
    answer: bool = False
    """Picks up (called phones only)."""
    hang_up: bool = False
    """Hangs up, or declines while it rings."""


class FarEnd(Protocol):
    """A phone at the other end."""

    def moment(self, heard: bytes | None) -> Moment:
        """Called every 20 ms; `heard` is None while the leg is not answered."""
        ...


@dataclass(slots=True)
class _Leg:
    id: str
    far: FarEnd
    sink: Sink | None = None
    answered: bool = False
    early: list[LineEvent] = field(default_factory=list)
    play: int = 0
    audio: bytes = b""
    at: int = 0
    held: bool = False
    peer: str = ""
    last: bytes = SILENCE
    frames: int = 0

    def tell(self, event: LineEvent) -> None:
        """To the sink, or kept until there is one."""
        if self.sink is None:
            self.early.append(event)
        else:
            self.sink(event)


def mixed(one: bytes, other: bytes) -> bytes:
    """Two frames at once."""
    both = np.frombuffer(one, dtype="<i2").astype(np.int32) + np.frombuffer(other, dtype="<i2")
    return bytes(both.clip(-32768, 32767).astype("<i2").tobytes())


class WavLine:
    """`Line` and `Sound` over far ends in memory."""

    def __init__(self, phones: Callable[[str], FarEnd | None]) -> None:
        """`phones` gives the far end of a dialled address, None where nobody can be reached."""
        self._phones = phones
        self._legs: dict[str, _Leg] = {}
        self._ids = itertools.count(1)
        self.refused: list[tuple[str, int]] = []
        self.shown: list[str] = []

    def ring(self, far: FarEnd, caller: PhoneNumber | None, dialled: str = "hotline") -> LegArrived:
        """A far end calls the hotline."""
        leg = _Leg(id=f"w{next(self._ids)}", far=far)
        self._legs[leg.id] = leg
        return LegArrived(leg=leg.id, caller=caller, dialled=dialled)

    async def run(self, settle: Callable[[], Awaitable[None]], *, seconds: float) -> bool:
        """Let audio time pass until every leg is gone; False where some were still up after `seconds`."""
        for _ in range(round(seconds / FRAME_SECONDS)):
            await settle()
            if not self._legs:
                return True
            for leg in tuple(self._legs.values()):
                self._moment(leg)
        return not self._legs

    def _moment(self, leg: _Leg) -> None:
        did = leg.far.moment(self._heard(leg) if leg.answered else None)
        leg.last = did.pcm
        leg.frames += 1
        if did.answer and not leg.answered:
            leg.answered = True
            leg.tell(LegAnswered(leg=leg.id))
        for digit in did.keys:
            leg.tell(KeyPressed(leg=leg.id, digit=digit))
        if leg.answered and not leg.peer:
            leg.tell(AudioHeard(leg=leg.id, pcm=did.pcm))
        if leg.frames % FRAMES_PER_ELAPSED == 0:
            leg.tell(Elapsed(leg=leg.id, seconds=FRAMES_PER_ELAPSED * FRAME_SECONDS))
        if did.hang_up:
            self._gone(leg.id, Cause.NORMAL if leg.answered else Cause.DECLINED)

    def _heard(self, leg: _Leg) -> bytes:
        if leg.peer:
            other = self._legs[leg.peer].last if leg.peer in self._legs else SILENCE
            return mixed(other, self._played(leg)) if leg.audio and not leg.held else other
        return self._played(leg)

    def _played(self, leg: _Leg) -> bytes:
        if not leg.audio or leg.held:
            return SILENCE
        frame = leg.audio[leg.at : leg.at + FRAME_BYTES]
        leg.at += FRAME_BYTES
        if leg.at >= len(leg.audio):
            leg.audio = b""
            leg.tell(PlayEnded(leg=leg.id, play=leg.play, complete=True))
        return frame.ljust(FRAME_BYTES, b"\0")

    def _gone(self, leg: str, cause: Cause) -> None:
        gone = self._legs.pop(leg, None)
        if gone is not None:
            if gone.peer in self._legs:
                self._legs[gone.peer].peer = ""  # who is left hears the hotline again, and is heard
            gone.tell(LegGone(leg=leg, cause=cause))

    async def answer(self, leg: str, sink: Sink) -> None:
        """As in the port."""
        found = self._legs.get(leg)
        if found is None:
            raise LineError("the caller is gone")
        found.sink, found.answered = sink, True
        for event in (LegAnswered(leg=leg), *found.early):
            sink(event)

    async def refuse(self, leg: str, code: int) -> None:
        """As in the port; the codes are kept for tests."""
        self.refused.append((leg, code))
        self._legs.pop(leg, None)

    async def dial(self, address: str, shown: str, sink: Sink) -> str:
        """As in the port; what is shown is kept for tests."""
        self.shown.append(shown)
        far = self._phones(address)
        leg = f"w{next(self._ids)}"
        loop = asyncio.get_running_loop()
        if far is None:
            loop.call_soon(sink, LegGone(leg=leg, cause=Cause.UNREACHABLE))
            return leg
        self._legs[leg] = _Leg(id=leg, far=far, sink=sink)
        loop.call_soon(sink, LegRinging(leg=leg))
        return leg

    async def hang_up(self, leg: str) -> None:
        """As in the port."""
        self._gone(leg, Cause.NORMAL)

    async def bridge(self, one: str, other: str) -> None:
        """As in the port."""
        if not (one in self._legs and other in self._legs):
            raise LineError("a leg is gone")
        self._legs[one].peer, self._legs[other].peer = other, one
        for leg in (one, other):
            self.stop(leg)

    def play(self, leg: str, play: int, pcm: bytes) -> None:
        """As in the port."""
        found = self._legs.get(leg)
        if found is None:
            return
        self.stop(leg)
        found.play, found.audio, found.at, found.held = play, pcm, 0, False

    def stop(self, leg: str) -> None:
        """As in the port."""
        found = self._legs.get(leg)
        if found is not None and found.audio:
            found.audio = b""
            found.tell(PlayEnded(leg=leg, play=found.play, complete=False))

    def hold(self, leg: str) -> None:
        """As in the port."""
        found = self._legs.get(leg)
        if found is not None:
            found.held = bool(found.audio)

    def go_on(self, leg: str) -> None:
        """As in the port."""
        found = self._legs.get(leg)
        if found is not None and found.held:
            found.held, found.at = False, resume_at(found.audio, found.at)

    def left(self, leg: str) -> float:
        """As in the port."""
        found = self._legs.get(leg)
        return (len(found.audio) - found.at) / BYTES_PER_SECOND if found is not None and found.audio else 0.0
