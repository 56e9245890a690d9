"""A carrier of one socket: it brings calls to the phone that has the dialled number, and answers back, and changes
nothing on the way.
"""

import contextlib
import re
import select
import socket
import threading
from collections.abc import Mapping
from typing import Self

Address = tuple[str, int]


class Carrier:
    """Runs in a thread of its own until closed."""

    def __init__(self, subscribers: Mapping[str, int]) -> None:
        """`subscribers`: UDP port on this machine by telephone number, with plus."""
        self._subscribers = {number: ("127.0.0.1", port) for number, port in subscribers.items()}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._calls: dict[str, tuple[Address, Address]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=2)
        self._socket.close()

    def move(self, number: str, port: int) -> None:
        """The number is another phone's from now on."""
        self._subscribers[number] = "127.0.0.1", port

    def _run(self) -> None:
        while not self._stop.is_set():
            if select.select([self._socket], [], [], 0.2)[0]:
                with contextlib.suppress(ConnectionError):
                    self._relay(*self._socket.recvfrom(65535))

    def _relay(self, data: bytes, source: Address) -> None:
        text = data.decode(errors="replace")
        call = re.search(r"^Call-ID:\s*(\S+)", text, re.MULTILINE | re.IGNORECASE)
        if call is None:
            return
        if text.startswith("INVITE ") and call[1] not in self._calls:
            number = re.match(r"INVITE sips?:([^@;>\s]+)@", text)
            phone = self._subscribers.get(number[1]) if number else None
            if phone is None:
                self._socket.sendto(_unknown(text), source)
                return
            self._calls[call[1]] = source, phone
        if call[1] in self._calls:
            hotline, phone = self._calls[call[1]]
            self._socket.sendto(data, phone if source != phone else hotline)


def _unknown(request: str) -> bytes:
    """404 (RFC 3261 section 21.4.5)."""
    kept = [line for line in request.split("\r\n") if re.match(r"(Via|From|To|Call-ID|CSeq):", line)]
    tagged = [f"{line};tag=carrier" if line.startswith("To:") else line for line in kept]
    return "\r\n".join(["SIP/2.0 404 Not Found", *tagged, "Content-Length: 0", "", ""]).encode()
