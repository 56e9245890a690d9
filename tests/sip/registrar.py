"""A small PBX on loopback: it registers one account and takes its calls, both only with the right digest."""

import hashlib
import re
import secrets
import socket
import threading
from typing import Self

ACCOUNT, SECRET, REALM = "hotline", "correct horse", "pbx.example"


class Registrar:
    """Answers from a thread of its own. RFC 8760: SHA-256 is offered first, MD5 for those that have no better."""

    def __init__(self, *, expires: int = 300) -> None:
        self._sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sip.bind(("127.0.0.1", 0))
        self._sip.settimeout(0.1)
        self._expires = expires
        self._nonce = secrets.token_hex(8)
        self._over = threading.Event()
        self.port: int = self._sip.getsockname()[1]
        self.algorithms: list[str] = []
        self.contacts: list[str] = []
        self.refused = 0
        self.calls: list[str] = []
        self.requests: list[str] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """SIP address of the registrar."""
        return f"sip:127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(timeout=2)
        self._sip.close()

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                packet, source = self._sip.recvfrom(65535)
            except TimeoutError:
                continue
            text = packet.decode()
            self.requests.append(text)
            method = text.split(" ", 1)[0]
            if method in ("REGISTER", "INVITE"):
                self._sip.sendto(self._answer(method, text).encode(), source)

    def _answer(self, method: str, text: str) -> str:
        code, name = (
            ("401 Unauthorized", "Authorization") if method == "REGISTER" else ("407 Needed", "Proxy-Authorization")
        )
        found = re.search(rf"^{name}: Digest (.*)$", text, re.MULTILINE)
        if not found:
            ask = "WWW-Authenticate" if method == "REGISTER" else "Proxy-Authenticate"
            lines = [
                f'{ask}: Digest realm="{REALM}", nonce="{self._nonce}", algorithm={how}, qop="auth"'
                for how in ("SHA-256", "MD5")
            ]
            return self._reply(text, code, lines)
        if not self._is_right(method, found.group(1)):
            self.refused += 1
            return self._reply(text, "403 Forbidden", [])
        contact = re.search(r"^Contact: (.*)$", text, re.MULTILINE)
        if method == "INVITE":
            self.calls.append(text)
            return self._reply(text, "486 Busy Here", [])
        self.contacts.append(contact.group(1) if contact else "")
        return self._reply(text, "200 OK", [f"Contact: {self.contacts[-1]};expires={self._expires}"])

    def _is_right(self, method: str, header: str) -> bool:
        said = {key: value.strip('"') for key, value in re.findall(r'(\w+)=("[^"]*"|[^,\s]+)', header)}
        self.algorithms.append(said.get("algorithm", "MD5"))
        digest = hashlib.sha256 if self.algorithms[-1] == "SHA-256" else hashlib.md5

        def hashed(*parts: str) -> str:
            return digest(":".join(parts).encode()).hexdigest()

        whole = (said["nonce"], said["nc"], said["cnonce"], said["qop"])
        right = hashed(hashed(ACCOUNT, REALM, SECRET), *whole, hashed(method, said["uri"]))
        return (said["username"], said["response"]) == (ACCOUNT, right)

    def _reply(self, text: str, status: str, more: list[str]) -> str:
        kept = [line for line in text.split("\r\n") if re.match(r"(Via|From|To|Call-ID|CSeq):", line)]
        lines = [line + ";tag=pbx" if line.startswith("To:") and ";tag=" not in line else line for line in kept]
        return "\r\n".join([f"SIP/2.0 {status}", *lines, *more, "Content-Length: 0", "", ""])
