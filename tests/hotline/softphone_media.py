"""The sound of a telephone made of plain sockets: G.711 and keys over RTP, and what was heard when."""

import re
import socket
import struct
import time
from collections import deque

import numpy as np
import numpy.typing as npt

from ivr.audio.convert import mulaw_decode, mulaw_encode

FRAME_S = 0.02
SILENCE = b"\xff" * 160
LOUD = 300.0
KEYS = "0123456789*#"


class Handset:
    """One call's sound at a time, 20 ms a `tick`; what arrives is given to `hear`."""

    def __init__(self) -> None:
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind(("127.0.0.1", 0))
        self.heard: list[tuple[float, bytes]] = []
        self.remote_rtp = 0
        self._say: deque[bytes] = deque()
        self._keys: deque[tuple[int, bytes]] = deque()
        self._clock = self._number = 0
        self._key_type = 101

    def say(self, pcm: bytes) -> None:
        """Speak 8 kHz mono s16le."""
        coded = mulaw_encode(pcm)
        self._say.extend(coded[at : at + 160].ljust(160, b"\xff") for at in range(0, len(coded), 160))

    @property
    def talking(self) -> bool:
        """Whether something is still to be said."""
        return bool(self._say)

    def press(self, key: str) -> None:
        """A key by RFC 4733: updates and three ends, all with the time at which it began, in place of sound."""
        for step in range(6):
            payload = struct.pack("!BBH", KEYS.index(key), (0x80 if step >= 3 else 0) | 10, 160 * min(step + 1, 4))
            self._keys.append((self._key_type | (0x80 if step == 0 else 0), payload))

    def loud_times(self, since: float = 0.0) -> list[float]:
        """When frames with sound arrived."""
        return [at for at, payload in list(self.heard) if at >= since and _loudness(payload) > LOUD]

    def await_sound(self, timeout: float = 4.0, since: float = 0.0, frames: int = 10) -> float:
        """Wait until something is heard; when it began."""
        until = time.monotonic() + timeout
        while len(loud := self.loud_times(since)) < frames:
            assert time.monotonic() < until, f"nothing heard in {timeout} s, {len(self.heard)} packets"
            time.sleep(0.02)
        return loud[0]

    def await_quiet(self, seconds: float = 0.5, timeout: float = 4.0) -> float:
        """Wait until nothing was heard for so long; when the last sound came."""
        until = time.monotonic() + timeout
        while True:
            last = self.loud_times()[-1] if self.loud_times() else 0.0
            if time.monotonic() - last >= seconds:
                return last
            assert time.monotonic() < until, f"still not quiet after {timeout} s"
            time.sleep(0.02)

    def await_tone(self, hz: int, timeout: float = 4.0) -> None:
        """Wait until a tone is the strongest sound of the last quarter second."""
        until = time.monotonic() + timeout
        strongest = 0.0
        while abs(strongest - hz) > 20:
            assert time.monotonic() < until, f"no tone of {hz} Hz in {timeout} s, but {strongest:.0f} Hz"
            time.sleep(0.05)
            strongest = self._strongest()

    def _strongest(self) -> float:
        pcm = _samples(b"".join(payload for _, payload in self.heard[-12:]))
        if len(pcm) < 1600 or np.abs(pcm).max() < 500:
            return 0.0
        strength = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))
        return float(np.argmax(strength) * 8000 / len(pcm))

    def sdp(self) -> str:
        """G.711 and telephone events."""
        port = self.rtp.getsockname()[1]
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
        )

    def connect(self, sdp: str) -> None:
        """Send where this description says."""
        found = re.search(r"^m=audio (\d+)", sdp, re.MULTILINE)
        self.remote_rtp = int(found.group(1)) if found else self.remote_rtp
        keys = re.search(r"^a=rtpmap:(\d+) telephone-event", sdp, re.MULTILINE)
        self._key_type = int(keys.group(1)) if keys else self._key_type

    def hush(self) -> None:
        """Say and press nothing more."""
        self._say.clear()
        self._keys.clear()

    def hear(self, packet: bytes, now: float) -> None:
        """Keep the sound of an RTP packet."""
        if len(packet) > 12 and packet[1] & 0x7F == 0:
            self.heard.append((now, packet[12:]))

    def tick(self) -> None:
        """Send the next 20 ms."""
        if not self.remote_rtp:
            return
        if self._keys:
            kind, payload = self._keys.popleft()
            self._rtp(kind, payload, advance=0 if self._keys else 160 * 6)
        else:
            self._rtp(0, self._say.popleft() if self._say else SILENCE, advance=160)

    def _rtp(self, kind: int, payload: bytes, *, advance: int) -> None:
        head = struct.pack("!BBHII", 0x80, kind, self._number & 0xFFFF, self._clock & 0xFFFFFFFF, 0x5EED)
        if self.remote_rtp:
            self.rtp.sendto(head + payload, ("127.0.0.1", self.remote_rtp))
        self._number += 1
        self._clock += advance


def tone(hz: int, seconds: float) -> bytes:
    """A sine at about -10 dBFS, 8 kHz s16le."""
    at = np.arange(int(8000 * seconds)) / 8000
    return bytes((np.sin(2 * np.pi * hz * at) * 10_000).astype("<i2").tobytes())


def _samples(coded: bytes) -> npt.NDArray[np.float64]:
    return np.frombuffer(mulaw_decode(coded), dtype="<i2").astype(np.float64)


def _loudness(payload: bytes) -> float:
    return float(np.sqrt(np.mean(_samples(payload) ** 2)))
