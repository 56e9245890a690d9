"""Where the sound begins in what is about to be played."""

import numpy as np

AUDIBLE = 200
"""Amplitude from which on a sample counts as sound: about -44 dB below full scale, under any voice."""
LONGEST_SECONDS = 2.0
"""Silence is not looked through for longer than this: it costs time on every sentence."""


def lead_seconds(pcm: bytes) -> float:
    """Seconds of silence at the beginning of 8 kHz mono s16le, at most `LONGEST_SECONDS`."""
    samples = np.frombuffer(pcm[: 2 * round(8000 * LONGEST_SECONDS) & ~1], dtype="<i2")
    loud = (samples >= AUDIBLE) | (samples <= -AUDIBLE)
    return float(np.argmax(loud) if loud.any() else samples.size) / 8000
