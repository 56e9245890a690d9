"""SIP as text over plain sockets, from any address of the loopback network: what strangers, phones and trunks send."""

import hashlib
import re
import secrets
import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import Self

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 30000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)


def header(text: str, name: str) -> str:
    """A header's value; empty where there is none."""
    found = re.search(rf"^{name}[ \t]*:[ \t]*(.*?)\r?$", text, re.MULTILINE | re.IGNORECASE)
    return found.group(1) if found else ""


def headers(text: str, name: str) -> list[str]:
    """All values of a header."""
    return re.findall(rf"^{name}[ \t]*:[ \t]*(.*?)\r?$", text, re.MULTILINE | re.IGNORECASE)


def status(text: str) -> int:
    """Status code of an answer; 0 for a request."""
    return int(text[8:11]) if text.startswith("SIP/2.0 ") else 0


def names(text: str) -> set[str]:
    """Names of all headers, in small letters."""
    head = text.partition("\r\n\r\n")[0]
    return {line.partition(":")[0].strip().lower() for line in head.split("\r\n")[1:]}


@dataclass(slots=True, kw_only=True)
class Caller:
    """A phone, trunk or stranger: one socket, one dialog at a time."""

    edge: tuple[str, int]
    """Where the hotline is."""
    source: str = "127.0.0.1"
    """Its own address."""
    kind: str = "UDP"
    """UDP, TCP or TLS."""
    context: ssl.SSLContext | None = None
    """For TLS."""
    user: str = "caller"
    """User part of From."""
    named: str = ""
    """Host and port that it believes to have, of a phone behind a NAT; empty: the true ones."""
    at: int = 0
    """Its UDP port; 0: any."""
    sock: socket.socket = field(init=False)
    call_id: str = ""
    tag: str = ""
    remote: str = ""
    target: str = ""
    routes: tuple[str, ...] = ()
    cseq: int = 0
    branch: str = ""
    came: list[str] = field(default_factory=list)
    kept_open: int = 0
    _rest: bytes = b""

    def __post_init__(self) -> None:
        if self.kind == "UDP":
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.sock.bind((self.source, self.at))
        else:
            self.sock = socket.create_connection(self.edge, timeout=5, source_address=(self.source, 0))
            if self.context is not None:
                self.sock = self.context.wrap_socket(self.sock, server_hostname="hotline.example")
        self.fresh()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    @property
    def port(self) -> int:
        """Its own port."""
        return int(self.sock.getsockname()[1])

    def fresh(self) -> None:
        """Forget the dialog."""
        self.call_id, self.tag = secrets.token_hex(8), secrets.token_hex(4)
        self.remote = self.target = ""
        self.routes, self.cseq = (), 0

    def text(self, method: str, more: str = "", body: str = "", *, to: str = "hotline", length: str = "") -> str:
        """A request of the dialog, or of a fresh one."""
        if method not in ("ACK", "CANCEL"):
            self.cseq += 1
        if method != "CANCEL":
            self.branch = "z9hG4bK" + secrets.token_hex(6)
        uri = self.target if self.target and method != "CANCEL" else f"sip:{to}@{self.edge[0]}:{self.edge[1]}"
        routes = "".join(f"Route: {one}\r\n" for one in self.routes) if method != "CANCEL" else ""
        kind = "Content-Type: application/sdp\r\n" if body else ""
        return (
            f"{method} {uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/{self.kind} {self.named or f'{self.source}:{self.port};rport'};branch={self.branch}\r\n"
            f"{routes}Max-Forwards: 70\r\nFrom: <sip:{self.user}@{self.edge[0]}>;tag={self.tag}\r\n"
            f"To: <sip:{to}@{self.edge[0]}>{self.remote if method != 'CANCEL' else ''}\r\nCall-ID: {self.call_id}\r\n"
            f"CSeq: {self.cseq} {method}\r\n"
            f"Contact: <sip:{self.user}@{self.named or f'{self.source}:{self.port}'}{self._transport}>\r\n{more}{kind}"
            f"{length or f'Content-Length: {len(body)}'}\r\n\r\n{body}"
        )

    @property
    def _transport(self) -> str:
        return "" if self.kind == "UDP" else f";transport={self.kind.lower()}"

    def send(self, text: str) -> None:
        """Send it as it is."""
        if self.kind == "UDP":
            self.sock.sendto(text.encode(), self.edge)
        else:
            self.sock.sendall(text.encode())

    def ask(self, method: str, more: str = "", body: str = "", *, to: str = "hotline", timeout: float = 4) -> str:
        """Send a request; its final answer, or nothing where none comes. The ACK of a call is sent."""
        self.send(self.text(method, more, body, to=to))
        return self.final(method, timeout)

    def final(self, method: str, timeout: float = 4) -> str:
        """The final answer to the newest request."""
        until = time.monotonic() + timeout
        while (left := until - time.monotonic()) > 0:
            text = self.receive(left)
            if not text:
                return ""
            if status(text) >= 200 and header(text, "CSeq") == f"{self.cseq} {method}":
                if method == "INVITE":
                    self._acknowledge(text)
                return text
        return ""

    def _acknowledge(self, answer: str) -> None:
        branch = self.branch
        self.remote = header(answer, "To").partition(">")[2]
        if status(answer) < 300:
            contact = re.search(r"<([^>]*)>", header(answer, "Contact"))
            self.target = contact.group(1) if contact else ""
            self.routes = tuple(reversed(headers(answer, "Record-Route")))
            self.send(self.text("ACK"))
        else:
            self.send(self.text("ACK").replace(self.branch, branch))

    def receive(self, timeout: float) -> str:
        """The next message; empty where none comes or the other side closed. What keeps a NAT open is counted."""
        self.sock.settimeout(max(0.01, timeout))
        try:
            while (text := self.sock.recv(65535).decode() if self.kind == "UDP" else self._framed()) == "\0\0\0\0":
                self.kept_open += 1
        except (TimeoutError, ConnectionError, ssl.SSLError):
            return ""
        self.came.append(text)
        return text

    def _framed(self) -> str:
        while b"\r\n\r\n" not in self._rest:
            more = self.sock.recv(65535)
            if not more:
                return ""
            self._rest += more
        head, _, body = self._rest.partition(b"\r\n\r\n")
        length = int(header(head.decode() + "\r\n", "Content-Length") or 0)
        while len(body) < length:
            body += self.sock.recv(65535)
        self._rest = body[length:]
        return (head + b"\r\n\r\n" + body[:length]).decode()

    def closed_within(self, seconds: float) -> bool:
        """Whether the other side closes the connection in this time."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.sock.settimeout(max(0.01, left))
            try:
                if not self.sock.recv(4096):
                    return True
            except TimeoutError:
                return False
            except OSError:
                return True
        return False

    # Registering --------------------------------------------------------------------------------------------------

    def register(
        self, user: str, password: str, *, algorithm: str = "SHA-256", expires: int = 120, more: str = ""
    ) -> str:
        """Ask, prove, and return the last answer."""
        self.user = user
        first = self.ask("REGISTER", f"Expires: {expires}\r\n{more}", to=user)
        if status(first) != 401:
            return first
        proof = self.proof(first, user, password, algorithm)
        return self.ask("REGISTER", f"Expires: {expires}\r\n{proof}{more}", to=user) if proof else first

    def proof(self, challenge: str, user: str, password: str, algorithm: str, count: int = 1) -> str:
        """An Authorization header for a challenge; empty where the algorithm was not offered."""
        offered = [one for one in headers(challenge, "WWW-Authenticate") if f"algorithm={algorithm}" in one]
        if not offered:
            return ""
        nonce = re.search(r'nonce="([^"]*)"', offered[0])
        realm = re.search(r'realm="([^"]*)"', offered[0])
        assert nonce is not None
        assert realm is not None
        digest = hashlib.sha256 if algorithm == "SHA-256" else hashlib.md5
        uri, cnonce, number = f"sip:{self.edge[0]}", secrets.token_hex(4), f"{count:08x}"

        def h(text: str) -> str:
            return digest(text.encode()).hexdigest()

        sum_ = h(
            f"{h(f'{user}:{realm.group(1)}:{password}')}:{nonce.group(1)}:{number}:{cnonce}:auth:{h(f'REGISTER:{uri}')}"
        )
        return (
            f'Authorization: Digest username="{user}", realm="{realm.group(1)}", nonce="{nonce.group(1)}", '
            f'uri="{uri}", response="{sum_}", algorithm={algorithm}, cnonce="{cnonce}", qop=auth, nc={number}\r\n'
        )
