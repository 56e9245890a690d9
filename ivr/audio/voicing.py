"""Is there a tone in it? A voice hums in its vowels; a cough, a door, breath and crackle do not, or hardly.

Normalised autocorrelation over 40 ms, for pitches from 70 to 400 Hz (Rabiner 1977, "On the use of autocorrelation
analysis for pitch detection"). One object serves one utterance and is fed every frame of it.
"""

import numpy as np

from ivr.audio.format import FRAME_SAMPLES, FRAME_SECONDS, RATE

_LENGTH = 2 * FRAME_SAMPLES
_LAGS = slice(RATE // 400, RATE // 70)
_LEAST = 0.55  # white noise stays below 0.35, a vowel at 10 dB above the noise comes to 0.7
_LEAST_POWER = 1e-6  # -60 dBFS: softer than any voice on a telephone
_WINDOW = np.hanning(_LENGTH)
_OVERLAP = np.fft.irfft(np.abs(np.fft.rfft(_WINDOW, 2 * _LENGTH)) ** 2)[:_LENGTH]
_SHRINK = (_OVERLAP / _OVERLAP[0])[_LAGS]  # of the window's own autocorrelation


class Voicing:
    """Counts how much of an utterance is voiced."""

    def __init__(self) -> None:
        self._before = np.zeros(FRAME_SAMPLES)
        self._frames = 0

    @property
    def seconds(self) -> float:
        """Voiced sound so far."""
        return self._frames * FRAME_SECONDS

    def feed(self, frame: bytes) -> None:
        """Take the next 20 ms."""
        now = np.frombuffer(frame, dtype="<i2").astype(np.float64) / 32768
        both = np.concatenate([self._before, now])
        self._before = now
        both -= both.mean()
        if float(np.mean(both**2)) < _LEAST_POWER:
            return
        spectrum = np.abs(np.fft.rfft(both * _WINDOW, 2 * _LENGTH)) ** 2
        lags = np.fft.irfft(spectrum)
        self._frames += float((lags[_LAGS] / _SHRINK).max()) > _LEAST * float(lags[0])
