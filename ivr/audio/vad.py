"""Is this frame a voice? WebRTC's detector, an energy gate over the noise of the line, and an ear for tones.

The detector alone takes noise and keys for speech; the gate alone takes a slammed door. Both must agree. Everything is
counted in frames fed, never on a clock. One object serves one call.
"""

from collections import deque
from typing import TypeAlias

import numpy as np
import webrtcvad
from numpy.typing import NDArray

from ivr.audio.format import FRAME_BYTES, FRAME_SAMPLES, RATE
from ivr.audio.tones import DTMF

Frame: TypeAlias = NDArray[np.float32]

_FLOOR_FRAMES = 75  # 1.5 s: longer than any run of speech without a dip between syllables
_FIRST_FRAMES = 8  # 160 ms in which nothing counts as a voice: the noise that is there from the start is learnt first
_QUIET_DBFS = -75.0
_TONE_SHARE = 0.97
_HUM_BINS = 6  # below 300 Hz: a voice that says "mm" is as pure as a tone there

_KEYS = sorted({hertz for pair in DTMF.values() for hertz in pair})
_TIMES = np.arange(FRAME_SAMPLES) / RATE
_KEY_WAVES = np.exp(-2j * np.pi * np.outer(_KEYS, _TIMES)).astype(np.complex64) * (2 / FRAME_SAMPLES)
_WINDOW = np.hanning(FRAME_SAMPLES).astype(np.float32)


class VoiceActivity:
    """Speech decision per frame of one call."""

    def __init__(self, *, aggressiveness: int = 2, gate_db: float = 6.0, least_dbfs: float = -52.0) -> None:
        """`aggressiveness` 0 to 3 is WebRTC's own; a voice must be `gate_db` above the noise floor of the last
        1.5 s and not softer than `least_dbfs`."""
        self._detector = webrtcvad.Vad(aggressiveness)
        self._gate_db = gate_db
        self._least_dbfs = least_dbfs
        self._levels: deque[float] = deque(maxlen=_FLOOR_FRAMES)
        self._floor = _QUIET_DBFS
        self.level = _QUIET_DBFS
        """Level of the last frame in dBFS."""

    @property
    def floor(self) -> float:
        """Level of the line's own noise in dBFS, as far as it is known."""
        return self._floor

    def speech(self, frame: bytes) -> bool:
        """Take the next 20 ms; whether they are a voice. Raises ValueError for a frame of another size."""
        if len(frame) != FRAME_BYTES:
            raise ValueError(f"a frame has {FRAME_BYTES} bytes")
        samples = np.frombuffer(frame, dtype="<i2").astype(np.float32) / np.float32(32768)
        self._hear_level(samples)
        voiced = bool(self._detector.is_speech(frame, RATE))  # fed in any case: it learns the noise as well
        loud = self.level > max(self._least_dbfs, self._floor + self._gate_db)
        learnt = len(self._levels) >= _FIRST_FRAMES
        return learnt and voiced and loud and not _is_tone(samples)

    def _hear_level(self, samples: Frame) -> None:
        power = float(np.dot(samples, samples)) / FRAME_SAMPLES
        self.level = max(_QUIET_DBFS, 10 * float(np.log10(power + 1e-12)))
        self._levels.append(self.level)
        # No quicker than the window: a long vowel is as steady as noise that came up.
        self._floor = min(self._levels)


def _is_tone(samples: Frame) -> bool:
    """Nearly all energy in a pair of key frequencies, or in two narrow lines (dial, busy and fax tones)."""
    total = float(np.dot(samples, samples)) / FRAME_SAMPLES
    strengths = np.abs(_KEY_WAVES @ samples) ** 2 / 2
    low, high = float(strengths[:4].max()), float(strengths[4:].max())
    if low + high > 0.8 * total and 0.1 < low / (high + 1e-12) < 10:
        return True
    power = np.abs(np.fft.rfft(samples * _WINDOW)) ** 2
    whole = float(power.sum())
    power[:_HUM_BINS] = 0.0
    return _two_lines(power) > _TONE_SHARE * whole


def _two_lines(power: NDArray[np.float32]) -> float:
    found = 0.0
    for _ in range(2):
        peak = int(power.argmax())
        near = slice(max(0, peak - 2), peak + 3)
        found += float(power[near].sum())
        power[near] = 0.0
    return found
