"""What every voice does after its engine: telephone rate, silence trimmed, one loudness, whole frames. Pure."""

import numpy as np

from ivr.audio.convert import Samples, active_level, normalise, resample, to_pcm
from ivr.audio.format import RATE, whole_frames
from ivr.ports import VoiceError

RENDERING = "r1"
"""Part of every voice's name: to be raised when the steps below change the sound, so that no old cache is heard."""
EDGE_SECONDS = 0.05
"""Silence left before and after the words: any more would be added to every response gap."""
MAX_CHARACTERS = 2000
"""Longest text that a voice takes at once."""

_EDGE_DB = 35.0  # what is this far below the active level, at the edges, is silence
_BLOCK = RATE // 100


def sayable(text: str) -> str:
    """The text as one line of words without control characters and phoneme brackets; empty where there is nothing to
    say. Raises VoiceError for more than MAX_CHARACTERS."""
    clean = "".join(char if char.isprintable() else " " for char in text)
    line = " ".join(clean.replace("[[", " ").replace("]]", " ").split())
    if len(line) > MAX_CHARACTERS:
        raise VoiceError("the text is too long for one rendering")
    return line if any(char.isalnum() for char in line) else ""


def telephone(samples: Samples, rate: int) -> bytes:
    """An engine's sound as a telephone prompt. Raises VoiceError where nothing can be heard."""
    narrow = trim(resample(samples, rate))
    if active_level(narrow) < -65:
        raise VoiceError("the voice gave silence")
    # Edges of 5 ms: the cut must not click.
    ramp = np.linspace(0.0, 1.0, min(40, narrow.size // 2 or 1))
    narrow[: ramp.size] *= ramp
    narrow[-ramp.size :] *= ramp[::-1]
    return whole_frames(to_pcm(normalise(narrow)))


def trim(samples: Samples) -> Samples:
    """Sound at 8 kHz without the silence at its ends, but EDGE_SECONDS of it; a copy."""
    count = samples.size // _BLOCK
    powers = np.mean(samples[: count * _BLOCK].reshape(count, _BLOCK) ** 2, axis=1) if count else np.zeros(0)
    loud = np.flatnonzero(powers > 10 ** ((active_level(samples) - _EDGE_DB) / 10))
    if not loud.size:
        return samples.copy()
    edge = round(EDGE_SECONDS * RATE)
    return samples[max(0, int(loud[0]) * _BLOCK - edge) : (int(loud[-1]) + 1) * _BLOCK + edge].copy()
