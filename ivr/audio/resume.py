"""Where a sentence goes on that was held in the middle of a word. Pure."""

import numpy as np

from ivr.audio.format import BYTES_PER_SECOND, RATE

BACK_SECONDS = 0.5
"""At most this much is said twice."""

_BLOCK = RATE // 50  # 20 ms: shorter than any pause between words, longer than a pitch period
_LOOK_SECONDS = 2.0  # of sound before the place, which tell how loud the voice is
_PAUSE_SHARE = 0.01  # 20 dB below the voice


def resume_at(pcm: bytes, at: int) -> int:
    """The byte of `pcm` (8 kHz s16le) to go on from after silence at byte `at`: the nearest pause before it, or the
    softest moment of the last half second; `at` itself in an even sound. Never after `at`, so nothing is lost."""
    at = min(at, len(pcm)) // 2 * 2
    start = max(0, at - round(_LOOK_SECONDS * BYTES_PER_SECOND))
    samples = np.frombuffer(pcm[start:at], dtype="<i2").astype(np.float64)
    blocks = samples.size // _BLOCK
    if not blocks:
        return at
    powers = np.mean(samples[samples.size - blocks * _BLOCK :].reshape(blocks, _BLOCK) ** 2, axis=1)
    near = powers[-round(BACK_SECONDS * RATE / _BLOCK) :][::-1]
    pauses = np.flatnonzero(near <= _PAUSE_SHARE * float(powers.max()))
    if not pauses.size and float(near.min()) > 0.5 * float(near.max()):
        return at
    back = int(pauses[0]) if pauses.size else int(near.argmin())
    return at - 2 * _BLOCK * (back + 1)
