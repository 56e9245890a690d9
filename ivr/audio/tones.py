"""Generated sound: hold tone, ringback, beep, keys, noise. Pure functions to 8 kHz mono s16le.

The loops begin and end at silence, so that they can be repeated without a click.
"""

import numpy as np

from ivr.audio.convert import Samples, level, to_pcm
from ivr.audio.format import RATE, silence

DTMF = {
    key: (low, high)
    for low, row in ((697, "123A"), (770, "456B"), (852, "789C"), (941, "*0#D"))
    for key, high in zip(row, (1209, 1336, 1477, 1633), strict=True)
}
"""Frequencies of the keys in Hz (ITU-T Q.23)."""


def waiting_beeps() -> bytes:
    """Eight seconds of a soft short beep every 1.6 s: the line is alive, and no detector takes it for a voice."""
    return (tone((440,), 0.2, -30) + silence(1.4)) * 5


def hold_loop() -> bytes:
    """Eight seconds of soft slow chords at about -32 dBFS: somebody who waits hears that the line is alive."""
    chords = ((262, 330, 392), (220, 262, 330), (175, 220, 262), (196, 247, 294))
    return to_pcm(np.concatenate([_chord(notes, 2.0, -32) for notes in chords]))


def ringback() -> bytes:
    """One cadence of the ringing tone: 425 Hz, 1 s on, 4 s off (within ITU-T E.180 / Q.35)."""
    return tone((425,), 1.0, -20) + silence(4.0)


def accept_beep() -> bytes:
    """A short friendly beep, 140 ms: your answer was taken."""
    return tone((880,), 0.06, -24) + silence(0.02) + tone((1175,), 0.06, -24)


def dtmf(key: str, seconds: float = 0.1, dbfs: float = -12) -> bytes:
    """A key as in-band tone. Raises KeyError for what is no key."""
    return tone(DTMF[key], seconds, dbfs)


def tone(hertz: tuple[float, ...], seconds: float, dbfs: float) -> bytes:
    """Sines of equal strength together at a level, with edges of 5 ms."""
    return to_pcm(_scaled(_sines(hertz, seconds), dbfs) * _edges(round(seconds * RATE), 0.005))


def comfort_noise(seconds: float, dbfs: float = -62, seed: int = 0) -> bytes:
    """Soft hiss that says that the line is open; too soft to be taken for a voice."""
    return pink_noise(seconds, dbfs, seed)


def white_noise(seconds: float, dbfs: float, seed: int = 0) -> bytes:
    """Equal power at every frequency; the same seed gives the same noise."""
    return to_pcm(_scaled(np.random.default_rng(seed).standard_normal(round(seconds * RATE)), dbfs))


def pink_noise(seconds: float, dbfs: float, seed: int = 0) -> bytes:
    """Power falling 3 dB an octave, much like a room or a street; the same seed gives the same noise."""
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    # Below 100 Hz a telephone carries nothing: without this, rumble would be most of the level.
    shaped = np.fft.irfft(np.where(hertz < 100, 0, spectrum / np.sqrt(np.maximum(hertz, 100))), count)
    return to_pcm(_scaled(shaped, dbfs))


def _chord(hertz: tuple[float, ...], seconds: float, dbfs: float) -> Samples:
    return _scaled(_sines(hertz, seconds), dbfs) * _edges(round(seconds * RATE), seconds / 2.5)


def _sines(hertz: tuple[float, ...], seconds: float) -> Samples:
    times = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(np.sin(2 * np.pi * np.outer(hertz, times)).sum(axis=0), dtype=np.float64)


def _edges(count: int, seconds: float) -> Samples:
    ramp = min(count // 2, round(seconds * RATE))
    rise = 0.5 - 0.5 * np.cos(np.pi * np.arange(ramp) / max(1, ramp))
    return np.concatenate([rise, np.ones(count - 2 * ramp), rise[::-1]])


def _scaled(samples: Samples, dbfs: float) -> Samples:
    return samples * 10 ** ((dbfs - level(samples)) / 20)
