"""What simulated phones share: one SIP line, a voice, ears, and a report of everything as JSON lines."""

import asyncio
import json
import sys
import time
from pathlib import Path

from asr_models import vosk_engine
from asr_models.adapt import beside
from asr_models.bundled import unpack
from asr_models.catalog import read
from asr_models.pool import DecodePool
from asr_models.port import Recogniser
from ivr.audio import tones
from ivr.audio.convert import mix_noise
from ivr.lines.sip import SipLine
from ivr.lines.sip_settings import SipSettings
from ivr.ports import AudioHeard, LineEvent, PlayEnded

NOISE_SECONDS = 20.0
SPEECH_DBFS = -20.0
NOISE_PLAY = 0


def report(event: str, **facts: object) -> None:
    """One line for whoever started this phone; times are monotonic, the same clock in all processes of a machine."""
    sys.stdout.write(json.dumps({"t": time.monotonic(), "event": event, **facts}) + "\n")
    sys.stdout.flush()


async def ears(models: Path) -> Recogniser:
    """The bundled model, fitted to the hotline's sentences where it was."""
    model = await asyncio.to_thread(unpack, read(), models)
    fitted = beside(model)
    return await vosk_engine.load(fitted if fitted.is_dir() else model, DecodePool(threads=1))


class Phone:
    """A phone with one call."""

    def __init__(self, settings: SipSettings, snr: float | None) -> None:
        self.line = SipLine(settings)
        self.leg = ""
        self.events: asyncio.Queue[tuple[float, LineEvent]] = asyncio.Queue(maxsize=2000)
        self._snr = snr
        self._plays = 0
        self._noise = tones.pink_noise(NOISE_SECONDS, SPEECH_DBFS - snr) if snr is not None else b""
        self.talking = False

    def sink(self, event: LineEvent) -> None:
        """Keep the event with its time; audio that nobody fetches is dropped."""
        if isinstance(event, PlayEnded):
            self._ended(event)
        if isinstance(event, AudioHeard) and self.events.full():
            return
        self.events.put_nowait((time.monotonic(), event))

    def _ended(self, event: PlayEnded) -> None:
        if event.play == self._plays:
            self.talking = False
        if self._noise and (event.complete or event.play != NOISE_PLAY) and not self.talking:
            self.line.play(self.leg, NOISE_PLAY, self._noise)

    def background(self) -> None:
        """Start the noise of the room."""
        if self._noise:
            self.line.play(self.leg, NOISE_PLAY, self._noise)

    def say(self, pcm: bytes) -> int:
        """Speak; the play's number. With noise, the room goes on under the voice."""
        self._plays += 1
        self.talking = True
        self.line.play(self.leg, self._plays, mix_noise(pcm, self._noise, self._snr) if self._snr is not None else pcm)
        return self._plays
