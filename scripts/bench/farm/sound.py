"""A caller's utterance as it goes into the telephone: voice, speed, trimmed to the first and last sound."""

import asyncio

import numpy as np

from ivr.audio.convert import Samples, to_pcm, to_samples
from ivr.audio.format import FRAME_SAMPLES, RATE
from ivr.ports import Voice
from ivr.voices.choose import choose

_WINDOW = 480  # 60 ms: two or three pitch periods of a low voice
_HOP = 240
_SEARCH = 80
LOUD = 0.008
"""Root mean square (full scale 1) above which 20 ms count as sound: about -42 dBFS."""
FAINT = 0.001
"""The same for a voice's own edges, -60 dBFS: the f of "four" and the s of "six" are far below its vowels."""


def faster(samples: Samples, rate: float) -> Samples:
    """The same voice at another speed, pitch kept: windows are overlapped where they fit best (WSOLA; Verhelst and
    Roelands, 1993)."""
    if rate == 1.0 or len(samples) < 4 * _WINDOW:
        return samples
    window = np.hanning(_WINDOW)
    count = int((len(samples) - 2 * _WINDOW - 2 * _SEARCH) / (_HOP * rate))
    made = np.zeros(count * _HOP + _WINDOW)
    at = 0
    for number in range(count):
        wanted = min(int(number * _HOP * rate), len(samples) - _WINDOW - _SEARCH)
        if number:
            follow = samples[at + _HOP : at + _HOP + _WINDOW]
            low = max(0, wanted - _SEARCH)
            region = samples[low : wanted + _SEARCH + _WINDOW]
            at = low + int(np.argmax(np.correlate(region, follow, mode="valid")))
        made[number * _HOP : number * _HOP + _WINDOW] += samples[at : at + _WINDOW] * window
    return made


def trimmed(samples: Samples) -> Samples:
    """Without the silence before the first and after the last sound, so that ends are known to 20 ms."""
    count = len(samples) // FRAME_SAMPLES
    frames = samples[: count * FRAME_SAMPLES].reshape(count, FRAME_SAMPLES)
    loud = np.flatnonzero(np.sqrt(np.mean(frames**2, axis=1)) > FAINT)
    return samples[loud[0] * FRAME_SAMPLES : (loud[-1] + 1) * FRAME_SAMPLES] if loud.size else samples[:0]


class Mouths:
    """Utterances in memory: the same words by the same voice are spoken once."""

    def __init__(self) -> None:
        self._voices: dict[str, Voice] = {}
        self._known: dict[tuple[str, float, str], bytes] = {}

    async def speak(self, voice: str, rate: float, text: str) -> bytes:
        """8 kHz mono s16le. Raises VoiceError."""
        key = voice, rate, text
        if key not in self._known:
            engine = self._voices.setdefault(voice, choose(voice))
            pcm = await engine.speak(text, keep=False)
            self._known[key] = await asyncio.to_thread(lambda: to_pcm(trimmed(faster(to_samples(pcm), rate))))
        return self._known[key]


def loud(pcm: bytes) -> bool:
    """Whether 20 ms are sound."""
    samples = np.frombuffer(pcm, dtype="<i2")
    return bool(samples.size) and float(np.sqrt(np.mean((samples / 32768.0) ** 2))) > LOUD


SECONDS_A_BYTE = 1 / (2 * RATE)
"""Of 8 kHz s16le."""
