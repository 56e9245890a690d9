"""Conversions of sound: rate, loudness, mu-law, noise. Pure; samples are float64 where 1.0 is full scale.

Levels are dBFS of the root mean square: a full-scale square wave is 0 dBFS.
"""

from functools import lru_cache
from math import gcd
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ivr.audio.format import FRAME_SAMPLES, RATE

Samples: TypeAlias = NDArray[np.float64]
"""Mono sound, one float a sample, full scale at 1.0."""

SPEECH_DBFS = -20.0
"""Active speech level of everything we say; ITU-T P.56 calls -26 dBov nominal, our prompts are a little louder so that
an old telephone in a kitchen carries them."""
PEAK_DBFS = -1.0
"""No sample is louder than this."""
_SILENT_DBFS = -120.0
_MARGIN_DB = 15.9  # ITU-T P.56: what is this far below the active level does not count as speech
_STOP_BAND_BETA = 7.0  # Kaiser window, about 70 dB: below the noise of G.711
_MU_BIAS = 132
_MU_CLIP = 32635


def to_samples(pcm: bytes) -> Samples:
    """s16le bytes as floats; an odd last byte is dropped."""
    return np.frombuffer(pcm[: len(pcm) // 2 * 2], dtype="<i2").astype(np.float64) / 32768.0


def to_pcm(samples: Samples) -> bytes:
    """Floats as s16le bytes, clipped at full scale."""
    return np.clip(np.rint(samples * 32768.0), -32768, 32767).astype("<i2").tobytes()


def resample(samples: Samples, rate: int, target: int = RATE) -> Samples:
    """The sound at another rate, low-pass filtered below half of the lower one (polyphase windowed sinc).

    Delay is compensated: sample 0 stays at time 0. Raises ValueError for rates outside 1..384 kHz.
    """
    if not (1000 <= rate <= 384_000 and 1000 <= target <= 384_000):
        raise ValueError("sampling rate outside 1 to 384 kHz")
    if rate == target or not samples.size:
        return samples
    up, down = target // gcd(rate, target), rate // gcd(rate, target)
    bank = _phases(rate, target)
    half = bank.shape[1] // 2
    length = -(-samples.size * up // down)
    padded = np.concatenate([np.zeros(half), samples, np.zeros(half + 1)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, bank.shape[1])
    result = np.zeros(length)
    for first in range(min(up, length)):
        steps = len(range(first, length, up))
        start = first * down // up
        result[first::up] = windows[start : start + (steps - 1) * down + 1 : down] @ bank[first * down % up]
    return result


@lru_cache(maxsize=16)
def _phases(rate: int, target: int) -> Samples:
    """One row of filter taps for every position of an output sample between two input samples."""
    up = target // gcd(rate, target)
    edge = min(rate, target) / 2
    cutoff, transition = 0.925 * edge, 0.15 * edge
    half = int(np.ceil((70 - 8) / (2.285 * 2 * np.pi * transition / rate) / 2))
    # Row p is the filter seen from p/up of an input sample past the window's centre.
    offsets = np.arange(-half, half + 1)[None, :] - (np.arange(up) / up)[:, None]
    inside = np.clip(1 - (offsets / (half + 1)) ** 2, 0, None)
    window = np.i0(_STOP_BAND_BETA * np.sqrt(inside)) / np.i0(_STOP_BAND_BETA)
    taps = np.sinc(2 * cutoff / rate * offsets) * window
    return np.asarray(taps / taps.sum(axis=1, keepdims=True), dtype=np.float64)


def level(samples: Samples) -> float:
    """Level of all of it in dBFS; -120 for nothing at all."""
    power = float(np.mean(samples**2)) if samples.size else 0.0
    return max(_SILENT_DBFS, 10 * float(np.log10(power + 1e-12)))


def active_level(samples: Samples, rate: int = RATE) -> float:
    """Level of the speech in dBFS, pauses left out (after ITU-T P.56, on blocks of 20 ms); -120 for silence."""
    block = max(1, rate * FRAME_SAMPLES // RATE)
    count = samples.size // block
    if not count:
        return level(samples)
    powers = np.mean(samples[: count * block].reshape(count, block) ** 2, axis=1)
    threshold = 1e-7  # -70 dBFS
    for _ in range(8):
        loud = powers[powers > threshold]
        if not loud.size:
            return _SILENT_DBFS
        threshold = max(1e-7, float(np.mean(loud)) * 10 ** (-_MARGIN_DB / 10))
    return 10 * float(np.log10(np.mean(loud)))


def normalise(samples: Samples, dbfs: float = SPEECH_DBFS) -> Samples:
    """Speech brought to an active level, peaks rounded off; silence stays silence."""
    now = active_level(samples)
    if now <= _SILENT_DBFS:
        return samples
    return limit(samples * 10 ** ((dbfs - now) / 20))


def limit(samples: Samples, peak_dbfs: float = PEAK_DBFS) -> Samples:
    """Peaks bent smoothly below the limit; what is 6 dB below it is untouched."""
    top = 10 ** (peak_dbfs / 20)
    knee = top / 2
    size = np.abs(samples)
    bent = knee + (top - knee) * np.tanh((size - knee) / (top - knee))
    return np.where(size > knee, np.sign(samples) * bent, samples)


def mulaw_encode(pcm: bytes) -> bytes:
    """s16le as G.711 mu-law, one byte a sample."""
    values = np.frombuffer(pcm[: len(pcm) // 2 * 2], dtype="<i2").astype(np.int32)
    sign = np.where(values < 0, 0x80, 0)
    size = np.minimum(np.abs(values), _MU_CLIP) + _MU_BIAS
    exponent = np.floor(np.log2(size)).astype(np.int32) - 7
    mantissa = (size >> (exponent + 3)) & 0x0F
    return bytes((~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8).tobytes())


def mulaw_decode(data: bytes) -> bytes:
    """G.711 mu-law as s16le."""
    codes = ~np.frombuffer(data, dtype=np.uint8).astype(np.int32) & 0xFF
    size = ((((codes & 0x0F) << 3) + _MU_BIAS) << ((codes >> 4) & 7)) - _MU_BIAS
    return bytes(np.where(codes & 0x80, -size, size).astype("<i2").tobytes())


def alaw_decode(data: bytes) -> bytes:
    """G.711 A-law as s16le."""
    codes = np.frombuffer(data, dtype=np.uint8).astype(np.int32) ^ 0x55
    exponent = (codes >> 4) & 7
    size = ((codes & 0x0F) << 4) + 8 + np.where(exponent > 0, 256, 0)
    size = size << np.maximum(exponent - 1, 0)
    return bytes(np.where(codes & 0x80, size, -size).astype("<i2").tobytes())


def mix_noise(pcm: bytes, noise: bytes, snr_db: float) -> bytes:
    """Speech with noise under it, so many dB below the active speech level; short noise is repeated.

    Speech that is silence gets the noise at -50 dBFS. Raises ValueError for noise that is silent.
    """
    speech, under = to_samples(pcm), to_samples(noise)
    if not speech.size:
        return b""
    now = level(under)
    if now <= _SILENT_DBFS:
        raise ValueError("the noise is silent")
    active = active_level(speech)
    wanted = active - snr_db if active > _SILENT_DBFS else -50.0
    return to_pcm(speech + np.resize(under, speech.size) * 10 ** ((wanted - now) / 20))
