"""What really goes to an agent's phone: every UDP payload sent to its ports on loopback, for the leak scan.

Reads a packet socket, which needs root (CAP_NET_RAW); without it the scan says so instead of pretending.
"""

import socket
import struct
import threading

ETH_P_ALL = 3
LIMIT_BYTES = 50_000_000


class Wire:
    """Collects payloads until stopped."""

    def __init__(self, ports: range, sip_port: int) -> None:
        """`ports`: RTP of the phone, nobody else's; `sip_port`: its SIP port."""
        self._ports = ports
        self._sip = sip_port
        self._stop = threading.Event()
        self.payloads: list[bytes] = []
        self.allowed = True
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self._socket.bind(("lo", 0))
            self._socket.settimeout(0.2)
        except PermissionError:
            self.allowed = False
            return
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """No more."""
        self._stop.set()
        if self.allowed:
            self._thread.join(timeout=2)
            self._socket.close()

    def _listen(self) -> None:
        total = 0
        while not self._stop.is_set() and total < LIMIT_BYTES:
            try:
                frame = self._socket.recv(65535)
            except TimeoutError:
                continue
            payload = self._payload(frame)
            if payload:
                total += len(payload)
                self.payloads.append(payload)

    def _payload(self, frame: bytes) -> bytes:
        """UDP payload of an IPv4 frame to one of the ports (RFC 791, RFC 768); empty for anything else."""
        if len(frame) < 42 or frame[12:14] != b"\x08\x00" or frame[23] != socket.IPPROTO_UDP:
            return b""
        start = 14 + 4 * (frame[14] & 15)
        (port,) = struct.unpack("!H", frame[start + 2 : start + 4])
        return frame[start + 8 :] if port == self._sip or port in self._ports else b""
