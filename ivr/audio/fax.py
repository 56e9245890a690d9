"""The two tones by which fax machines know each other (ITU-T T.30): 1100 Hz of a caller, 2100 Hz of an answerer."""

import numpy as np

from ivr.audio.format import FRAME_BYTES, FRAME_SAMPLES, FRAME_SECONDS, RATE

HERTZ = (1100.0, 2100.0)
LEAST_SECONDS = 0.3
"""A caller's tone lasts half a second, an answerer's three; no voice holds one so long."""
SHARE = 0.85
"""Of the energy that the tone must have."""
LEAST_DBFS = -38.0

_WAVES = np.exp(-2j * np.pi * np.outer(np.arange(FRAME_SAMPLES), np.array(HERTZ)) / RATE)
_LEAST = 10 ** (LEAST_DBFS / 10) / 2 * FRAME_SAMPLES
_FRAMES = round(LEAST_SECONDS / FRAME_SECONDS)


class FaxTone:
    """Listens to one leg, 20 ms a step. Pure."""

    def __init__(self) -> None:
        self._held = 0
        self._which = -1

    def hear(self, pcm: bytes) -> bool:
        """Take the next 20 ms; True once, when it is certain. Raises ValueError for another size."""
        if len(pcm) != FRAME_BYTES:
            raise ValueError(f"a frame has {FRAME_BYTES} bytes")
        samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(32768)
        energy = float(np.dot(samples, samples))
        which = -1
        if energy > _LEAST:
            strengths = np.abs(samples @ _WAVES) ** 2 * 2 / FRAME_SAMPLES / energy
            best = int(np.argmax(strengths))
            which = best if strengths[best] > SHARE else -1
        self._held = self._held + 1 if which == self._which and which >= 0 else int(which >= 0)
        self._which = which
        return self._held == _FRAMES
