"""SIP messages as text: what the tests' telephone says, and what it reads in the answers."""

import re
import secrets
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Dialog:
    """What a request inside a call needs."""

    call_id: str
    local: str
    remote: str
    peer: tuple[str, int]
    called: str = "hotline"
    cseq: int = 0
    branch: str = ""
    target: str = ""
    routes: tuple[str, ...] = ()
    sent: dict[int, str] = field(default_factory=dict)

    def renumber(self, method: str) -> None:
        """The next request's number and branch: ACK and CANCEL keep the one, CANCEL both (RFC 3261, 9.1)."""
        if method not in ("ACK", "CANCEL"):
            self.cseq += 1
        if method != "CANCEL":
            self.branch = new_branch()

    def request(self, method: str, body: str, *, port: int, user: str, headers: str) -> str:
        """A request with its number and branch as they are, sent from `port`."""
        remote = self.remote if method != "CANCEL" else f"<sip:{self.called}@127.0.0.1>"
        return (
            f"{self._head(method, within=method != 'CANCEL')}"
            f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch={self.branch}\r\nMax-Forwards: 70\r\n"
            f"From: {self.local}\r\nTo: {remote}\r\nCall-ID: {self.call_id}\r\nCSeq: {self.cseq} {method}\r\n"
            f"Contact: <sip:{user}@127.0.0.1:{port}>\r\n{headers}"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def learn(self, message: str, *, caller: bool) -> None:
        """Where the call's further requests go, from the message that made it (RFC 3261, sections 12.1.1 and 12.1.2):
        a caller reads the answer, the called side the INVITE."""
        contact = re.search(r"^Contact:[^<\r\n]*<([^>\r\n]*)>", message, re.MULTILINE)
        self.target = contact.group(1) if contact else ""
        found = re.findall(r"^Record-Route:\s*(.*?)\r?$", message, re.MULTILINE)
        routes = [one.strip() for line in found for one in line.split(",")]
        self.routes = tuple(reversed(routes) if caller else routes)

    def _head(self, method: str, *, within: bool) -> str:
        target = self.target if within and self.target else f"sip:{self.called}@127.0.0.1:{self.peer[1]}"
        routes = "".join(f"Route: {one}\r\n" for one in self.routes) if within else ""
        return f"{method} {target} SIP/2.0\r\n{routes}"

    def ack(self, number: int, branch: str, *, port: int) -> str:
        """The ACK of the INVITE with this number."""
        return (
            f"{self._head('ACK', within=branch != self.branch)}"
            f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch={branch}\r\nMax-Forwards: 70\r\nFrom: {self.local}\r\n"
            f"To: {self.remote}\r\nCall-ID: {self.call_id}\r\nCSeq: {number} ACK\r\nContent-Length: 0\r\n\r\n"
        )


def answer(request: str, code: int, body: str, *, port: int, headers: str) -> str:
    """The answer of a desk's phone to a request."""
    kept = [line for line in request.split("\r\n") if re.match(r"(Via|Record-Route|From|To|Call-ID|CSeq):", line)]
    tagged = [f"{line};tag=desk" if line.startswith("To:") and ";tag=" not in line else line for line in kept]
    contact = f"Contact: <sip:desk@127.0.0.1:{port}>\r\n" if code < 300 else ""
    kind = "Content-Type: application/sdp\r\n" if body else ""
    lines = "\r\n".join([f"SIP/2.0 {code} Whatever", *tagged])
    return f"{lines}\r\n{contact}{headers}{kind}Content-Length: {len(body)}\r\n\r\n{body}"


def new_branch() -> str:
    """The name of a transaction that never was before."""
    return "z9hG4bK" + secrets.token_hex(6)


def header(text: str, name: str) -> str:
    """A header's value; empty where there is none."""
    found = re.search(rf"^{name}:\s*(.*?)\r?$", text, re.MULTILINE)
    return found.group(1) if found else ""


def cseq(text: str) -> str:
    """Number and method."""
    return header(text, "CSeq")
