"""Sounds that are no words: coughs, doors, taps, breath, bursts on the line; shaped noise, seeded."""

import random

import numpy as np

from ivr.audio.convert import Samples
from ivr.audio.format import RATE

KINDS = ("mm-hm", "cough", "double cough", "door", "tap", "breath", "crackle", "clatter")


def noise(kind: str, dice: random.Random) -> Samples:
    """One such sound, up to 0.9 s, peaking about as loud as a voice or a little louder."""
    source = np.random.default_rng(dice.getrandbits(32))
    match kind:
        case "mm-hm":
            return _hum(dice)
        case "cough":
            return _cough(source, dice)
        case "double cough":
            gap = np.zeros(round(dice.uniform(0.08, 0.2) * RATE))
            return np.concatenate([_cough(source, dice), gap, _cough(source, dice)])
        case "door":
            thump = _band(source, 0.3, 60, 400) * _decay(0.3, 0.06)
            thump[: RATE // 50] += 0.5 * _band(source, 0.02, 300, 3000)
            return _loud(thump, dice.uniform(0.15, 0.4))
        case "tap":
            return _loud(_band(source, 0.05, 500, 3400) * _decay(0.05, 0.01), dice.uniform(0.1, 0.3))
        case "breath":
            length = dice.uniform(0.4, 0.8)
            shape = np.sin(np.linspace(0, np.pi, round(length * RATE)))
            return _loud(_band(source, length, 400, 3000) * shape, dice.uniform(0.02, 0.06))
        case "crackle":
            bursts = _band(source, 0.6, 200, 3400)
            gate = np.repeat(source.random(60) < 0.3, RATE // 100)
            return _loud(bursts * gate[: bursts.size], dice.uniform(0.1, 0.3))
    parts = [np.roll(_fit(_band(source, 0.12, 800, 3400) * _decay(0.12, 0.03), 0.7), at * 900) for at in range(5)]
    return _loud(np.sum(parts, axis=0), dice.uniform(0.1, 0.3))


def _hum(dice: random.Random) -> Samples:
    """Two hums with closed lips, the second higher: voices that read letters cannot say it."""
    pitch, parts = dice.uniform(95, 220), []
    for rise in (1.0, dice.uniform(1.1, 1.3)):
        at = np.arange(round(dice.uniform(0.16, 0.26) * RATE)) / RATE
        hertz = pitch * rise * (1 + 0.1 * at / at[-1])
        phase = 2 * np.pi * np.cumsum(hertz) / RATE
        hum = sum(np.sin(number * phase) * 0.5**number for number in range(1, 9))
        parts.append(np.asarray(hum) * np.sin(np.linspace(0, np.pi, at.size)) ** 0.5)
    gap = np.zeros(round(dice.uniform(0.03, 0.09) * RATE))
    return _loud(np.concatenate([parts[0], gap, parts[1]]), dice.uniform(0.1, 0.3))


def _cough(source: np.random.Generator, dice: random.Random) -> Samples:
    """A burst, and a voiced end in two of three: a glottal buzz under two broad resonances."""
    length = dice.uniform(0.2, 0.4)
    burst = _band(source, length, 300, 3000) * _decay(length, length / 4)
    if dice.random() < 0.67:
        at = np.arange(burst.size) / RATE
        pitch = dice.uniform(90, 220)
        buzz = sum(np.sin(2 * np.pi * pitch * number * at) / number for number in range(1, 12))
        burst = burst + 0.5 * np.asarray(buzz) * _decay(length, length / 5) * np.abs(burst).max()
    return _loud(burst, dice.uniform(0.15, 0.5))


def _band(source: np.random.Generator, seconds: float, low: float, high: float) -> Samples:
    samples = source.standard_normal(round(seconds * RATE))
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(samples.size, 1 / RATE)
    spectrum[(hertz < low) | (hertz > high)] = 0
    return np.asarray(np.fft.irfft(spectrum, samples.size), dtype=np.float64)


def _decay(seconds: float, constant: float) -> Samples:
    return np.asarray(np.exp(-np.arange(round(seconds * RATE)) / RATE / constant), dtype=np.float64)


def _fit(samples: Samples, seconds: float) -> Samples:
    return np.pad(samples, (0, max(0, round(seconds * RATE) - samples.size)))


def _loud(samples: Samples, peak: float) -> Samples:
    return np.asarray(samples * (peak / float(np.abs(samples).max())), dtype=np.float64)
