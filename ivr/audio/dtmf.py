"""Keys as tones in the sound itself, for phones and gateways that send no telephone events. Pure, 20 ms a step.

What counts as a key follows ITU-T Q.23 (frequencies, within 1.5 %) and Q.24 (levels, twist, at least 40 ms of tone and
40 ms of pause). Windows of 20 ms, every 5 ms, are correlated with the eight frequencies (Goertzel's bins, all at once
as one product of matrices). Voices fall into a key's bins for a moment now and then; what they do not do is to put
nearly all their energy there, at the right ratio, and hold both frequencies still over four windows: the phase from
window to window tells a frequency to a hertz or two, far finer than a window of 20 ms can show.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ivr.audio.format import FRAME_BYTES, FRAME_SAMPLES, FRAME_SECONDS, RATE
from ivr.audio.tones import DTMF

LEAST_DBFS = -38.0
"""Q.24: tones of -25 dBm0 each must be taken; that is -28 dBFS together, and some lines are softer."""
HIGH_OVER_LOW_DB = 5.5
LOW_OVER_HIGH_DB = 9.5
"""Twist: Q.24 asks for 4 dB and 8 dB."""
SHARE = 0.72
"""Of the energy that the two tones must have: noise 20 dB below them leaves 0.95, a key over speech is no key."""
DRIFT = 0.025
"""Q.24: up to 1.5 % must be taken, 3.5 % must not."""

_HOP = FRAME_SAMPLES // 4
_STEPS = FRAME_SAMPLES // _HOP
_HITS = 4  # windows: 35 ms of tone
_GAP = 8  # windows: more than a lost packet, less than a pause of 40 ms with the windows that lie across its ends
_RIVAL = 0.2  # the next best of the four frequencies, against the best
_STEADY = 2.0  # power from window to window

_LOW, _HIGH = (697.0, 770.0, 852.0, 941.0), (1209.0, 1336.0, 1477.0, 1633.0)
_NOMINAL = np.array(_LOW + _HIGH)
_PLACES = {pair: key for key, pair in DTMF.items()}
_KEYS = [[_PLACES[round(low), round(high)] for high in _HIGH] for low in _LOW]
_BINS = (_NOMINAL[:, None] * np.array([0.985, 1.0, 1.015])).ravel()
_WAVES = np.exp(-2j * np.pi * np.outer(np.arange(FRAME_SAMPLES), _BINS) / RATE).astype(np.complex64) * 2 / FRAME_SAMPLES
_MATRIX = np.ascontiguousarray(np.concatenate([_WAVES.real, _WAVES.imag], axis=1).astype(np.float32))
_LEAST = 10 ** (LEAST_DBFS / 10)
_TWIST = 10 ** (-HIGH_OVER_LOW_DB / 10), 10 ** (LOW_OVER_HIGH_DB / 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """A window that holds two tones of a key, and not much else."""

    low: int
    high: int
    powers: tuple[float, float]
    waves: tuple[complex, complex]


class DtmfDetector:
    """Keys in one call's sound; a key is told once, however long it is pressed."""

    def __init__(self) -> None:
        self._before = np.zeros(FRAME_SAMPLES, dtype=np.float32)
        self._last: _Window | None = None
        self._hits = 0
        self._misses = _GAP
        self._key = ""

    @property
    def sounding(self) -> bool:
        """Whether the last frame held a key's tones, or what becomes one in a moment: nothing for a recogniser."""
        return self._hits >= _HITS - 1 or (bool(self._key) and self._misses < _GAP)

    def feed(self, pcm: bytes) -> str:
        """Take the next 20 ms; the key that is certain now, empty for none. Raises ValueError for another size."""
        if len(pcm) != FRAME_BYTES:
            raise ValueError(f"a frame has {FRAME_BYTES} bytes")
        now = np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(32768)
        before, self._before = self._before, now
        if float(np.dot(now, now)) < _LEAST * FRAME_SAMPLES / 4:
            self._last, self._hits = None, 0
            self._miss(_STEPS)
            return ""
        found = ""
        for window in _windows(np.concatenate([before, now])):
            found = self._step(window) or found
        return found

    def _step(self, window: _Window | None) -> str:
        last, self._last = self._last, window
        if window is None:
            self._hits = 0
            self._miss(1)
            return ""
        self._hits = self._hits + 1 if last is not None and _same(last, window) else 1
        if self._hits < _HITS:
            self._misses += self._hits == 1
            return ""
        self._misses = 0
        key = _KEYS[window.low][window.high]
        if key == self._key:
            return ""
        self._key = key
        return key

    def _miss(self, windows: int) -> None:
        self._misses += windows
        if self._misses >= _GAP:
            self._key = ""


def _windows(sound: NDArray[np.float32]) -> list[_Window | None]:
    """The four windows that end in the second half of this sound of 40 ms."""
    views = np.lib.stride_tricks.sliding_window_view(sound, FRAME_SAMPLES)[_HOP::_HOP]
    waves = views @ _MATRIX
    half = waves.shape[1] // 2
    powers = (waves[:, :half] ** 2 + waves[:, half:] ** 2) / 2
    total = np.einsum("ij,ij->i", views, views) / FRAME_SAMPLES
    best = powers.reshape(_STEPS, 8, 3).max(axis=2)
    low, high = best[:, :4].max(axis=1), best[:, 4:].max(axis=1)
    fits = (
        (low + high > SHARE * total)
        & (low + high > _LEAST)
        & (low > _TWIST[0] * high)
        & (low < _TWIST[1] * high)
    )  # fmt: skip
    if not fits.any():
        return [None] * _STEPS
    return [_window(best[n], powers[n], waves[n]) if fits[n] else None for n in range(_STEPS)]


def _window(best: NDArray[np.float32], powers: NDArray[np.float32], waves: NDArray[np.float32]) -> _Window | None:
    places = int(best[:4].argmax()), int(best[4:].argmax())
    for group, place in zip((best[:4], best[4:]), places, strict=True):
        if float(np.partition(group, 2)[2]) > _RIVAL * float(group[place]):
            return None
    half = waves.size // 2
    middles = (3 * places[0] + 1, 3 * (places[1] + 4) + 1)
    low, high = (complex(waves[one], waves[one + half]) for one in middles)
    return _Window(
        low=places[0],
        high=places[1],
        powers=(float(best[places[0]]), float(best[4 + places[1]])),
        waves=(low, high),
    )


def _same(one: _Window, two: _Window) -> bool:
    """Whether both tones went on, at the same strength, and at their own frequencies."""
    if (one.low, one.high) != (two.low, two.high):
        return False
    for nominal, a, b, p, q in zip(
        (_LOW[two.low], _HIGH[two.high]), one.waves, two.waves, one.powers, two.powers, strict=True
    ):
        if not p / _STEADY < q < p * _STEADY:
            return False
        # The reference of both windows begins at zero, so their phases differ by what the tone turned in one hop.
        turn = np.angle(b / a * np.exp(-2j * np.pi * nominal * _HOP / RATE)) if a else np.pi
        if abs(float(turn)) > 2 * np.pi * DRIFT * nominal * _HOP / RATE:
            return False
    return True


SAME_SECONDS = 0.6
"""A key told by the network this long after the end of its own tones is the same press: INFO comes at its release."""


class Keys:
    """One phone's keys, by tones and by the network (RFC 4733, SIP INFO), each press once.

    A phone that has told one key by the network tells all of them so, and what its gateway leaks into the sound is
    ignored from then on."""

    def __init__(self) -> None:
        self._tones = DtmfDetector()
        self._signals = False
        self._told = ""
        self._since = 0.0

    @property
    def sounding(self) -> bool:
        """See DtmfDetector."""
        return self._tones.sounding

    def hear(self, pcm: bytes) -> str:
        """The next 20 ms of sound; the key pressed by it, empty for none."""
        key = self._tones.feed(pcm)
        self._since = 0.0 if self._tones.sounding else self._since + FRAME_SECONDS
        if not key or self._signals:
            return ""
        self._told = key
        return key

    def signalled(self, key: str) -> str:
        """A key told by the network; empty where it was heard already."""
        told, self._told, self._signals = self._told, "", True
        return "" if told == key and self._since <= SAME_SECONDS else key
