"""SIP messages that carry a text (RFC 3261, RFC 3428), as bytes and back. Pure.

Only what stands behind our own proxy is spoken to, which lets through nothing but sound requests; what is odd all the
same is refused and never guessed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

LARGEST = 16 * 1024
COMPACT = {
    "v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "c": "content-type",
    "e": "content-encoding",
}  # fmt: skip
SINGLE = frozenset({"from", "to", "call-id", "cseq", "content-length", "content-type", "max-forwards"})
NEEDED = frozenset({"via", "from", "to", "call-id", "cseq"})
_REQUEST = re.compile(r"([A-Z]{3,16}) (sips?:[^\s]{1,256}) SIP/2\.0")
_RESPONSE = re.compile(r"SIP/2\.0 ([1-6]\d\d)(?: .*)?")
_NAME = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]{1,64}")
_USER = re.compile(r"<?\s*sips?:(?:([^@<>\s;]{1,128})@)?[^<>\s]+", re.IGNORECASE)
_CSEQ = re.compile(r"(\d{1,10})\s+([A-Z]{3,16})")
_BRANCH = re.compile(r";\s*branch\s*=\s*([^\s;,]{1,128})", re.IGNORECASE)
REASONS = {200: "OK", 202: "Accepted", 400: "Bad Request", 405: "Method Not Allowed", 413: "Request Entity Too Large",
           415: "Unsupported Media Type", 503: "Service Unavailable"}  # fmt: skip


class NotSip(Exception):
    """No sound message of SIP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sip:
    """A request or a response."""

    method: str
    """Of the request, or the one that a response belongs to."""
    status: int
    """Of a response; 0 for a request."""
    target: str
    """Request address; ""."""
    headers: Mapping[str, str] = field(repr=False)
    """By small full name; Via: the topmost."""
    vias: tuple[str, ...] = field(repr=False)
    """All of them, in order."""
    body: bytes = field(repr=False)
    """As it came."""

    @property
    def branch(self) -> str:
        """Of the topmost Via; names the transaction."""
        found = _BRANCH.search(self.headers["via"])
        return found[1] if found else ""


def parse(datagram: bytes) -> Sip:
    """Read one. Raises NotSip."""
    head, found, body = datagram.partition(b"\r\n\r\n")
    if not found or len(datagram) > LARGEST:
        raise NotSip("no end of the headers, or too large")
    try:
        first, *lines = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8")).split("\r\n")
    except UnicodeDecodeError:
        raise NotSip("no UTF-8") from None
    headers, vias = _headers(lines)
    if told := headers.get("content-length"):
        if not re.fullmatch(r"\d{1,6}", told) or int(told) > len(body):
            raise NotSip("the body is shorter than its length")
        body = body[: int(told)]
    cseq = _CSEQ.fullmatch(headers["cseq"])
    request, response = _REQUEST.fullmatch(first), _RESPONSE.fullmatch(first)
    if cseq is None or (request is None) == (response is None) or (request and request[1] != cseq[2]):
        raise NotSip("neither a request nor a response")
    return Sip(
        method=cseq[2], status=int(response[1]) if response else 0, target=request[2] if request else "",
        headers=headers, vias=vias, body=body,
    )  # fmt: skip


def _headers(lines: list[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    headers: dict[str, str] = {}
    vias: list[str] = []
    for line in lines:
        name, found, value = line.partition(":")
        name = name.strip().lower()
        name = COMPACT.get(name, name)
        if not found or not _NAME.fullmatch(name) or (name in SINGLE and name in headers):
            raise NotSip("a header is none, or stands twice")
        headers.setdefault(name, value.strip())
        vias += [value.strip()] if name == "via" else []
    if not headers.keys() >= NEEDED:
        raise NotSip("a header is missing")
    return headers, tuple(vias)


def user(address: str) -> str:
    """User part of an address, a display name before it or not; "" where there is none."""
    found = _USER.search(address[address.find("<") :] if "<" in address else address)
    return (found[1] or "") if found else ""


def words(request: Sip) -> str | None:
    """The text of a MESSAGE; None where it is anything but plain text that we can read (RFC 3428 section 10)."""
    kind, *parameters = (part.strip().lower() for part in request.headers.get("content-type", "").split(";"))
    charset = next((one.partition("=")[2].strip('"') for one in parameters if one.startswith("charset=")), "utf-8")
    if kind != "text/plain" or charset not in {"utf-8", "us-ascii"} or request.headers.get("content-encoding"):
        return None
    try:
        return request.body.decode("utf-8")
    except UnicodeDecodeError:
        return None


def response(request: Sip, status: int, tag: str, more: str = "") -> bytes:
    """The answer to a request. `more`: further header lines, each with its end."""
    to = request.headers["to"] + ("" if ";tag=" in request.headers["to"] else f";tag={tag}")
    lines = [f"SIP/2.0 {status} {REASONS[status]}", *(f"Via: {via}" for via in request.vias)]
    lines += [f"From: {request.headers['from']}", f"To: {to}", f"Call-ID: {request.headers['call-id']}"]
    lines += [f"CSeq: {request.headers['cseq']}"]
    return ("\r\n".join(lines) + "\r\n" + more + "Content-Length: 0\r\n\r\n").encode()


def message(*, target: str, shown: str, host: str, own: str, id: str, text: str) -> bytes:
    """A MESSAGE. `target`: address; `shown`: user part of From; `host`: its host; `own`: our host:port; `id`: the same
    for every attempt, so that the other side knows a repetition."""
    body = text.encode()
    lines = (
        f"MESSAGE {target} SIP/2.0", f"Via: SIP/2.0/UDP {own};branch=z9hG4bK{id};rport", "Max-Forwards: 70",
        f"From: <sip:{shown}@{host}>;tag={id}", f"To: <{target}>", f"Call-ID: {id}", "CSeq: 1 MESSAGE",
        "Content-Type: text/plain;charset=utf-8", f"Content-Length: {len(body)}",
    )  # fmt: skip
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
