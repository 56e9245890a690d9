"""Is there a tone in it? A voice hums in its vowels; a cough, a door, breath and crackle do not, or hardly. And is it
nothing but a hum? With closed lips little is left above 1 kHz ("mm-hm"), where most words have some sound of theirs.

Normalised autocorrelation over 40 ms, for pitches from 70 to 400 Hz (Rabiner 1977, "On the use of autocorrelation
analysis for pitch detection"). One object serves one utterance and is fed every frame of it.
"""

import numpy as np

from ivr.audio.format import FRAME_SAMPLES, FRAME_SECONDS, RATE

_LENGTH = 2 * FRAME_SAMPLES
_LAGS = slice(RATE // 400, RATE // 70)
_LEAST = 0.55  # white noise stays below 0.35, a vowel at 10 dB above the noise comes to 0.7
_LEAST_POWER = 1e-6  # -60 dBFS: softer than any voice on a telephone
_HIGH = round(1000 * 2 * _LENGTH / RATE)  # bins from 1 kHz on
_MURMUR = 0.02  # share of the energy from there on: words of most voices have more, of very dull ones as little
_LOUD = 0.03  # frames softer than 15 dB below the loudest are the line's as much as the voice's
_FEW = 2  # frames of more: an onset
_WINDOW = np.hanning(_LENGTH)
_OVERLAP = np.fft.irfft(np.abs(np.fft.rfft(_WINDOW, 2 * _LENGTH)) ** 2)[:_LENGTH]
_SHRINK = (_OVERLAP / _OVERLAP[0])[_LAGS]  # of the window's own autocorrelation


class Voicing:
    """Counts how much of an utterance is voiced, and tells a hum."""

    def __init__(self) -> None:
        self._before = np.zeros(FRAME_SAMPLES)
        self._frames = 0
        self._high: list[tuple[float, float]] = []

    @property
    def seconds(self) -> float:
        """Voiced sound so far."""
        return self._frames * FRAME_SECONDS

    @property
    def hums(self) -> bool:
        """Whether what is loud in it stays below 1 kHz."""
        loudest = max((power for power, _ in self._high), default=0.0)
        shares = sorted(share for power, share in self._high if power >= _LOUD * loudest)
        return len(shares) > _FEW and shares[-1 - _FEW] < _MURMUR

    def feed(self, frame: bytes) -> None:
        """Take the next 20 ms."""
        now = np.frombuffer(frame, dtype="<i2").astype(np.float64) / 32768
        both = np.concatenate([self._before, now])
        self._before = now
        both -= both.mean()
        if float(np.mean(both**2)) < _LEAST_POWER:
            return
        spectrum = np.abs(np.fft.rfft(both * _WINDOW, 2 * _LENGTH)) ** 2
        power = float(spectrum.sum())
        self._high.append((power, float(spectrum[_HIGH:].sum()) / power))
        lags = np.fft.irfft(spectrum)
        self._frames += float((lags[_LAGS] / _SHRINK).max()) > _LEAST * float(lags[0])
