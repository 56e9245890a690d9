"""The two sides of the line's measurement with ears: every call has voice activity, end-pointing, noise suppression,
the bundled recognition model and the safety net; callers speak a share of the time."""

import asyncio
import time
from pathlib import Path

from asr_models.pool import DecodePool
from config import settings as config
from ivr.bootstrap.doors import open_ears
from ivr.bootstrap.places import places
from ivr.call import events as ev
from ivr.hearing import Ears, Hearing
from ivr.ports import AudioHeard, LegAnswered, LegGone, LineEvent
from ivr.voices.choose import choose
from scripts.bench.line_sides import Callers, Hotline, Plan, Point

THREADS = 2
_SENTENCES = Path(__file__).parent / "sentences/en-harmless.txt"
_SHARES = {"ears0": 0.0, "ears40": 0.4, "ears100": 1.0}
_PAUSE_SECONDS = 1.2
_VOICE = "flite:slt"


def has_ears(plan: Plan) -> bool:
    """Whether the plan's mode is one of these."""
    return plan.mode in _SHARES


class EarsHotline(Hotline):
    """Hears every caller. The figures of frames become the delay of hearing: from a frame's arrival to its having been
    heard, measured on ten probes a second."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self._ears: Ears | None = None
        self._hearing: dict[str, Hearing] = {}
        self._work: dict[str, asyncio.Task[None]] = {}
        self.finals = 0

    async def measure(self, empty: int) -> Point:
        """See Hotline."""
        probing = asyncio.create_task(self._probe())
        try:
            return await super().measure(empty)
        finally:
            probing.cancel()
            for task in self._work.values():
                task.cancel()

    async def open(self) -> None:
        """Load the model."""
        settings = config.load()
        self._ears, name = await open_ears(settings, places(settings), DecodePool(threads=THREADS))
        assert self._ears is not None, "there is no recognition model"

    def _sink(self, event: LineEvent) -> None:
        if isinstance(event, AudioHeard):
            hearing = self._hearing.get(event.leg)
            if hearing is not None:
                hearing.push(event.pcm)
            return
        if isinstance(event, LegAnswered):
            assert self._ears is not None
            hearing = self._hearing[event.leg] = Hearing(self._ears, "en", self._heard)
            hearing.listen(None)
            self._work[event.leg] = asyncio.create_task(hearing.run())
        if isinstance(event, LegGone) and event.leg in self._work:
            self._work.pop(event.leg).cancel()
            self._hearing.pop(event.leg).close()
        super()._sink(event)

    def _heard(self, event: ev.Event) -> None:
        self.finals += isinstance(event, ev.Heard)

    async def _probe(self) -> None:
        while True:
            for hearing in list(self._hearing.values()):
                start = time.monotonic()
                await hearing.settle()
                self._gaps.append(time.monotonic() - start)
                await asyncio.sleep(0.1 / max(1, len(self._hearing)))
            await asyncio.sleep(0.01)


class Talkers(Callers):
    """Speak a share of the time instead of being joined."""

    async def dial_all(self, port: int) -> int:
        """See Callers."""
        share = _SHARES[self._plan.mode]
        sound = await speech(share) if share else b""
        standing = await super().dial_all(port)
        for number, leg in enumerate(self._standing):
            if sound:
                begin = number * len(sound) // max(1, standing) // 320 * 320
                self.line.play(leg, 1, (sound[begin:] + sound) * (1 + 16_000 * self._plan.seconds * 2 // len(sound)))
        return standing

    async def _join(self) -> None:
        """Nobody is joined here."""


async def speech(share: float) -> bytes:
    """Sentences with pauses, so that the share of speech is about this; 1 has no pauses."""
    voice = choose(_VOICE)
    lines = [line for line in _SENTENCES.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    made = b""
    for line in lines[:12]:
        said = await voice.speak(line.partition("\t")[0], keep=False)
        pause = int(len(said) * (1 - share) / share / 2) * 2
        made += said + bytes(pause)
    return made
