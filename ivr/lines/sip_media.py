"""Audio between the conference bridge of PJSIP and our rings. The callbacks run on the bridge's clock thread, every
20 ms for every port: they copy, and nothing else.
"""

import ctypes
import threading
from collections.abc import Callable
from typing import Any

import pjsua2 as pj

from ivr.audio.format import BYTES_PER_SECOND
from ivr.audio.resume import resume_at
from ivr.audio.ring import ByteRing

RATE = 8000
FRAME_BYTES = 320
SILENCE = bytes(FRAME_BYTES)
_HEARD_BYTES = 100 * FRAME_BYTES


class Playout:
    """What is being said on one leg: fed by the event loop, emptied by the clock thread."""

    def __init__(self, ended: Callable[[int], None]) -> None:
        self._ended = ended
        self._lock = threading.Lock()
        self._play: int | None = None
        self._pcm = b""
        self._at = 0
        self._held = False

    @property
    def active(self) -> bool:
        """Whether anything is left to be said."""
        return self._play is not None

    def start(self, play: int, pcm: bytes) -> int | None:
        """Say this from now; the id of the play that it replaced."""
        with self._lock:
            replaced, self._play, self._pcm, self._at = self._play, play, pcm, 0
            self._held = False
        return replaced

    def stop(self) -> int | None:
        """Say nothing more; the id of the play that was stopped."""
        with self._lock:
            stopped, self._play, self._pcm = self._play, None, b""
            self._held = False
        return stopped

    @property
    def left(self) -> float:
        """Seconds that were not taken yet."""
        with self._lock:
            return max(0, len(self._pcm) - self._at) / BYTES_PER_SECOND

    def hold(self) -> None:
        """Be silent from the next frame and keep the place; a play whose last frame was taken ends as it would."""
        with self._lock:
            self._held = self._at < len(self._pcm)

    def go_on(self) -> None:
        """Go on from a pause just before the place."""
        with self._lock:
            if self._held:
                self._held, self._at = False, resume_at(self._pcm, self._at)

    def take(self) -> bytes:
        """The next 20 ms, silence when there is nothing. A play counts as ended one frame after its last one was
        taken, when that one has left."""
        with self._lock:
            if self._play is None or self._held:
                return SILENCE
            chunk = self._pcm[self._at : self._at + FRAME_BYTES]
            self._at += FRAME_BYTES
            if chunk:
                return chunk.ljust(FRAME_BYTES, b"\0")
            ended, self._play, self._pcm = self._play, None, b""
        self._ended(ended)
        return SILENCE


class LegAudio:
    """Both directions of one leg, shared by the event loop and the clock thread."""

    __slots__ = ("heard", "mouth")

    def __init__(self, ended: Callable[[int], None]) -> None:
        self.heard = ByteRing(_HEARD_BYTES)
        self.mouth = Playout(ended)


class LegPort(pj.AudioMediaPort):  # type: ignore[misc]  # the bindings carry no types
    """A port of ours in the bridge, lent to one leg at a time.

    Ports are kept and lent again, never deleted while the library runs: the bridge removes ports later than asked,
    and a frame may still be on its way to one.
    """

    ear: ByteRing | None = None
    mouth: Playout | None = None
    # On the class: the clock thread may call once more while the interpreter takes the object apart at its end.

    def __init__(self, name: str, wake: Callable[[], None], copy: Callable[[Any], bytes]) -> None:
        super().__init__()
        self._wake = wake
        self._copy = copy
        shape = pj.MediaFormatAudio()
        shape.init(pj.PJMEDIA_FORMAT_PCM, RATE, 1, 20_000, 16)
        self.createPort(name, shape)

    def onFrameReceived(self, frame: Any) -> None:  # noqa: N802  # the library's name
        ear = self.ear
        if ear is not None:
            ear.write(self._copy(frame.buf) if frame.size == FRAME_BYTES else SILENCE)
            self._wake()

    def onFrameRequested(self, frame: Any) -> None:  # noqa: N802  # the library's name
        mouth = self.mouth
        frame.type = pj.PJMEDIA_FRAME_TYPE_AUDIO
        frame.buf = pj.ByteVector(SILENCE if mouth is None else mouth.take())
        frame.size = FRAME_BYTES


def _slow_copy(buffer: Any) -> bytes:
    return bytes(buffer)


def _fast_copy(buffer: Any) -> bytes:
    begin, end = (ctypes.c_size_t * 2).from_address(int(buffer.this))
    return ctypes.string_at(begin, end - begin)


def best_copy() -> Callable[[Any], bytes]:
    """The generated bindings hand a frame out byte by byte, 130 microseconds each; a std::vector begins with the
    addresses of its first byte and of its end, which makes it one copy of two microseconds. Tried before it is
    believed."""
    sample = bytes(range(200))
    vector = pj.ByteVector(sample)
    begin, end = (ctypes.c_size_t * 2).from_address(int(vector.this))
    fits = end - begin == len(sample) and _fast_copy(vector) == sample
    return _fast_copy if fits else _slow_copy
