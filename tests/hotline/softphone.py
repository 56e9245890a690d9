"""A telephone made of plain sockets: it calls or is called, talks G.711, and keeps every byte that reached it.

No SIP library has a hand in it, so what the hotline sends is seen as it is.
"""

import contextlib
import re
import secrets
import select
import socket
import struct
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt

from ivr.audio.convert import mulaw_decode, mulaw_encode

FRAME_S = 0.02
SILENCE = b"\xff" * 160
LOUD = 300.0
KEYS = "0123456789*#"


@dataclass(slots=True, kw_only=True)
class Dialog:
    """What a request inside a call needs."""

    call_id: str
    local: str
    remote: str
    peer: tuple[str, int]
    cseq: int = 0
    branch: str = ""
    sent: dict[int, str] = field(default_factory=dict)


class Softphone:
    """One call at a time. `policy` says what happens to calls that come in: "busy", "ring", "answer", "moved",
    "silent"."""

    def __init__(self, *, port: int = 0, policy: str = "busy") -> None:
        self.policy = policy
        self.sip, self.rtp = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self.sip.bind(("127.0.0.1", port))
        self.rtp.bind(("127.0.0.1", 0))
        self.port = int(self.sip.getsockname()[1])
        self.received: list[bytes] = []
        self.sent: list[bytes] = []
        self.messages: list[tuple[float, str]] = []
        self.heard: list[tuple[float, bytes]] = []
        self.moved_to = ""
        self.dialog: Dialog | None = None
        self.remote_rtp = 0
        self._say: deque[bytes] = deque()
        self._keys: deque[tuple[int, bytes]] = deque()
        self._clock = self._number = 0
        self._invite = ""
        self._key_type = 101
        self._source = ("127.0.0.1", 0)
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up and be gone."""
        with contextlib.suppress(AssertionError):
            self.hang_up()
        self._stop.set()
        self._thread.join(timeout=3)
        self.sip.close()
        self.rtp.close()

    # Calling ------------------------------------------------------------------------------------------------------

    def dial(self, port: int, *, user: str = "+12025550142", name: str = "", headers: str = "", sdp: str = "") -> None:
        """Send an INVITE; `finished` tells what became of it."""
        display = f'"{name}" ' if name else ""
        self.dialog = Dialog(
            call_id=secrets.token_hex(8),
            local=f"{display}<sip:{user}@127.0.0.1>;tag={secrets.token_hex(4)}",
            remote="<sip:hotline@127.0.0.1>",
            peer=("127.0.0.1", port),
        )
        self.heard.clear()
        self.request("INVITE", sdp or self.sdp(), headers=headers, user=user)

    def call(self, port: int, **arguments: str) -> None:
        """Dial, and be answered."""
        self.dial(port, **arguments)
        assert self.status("INVITE") == 200

    def request(
        self, method: str, body: str = "", *, headers: str = "", kind: str = "application/sdp", user: str = "caller"
    ) -> None:
        """One request of the call."""
        dialog = self._dialog()
        if method not in ("ACK", "CANCEL"):
            dialog.cseq += 1
        if method != "CANCEL":
            dialog.branch = "z9hG4bK" + secrets.token_hex(6)
        kind_line = f"Content-Type: {kind}\r\n" if body else ""
        remote = dialog.remote if method != "CANCEL" else "<sip:hotline@127.0.0.1>"
        text = (
            f"{method} sip:hotline@127.0.0.1:{dialog.peer[1]} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch={dialog.branch}\r\nMax-Forwards: 70\r\n"
            f"From: {dialog.local}\r\nTo: {remote}\r\nCall-ID: {dialog.call_id}\r\nCSeq: {dialog.cseq} {method}\r\n"
            f"Contact: <sip:{user}@127.0.0.1:{self.port}>\r\n{headers}{kind_line}"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )
        self._send(text, dialog.peer)

    def status(self, method: str, timeout: float = 6.0) -> int:
        """The final status of the newest request of this method."""
        wanted = re.compile(rf"^CSeq:\s*{self._dialog().cseq} {method}\s*$", re.MULTILINE)

        def final(text: str) -> bool:
            ours = self._dialog().call_id in text
            return ours and text.startswith("SIP/2.0 ") and text[8] >= "2" and bool(wanted.search(text))

        return int(self.await_message(final, f"answer to {method}", timeout)[1][8:11])

    def answer_text(self, method: str) -> str:
        """The newest answer to a method."""
        return next(
            text for _, text in reversed(self.messages) if text.startswith("SIP/2.0") and f" {method}" in _cseq(text)
        )

    def hang_up(self) -> None:
        """BYE, where there is a call; its answer is waited for."""
        if self.dialog is not None and self.remote_rtp:
            self.request("BYE")
            self.remote_rtp = 0
            assert self.status("BYE", 3) in (200, 481)
        self.dialog = None

    def cancel(self) -> None:
        """Give up a call that was not answered."""
        self.request("CANCEL")

    def forsake(self) -> None:
        """Forget a call whose other end died."""
        self.dialog, self.remote_rtp = None, 0

    def answered_within(self, seconds: float) -> bool:
        """Whether the call is answered, with the INVITE repeated meanwhile as telephones do (RFC 3261, 17.1.1.2)."""
        invite, until = self.sent[-1], time.monotonic() + seconds
        while time.monotonic() < until:
            with contextlib.suppress(AssertionError):
                return self.status("INVITE", 0.5) == 200
            self.sip.sendto(invite, self._dialog().peer)
        return False

    # Being called -------------------------------------------------------------------------------------------------

    def pick_up(self) -> None:
        """Answer the call that rings."""
        self._answer(self._invite, 200, self.sdp())

    def await_request(self, method: str, timeout: float = 6.0, since: float = 0.0) -> float:
        """Wait until a request of this method came, `since` a time; when it came."""
        return self.await_message(lambda text: text.startswith(method + " "), method, timeout, since)[0]

    def await_message(self, wanted: object, what: str, timeout: float, since: float = 0.0) -> tuple[float, str]:
        """Wait for a message."""
        assert callable(wanted)
        until = time.monotonic() + timeout
        with self._changed:
            while True:
                found = [one for one in self.messages if one[0] >= since and wanted(one[1])]
                if found:
                    return found[-1]
                left = until - time.monotonic()
                came = [text.partition("\r\n")[0] for _, text in self.messages]
                assert left > 0, f"no {what} in {timeout} s; came: {came}"
                self._changed.wait(left)

    def count(self, method: str) -> int:
        """Requests of this method so far, each once however often it was repeated."""
        found = [text for _, text in self.messages if text.startswith(method + " ")]
        return len({(_header(text, "Call-ID"), _cseq(text)) for text in found})

    def forget(self) -> None:
        """Hang up, and forget what came."""
        self.hang_up()
        self._say.clear()
        self._keys.clear()
        for kept in (self.received, self.sent, self.messages, self.heard):
            kept.clear()

    # Sound --------------------------------------------------------------------------------------------------------

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

    # Sockets ------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        tick = time.monotonic()
        while not self._stop.is_set():
            ready, _, _ = select.select([self.sip, self.rtp], [], [], max(0.0, tick - time.monotonic()))
            for one in ready:
                with contextlib.suppress(ConnectionError):
                    self._take(one, *one.recvfrom(65535))
            if time.monotonic() >= tick:
                tick += FRAME_S
                self._tick()

    def _tick(self) -> None:
        if not self.remote_rtp:
            return
        if self._keys:
            kind, payload = self._keys.popleft()
            self._rtp(kind, payload, advance=0 if self._keys else 160 * 6)
        else:
            self._rtp(0, self._say.popleft() if self._say else SILENCE, advance=160)

    def _take(self, one: socket.socket, data: bytes, source: tuple[str, int]) -> None:
        self.received.append(data)
        now = time.monotonic()
        if one is self.rtp:
            if len(data) > 12 and data[1] & 0x7F == 0:
                self.heard.append((now, data[12:]))
            return
        text = data.decode(errors="replace")
        if text.startswith("SIP/2.0"):
            self._answered(text)
        elif text.strip():
            self._requested(text, source)
        with self._changed:
            self.messages.append((now, text))
            self._changed.notify_all()

    def _answered(self, text: str) -> None:
        if self.dialog is None or self.dialog.call_id not in text or " INVITE" not in _cseq(text) or text[8] < "2":
            return
        number = int(_cseq(text).split()[0])
        if number in self.dialog.sent:
            self._send(self.dialog.sent[number], self.dialog.peer)
            return
        if text.startswith("SIP/2.0 200"):
            self._media(text)
        self.dialog.remote = _header(text, "To")
        # The ACK of a refusal belongs to the transaction of the INVITE (RFC 3261, section 17.1.1.3).
        branch = self.dialog.branch if text[8] != "2" else "z9hG4bK" + secrets.token_hex(6)
        self._send(self._ack(number, branch), self.dialog.peer)

    def _ack(self, number: int, branch: str) -> str:
        dialog = self._dialog()
        text = (
            f"ACK sip:hotline@127.0.0.1:{dialog.peer[1]} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch={branch}\r\nMax-Forwards: 70\r\nFrom: {dialog.local}\r\n"
            f"To: {dialog.remote}\r\nCall-ID: {dialog.call_id}\r\nCSeq: {number} ACK\r\nContent-Length: 0\r\n\r\n"
        )
        dialog.sent[number] = text
        return text

    def _requested(self, text: str, source: tuple[str, int]) -> None:
        method = text.split(" ", 1)[0]
        self._source = source
        if method == "INVITE":
            self._invited(text)
        elif method == "CANCEL":
            self._answer(text, 200)
            self._answer(self._invite, 487)
        elif method == "BYE":
            self.remote_rtp = 0
            self.dialog = None
            self._answer(text, 200)
        elif method != "ACK":
            self._answer(text, 200)

    def _invited(self, text: str) -> None:
        self._invite = text
        if ";tag=" in _header(text, "To"):
            self._answer(text, 200, self.sdp())
        elif self.policy == "moved":
            self._answer(text, 302, headers=f"Contact: <{self.moved_to}>\r\n")
        elif self.policy in ("ring", "answer"):
            self._answer(text, 180)
            if self.policy == "answer":
                self.pick_up()
        elif self.policy == "busy":
            self._answer(text, 486)

    def _answer(self, request: str, code: int, body: str = "", *, headers: str = "") -> None:
        kept = [line for line in request.split("\r\n") if re.match(r"(Via|Record-Route|From|To|Call-ID|CSeq):", line)]
        tagged = [f"{line};tag=desk" if line.startswith("To:") and ";tag=" not in line else line for line in kept]
        contact = f"Contact: <sip:desk@127.0.0.1:{self.port}>\r\n" if code < 300 else ""
        kind = "Content-Type: application/sdp\r\n" if body else ""
        lines = "\r\n".join([f"SIP/2.0 {code} Whatever", *tagged])
        if code == 200 and " INVITE" in _cseq(request):
            self._say.clear()
            self._keys.clear()
            self._media(request)
            self.dialog = Dialog(
                call_id=_header(request, "Call-ID"),
                local=_header(request, "To").split(";tag=")[0] + ";tag=desk",
                remote=_header(request, "From"),
                peer=self._source,
            )
        self._send(f"{lines}\r\n{contact}{headers}{kind}Content-Length: {len(body)}\r\n\r\n{body}", self._source)

    def _media(self, text: str) -> None:
        found = re.search(r"^m=audio (\d+)", text, re.MULTILINE)
        self.remote_rtp = int(found.group(1)) if found else self.remote_rtp
        keys = re.search(r"^a=rtpmap:(\d+) telephone-event", text, re.MULTILINE)
        self._key_type = int(keys.group(1)) if keys else self._key_type

    def _rtp(self, kind: int, payload: bytes, *, advance: int) -> None:
        head = struct.pack("!BBHII", 0x80, kind, self._number & 0xFFFF, self._clock & 0xFFFFFFFF, 0x5EED)
        if self.remote_rtp:
            self.rtp.sendto(head + payload, ("127.0.0.1", self.remote_rtp))
        self._number += 1
        self._clock += advance

    def _send(self, text: str, to: tuple[str, int]) -> None:
        self.sent.append(text.encode())
        self.sip.sendto(text.encode(), to)

    def _dialog(self) -> Dialog:
        assert self.dialog is not None, "there is no call"
        return self.dialog


def _header(text: str, name: str) -> str:
    found = re.search(rf"^{name}:\s*(.*?)\r?$", text, re.MULTILINE)
    return found.group(1) if found else ""


def _cseq(text: str) -> str:
    return _header(text, "CSeq")


def tone(hz: int, seconds: float) -> bytes:
    """A sine at about -10 dBFS, 8 kHz s16le."""
    at = np.arange(int(8000 * seconds)) / 8000
    return bytes((np.sin(2 * np.pi * hz * at) * 10_000).astype("<i2").tobytes())


def _samples(coded: bytes) -> npt.NDArray[np.float64]:
    return np.frombuffer(mulaw_decode(coded), dtype="<i2").astype(np.float64)


def _loudness(payload: bytes) -> float:
    return float(np.sqrt(np.mean(_samples(payload) ** 2)))
