"""A caller made of two sockets: it sends SIP and RTP that no well-behaved phone would send."""

import re
import secrets
import socket
import struct
import time
from typing import Self

import numpy as np

from tests.sip.support import CALLER

_PCMU_SILENCE = b"\xff" * 160


def tone_payloads(hz: int, ms: int) -> list[bytes]:
    """A sine at about -10 dBFS as G.711 mu-law (ITU-T G.711, table 2a), 20 ms each."""
    samples = np.sin(2 * np.pi * hz * np.arange(8 * ms) / 8000) * 10_000
    size = np.minimum(np.abs(samples), 32_635).astype(int) + 132
    step = np.floor(np.log2(size)).astype(int) - 7
    coded = ((samples < 0) << 7) | (step << 4) | ((size >> (step + 3)) & 0x0F)
    pcmu = (~coded & 0xFF).astype(np.uint8).tobytes()
    return [pcmu[at : at + 160] for at in range(0, len(pcmu), 160)]


def rtp_head(number: int, clock: int, kind: int = 0, source: int = 0x5EED) -> bytes:
    """The header of an RTP packet (RFC 3550 section 5.1)."""
    return struct.pack("!BBHII", 0x80, kind, number & 0xFFFF, clock & 0xFFFFFFFF, source)


class RawCaller:
    """One dialog at a time towards a port on loopback."""

    def __init__(self, target: int, *, user: str = CALLER) -> None:
        self.target = ("127.0.0.1", target)
        self.sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for each in (self.sip, self.rtp):
            each.bind(("127.0.0.1", 0))
            each.settimeout(6)
        self.user = user
        self.call_id = secrets.token_hex(8)
        self.tag = secrets.token_hex(4)
        self.remote_tag = ""
        self.remote_rtp = 0
        self._cseq = 0
        self._branch = ""
        self.answer = ""
        self._rtp_clock = 0
        self._rtp_number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sip.close()
        self.rtp.close()

    def sdp(self, *, version: int = 1, port: int = 0, more: str = "", host: str = "127.0.0.1") -> str:
        """An offer of G.711 and telephone events."""
        port = port or self.rtp.getsockname()[1]
        return (
            f"v=0\r\no=- 1 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n{more}"
        )

    def send(
        self, method: str, body: str = "", *, kind: str = "application/sdp", headers: str = "", cseq: int = 0
    ) -> None:
        """One request; ACK and CANCEL belong to the request before them, or to that of `cseq`."""
        if method not in ("ACK", "CANCEL"):
            self._cseq += 1
        if method != "CANCEL":
            self._branch = "z9hG4bK" + secrets.token_hex(6)
        port = self.sip.getsockname()[1]
        to_tag = f";tag={self.remote_tag}" if self.remote_tag else ""
        kind_line = f"Content-Type: {kind}\r\n" if body else ""
        message = (
            f"{method} sip:hotline@127.0.0.1:{self.target[1]} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch={self._branch}\r\nMax-Forwards: 70\r\n"
            f"From: <sip:{self.user}@127.0.0.1>;tag={self.tag}\r\nTo: <sip:hotline@127.0.0.1>{to_tag}\r\n"
            f"Call-ID: {self.call_id}\r\nCSeq: {cseq or self._cseq} {method}\r\n"
            f"Contact: <sip:caller@127.0.0.1:{port}>\r\n"
            f"{headers}{kind_line}Content-Length: {len(body)}\r\n\r\n{body}"
        )
        self.sip.sendto(message.encode(), self.target)

    def options(self) -> int:
        """What OPTIONS outside the call gets."""
        with RawCaller(self.target[1]) as other:
            other.send("OPTIONS")
            return other.status("OPTIONS")

    def status(self, method: str) -> int:
        """The next final status for a method; requests and provisional answers on the way are passed over."""
        while True:
            text = self._received()
            if not text.startswith("SIP/2.0") or not re.search(rf"CSeq:\s*\d+ {method}", text):
                continue
            code = int(text.split(" ", 2)[1])
            tag = re.search(r"^To:.*;tag=([^\s;]+)", text, re.MULTILINE)
            if method == "INVITE" and tag:
                self.remote_tag = tag.group(1)
            media = re.search(r"^m=audio (\d+)", text, re.MULTILINE)
            if media:
                self.remote_rtp = int(media.group(1))
            if code >= 200:
                self.answer = text
                return code

    @property
    def cseq(self) -> int:
        """Number of the request sent last."""
        return self._cseq

    def provisional(self, code: int) -> str:
        """The next provisional answer to the INVITE with this code."""
        while True:
            text = self._received()
            if text.startswith(f"SIP/2.0 {code} "):
                tag = re.search(r"^To:.*;tag=([^\s;]+)", text, re.MULTILINE)
                self.remote_tag = tag.group(1) if tag else ""
                return text

    def wait_request(self, method: str) -> str:
        """The next request of this method."""
        while True:
            text = self._received()
            if text.startswith(method + " "):
                return text

    def refuse(self, request: str) -> None:
        """486 to a request that came."""
        self.respond(request, "486 Busy Here")

    def respond(self, request: str, status: str, body: str = "", *, headers: str = "") -> None:
        """An answer to a request that came."""
        kept = [line for line in request.split("\r\n") if re.match(r"(Via|From|To|Call-ID|CSeq):", line)]
        lines = [line + ";tag=raw" if line.startswith("To:") and ";tag=" not in line else line for line in kept]
        port = self.sip.getsockname()[1]
        more = f"Contact: <sip:desk@127.0.0.1:{port}>\r\n{headers}"
        more += "Content-Type: application/sdp\r\n" if body else ""
        head = "\r\n".join([f"SIP/2.0 {status}", *lines]) + f"\r\n{more}Content-Length: {len(body)}\r\n\r\n"
        self.sip.sendto((head + body).encode(), self.target)

    def call(self) -> None:
        """INVITE and ACK; the call stands after it."""
        self.send("INVITE", self.sdp())
        assert self.status("INVITE") == 200
        self.send("ACK")

    def move_rtp(self) -> None:
        """A re-INVITE that moves our RTP to another port, as a phone does that changes its network."""
        self.rtp.close()
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind(("127.0.0.1", 0))
        self.rtp.settimeout(6)
        self.send("INVITE", self.sdp().replace("o=- 1 1", "o=- 1 2"))
        assert self.status("INVITE") == 200
        self.send("ACK")

    def renegotiate(self, sdp: str, method: str = "INVITE") -> str:
        """A new offer inside the call; the answer's text."""
        self.send(method, sdp)
        assert self.status(method) == 200
        if method == "INVITE":
            self.send("ACK")
        return self.answer

    def hears_sound(self) -> bool:
        """Whether one of the next 50 RTP packets carries anything but silence."""
        payloads = (self.rtp.recv(2048)[12:] for _ in range(50))
        return any(set(payload) - {0x7F, 0xFF, 0x7E, 0xFE} for payload in payloads)

    def hang_up(self) -> None:
        """BYE."""
        self.send("BYE")
        assert self.status("BYE") == 200

    def speak(self, frames: int) -> None:
        """Silence in RTP, all at once; enough to open the stream."""
        for _ in range(frames):
            self._send_rtp(0, _PCMU_SILENCE, marker=False, advance=160)

    def say(self, hz: int, ms: int) -> None:
        """A tone in RTP, at the pace of speech."""
        for payload in tone_payloads(hz, ms):
            self._send_rtp(0, payload, marker=False, advance=160)
            time.sleep(0.02)

    def follow(self, invite: str) -> None:
        """From now on requests belong to the call that this INVITE began and that we answered."""
        self.tag = "raw"
        self.remote_tag = found[1] if (found := re.search(r"^From:.*;tag=([^\s;]+)", invite, re.MULTILINE)) else ""
        self.call_id = found[1] if (found := re.search(r"^Call-ID: (.*?)\r?$", invite, re.MULTILINE)) else ""

    def stray_packet(self, kind: int, payload: bytes) -> None:
        """An RTP packet of another payload type."""
        self._send_rtp(kind, payload, marker=False, advance=160)

    def press(self, event: int, *, marker: bool, doubled: bool = False) -> None:
        """One key by RFC 4733: three updates and three ends, all with the time at which it began; `doubled` as a
        network does that delivers every packet twice."""
        for step in range(6):
            ending = step >= 3
            duration = 160 * min(step + 1, 4)
            payload = struct.pack("!BBH", event, 0x8A if ending else 0x0A, duration)
            self._send_rtp(101, payload, marker=marker and step == 0, advance=0)
            if doubled:
                self._rtp_number -= 1
                self._send_rtp(101, payload, marker=marker and step == 0, advance=0)
        self._rtp_clock += 1600

    def _received(self) -> str:
        """The next SIP message. Sound of an earlier call may still be on its way to a port that is ours now."""
        while True:
            packet, source = self.sip.recvfrom(65535)
            if source == self.target:
                return packet.decode()

    def _send_rtp(self, kind: int, payload: bytes, *, marker: bool, advance: int) -> None:
        head = rtp_head(self._rtp_number, self._rtp_clock, kind | (0x80 if marker else 0))
        self.rtp.sendto(head + payload, ("127.0.0.1", self.remote_rtp))
        self._rtp_number += 1
        self._rtp_clock += advance
