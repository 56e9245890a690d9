"""The one inner audio format: 8 kHz, mono, signed 16 bit little-endian, in frames of 20 ms.

Eight kilohertz is the rate of G.711, which every carrier speaks; sound is converted once, where it comes in.
"""

from collections.abc import Iterator

RATE = 8000
"""Samples a second."""
FRAME_SECONDS = 0.02
"""Length of a frame."""
FRAME_SAMPLES = 160
"""Samples of a frame."""
FRAME_BYTES = 320
"""Bytes of a frame."""
BYTES_PER_SECOND = 2 * RATE
"""Bytes of a second."""


def frames(pcm: bytes) -> Iterator[bytes]:
    """The audio in frames; the last one is filled up with silence."""
    for start in range(0, len(pcm), FRAME_BYTES):
        yield pcm[start : start + FRAME_BYTES].ljust(FRAME_BYTES, b"\0")


def frame_count(seconds_: float) -> int:
    """How many frames last this long, rounded to the nearest."""
    return round(seconds_ / FRAME_SECONDS)


def seconds(pcm: bytes) -> float:
    """How long the audio lasts."""
    return len(pcm) / BYTES_PER_SECOND


def silence(seconds_: float) -> bytes:
    """Digital silence, to the nearest sample."""
    return bytes(2 * round(seconds_ * RATE))


def whole_frames(pcm: bytes) -> bytes:
    """The audio, its last frame filled up with silence."""
    return pcm + bytes(-len(pcm) % FRAME_BYTES)
