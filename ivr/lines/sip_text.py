"""SIP text as hostile input: everything here takes what strangers sent and gives back little, and safe.

Only the few fields that the hotline needs are read, from an allow-list; nothing is ever passed through.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from ivr.ports import LineError
from masking.port import PhoneNumber

KEYS = frozenset("0123456789*#ABCD")
_USER_LIMIT = 64
_UNSAFE_USER = re.compile(r"[^A-Za-z0-9+*#._-]")
_SHOWN = re.compile(r"[A-Za-z0-9+._-]{1,64}")
_NUMBER = re.compile(r"\+?[0-9]{3,20}")
_SEPARATORS = re.compile(r"[-.() ]")
_URI_USER = re.compile(r"\b(?:sips?:([^@<>\s]*)@|tel:([^<>;?\s]*))", re.IGNORECASE)
_ADDRESS = re.compile(
    r"sips?:(?P<place>(?:[A-Za-z0-9+*#._-]{1,64}@)?"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\]))"
    r"(?P<port>:[0-9]{1,5})?(?:;transport=(?:udp|tcp|tls))?",
    re.IGNORECASE,
)
_FAKED = re.compile(r"verstat=[\"]?(?:tn|no-tn)-validation-failed", re.IGNORECASE)
"""The network looked at the number's signature (RFC 8224), and it was not the caller's (3GPP TS 24.229, 7.2A.20)."""
_UNSAFE_SOURCE = re.compile(r"[^A-Za-z0-9._:-]")
_SIGNAL = re.compile(r"^[ \t]*Signal[ \t]*=[ \t]*([0-9A-Da-d*#]{1,2})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_EVENT_NUMBERS = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """What the hotline takes from an INVITE."""

    caller: PhoneNumber | None
    """Number in From; None where it shows none."""
    dialled: str
    """User part of the Request-URI, at most 64 safe characters, possibly empty."""
    replaces: bool
    """Whether it tries to take over another call (RFC 3891)."""
    suspect: bool = False
    """Whether the number shown seems to be somebody else's."""
    source: str = ""
    """Where it came from: the name of a trunk, or an address."""


def read_invite(message: str, *, source: str = "", edge: bool = False, trusted: bool = False) -> Invite:
    """The facts of an INVITE's text. Never raises: what cannot be read counts as not sent. `source`: address that sent
    it. `edge`: it came through our own proxy, whose headers say where it came from, who asserts whose number, and
    whether that counts; nobody else's do. `trusted`: without proxy, whether the sender may assert numbers."""
    headers = _headers(message)
    asserted = _first(headers, "p-asserted-identity")
    if edge:
        _, source, trust = (*_first(headers, "x-triageline-source").split(" "), "", "", "")[:3]
        trusted, asserted = trust == "1", _first(headers, "x-triageline-asserted")
    shown = _first(headers, "from", "f")
    caller, meant = caller_of(shown), caller_of(asserted)
    differ = meant is not None and not trusted and not _alike(caller, meant)
    return Invite(
        caller=meant if trusted and meant is not None else caller,
        suspect=differ or bool(_FAKED.search(shown) or (trusted and _FAKED.search(asserted))),
        source=_UNSAFE_SOURCE.sub("", source)[:_USER_LIMIT],
        dialled=dialled_of(message.split("\n", 1)[0]),
        replaces=any(
            name == "replaces" or (name == "require" and "replaces" in text.lower()) for name, text in headers
        ),
    )


def caller_of(from_header: str) -> PhoneNumber | None:
    """The number in a From header's value; None for names, "anonymous" and everything else that is no number."""
    address = re.sub(r'"(?:[^"\\]|\\.)*"', "", from_header)
    found = _URI_USER.search(address)
    if not found:
        return None
    user = (found.group(1) or found.group(2) or "").split(";", 1)[0].split(":", 1)[0]
    digits = _SEPARATORS.sub("", unquote(user))
    return PhoneNumber(digits) if _NUMBER.fullmatch(digits) else None


def _alike(one: PhoneNumber | None, other: PhoneNumber) -> bool:
    """Whether two numbers end alike: one may lack its country code."""
    if one is None:
        return False
    first, second = one.reveal().lstrip("+0"), other.reveal().lstrip("+0")
    return min(len(first), len(second)) >= 6 and (first.endswith(second) or second.endswith(first))


def dialled_of(request_line: str) -> str:
    """The user part of a request line's URI, reduced to safe characters."""
    parts = request_line.split(" ", 2)
    found = _URI_USER.match(parts[1]) if len(parts) > 1 else None
    user = (found.group(1) or found.group(2) or "") if found else ""
    return _UNSAFE_USER.sub("", unquote(user.split(";", 1)[0].split(":", 1)[0]))[:_USER_LIMIT]


def info_key(message: str) -> str | None:
    """The key in a SIP INFO request of type application/dtmf-relay or application/dtmf; None where there is none."""
    head, _, body = message.replace("\r\n", "\n").partition("\n\n")
    kind = _first(_headers(head), "content-type", "c").split(";", 1)[0].strip().lower()
    if kind == "application/dtmf-relay":
        found = _SIGNAL.search(body)
        return _key(found.group(1)) if found else None
    return _key(body.strip()) if kind == "application/dtmf" else None


def wants_fax(message: str) -> bool:
    """Whether an INVITE offers T.38 and no sound (RFC 3362, section 7)."""
    body = message.replace("\r\n", "\n").partition("\n\n")[2]
    return "\nm=image " in body and not re.search(r"^m=audio [1-9]", body, re.MULTILINE)


def checked_address(address: str) -> str:
    """The same SIP address, where it is plain enough to dial; sips: says TLS to the next hop, no more. Raises
    LineError; the message does not repeat it."""
    found = _ADDRESS.fullmatch(address)
    if not found:
        raise LineError("the address is not a plain SIP address such as sip:user@host:5060")
    if address[:5].lower() != "sips:":
        return address
    return f"sip:{found['place']}{found['port'] or ':5061'};transport=tls"


def checked_shown(shown: str) -> str:
    """The same user part, where it may stand in a From. Raises LineError; the message does not repeat it."""
    if not _SHOWN.fullmatch(shown):
        raise LineError("the caller id to show is not 1 to 64 plain characters")
    return shown


def escaped(text: str, limit: int = 64) -> str:
    """Header text for a log or a page: printable ASCII without quotes and backslashes, the rest as \\xNN, cut."""
    shown = "".join(c if c.isprintable() and c.isascii() and c not in "\\\"'<>&" else _hex(c) for c in text[:limit])
    return shown + ("..." if len(text) > limit else "")


def _hex(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def _key(text: str) -> str | None:
    key = _EVENT_NUMBERS.get(text, text.upper())
    return key if key in KEYS else None


def _headers(message: str) -> list[tuple[str, str]]:
    head = message.replace("\r\n", "\n").split("\n\n", 1)[0]
    lines = re.sub(r"\n[ \t]+", " ", head).split("\n")
    pairs = (line.partition(":") for line in lines if ":" in line)
    return [(name.strip().lower(), text.strip()) for name, _, text in pairs]


def _first(headers: list[tuple[str, str]], *names: str) -> str:
    return next((text for name, text in headers if name in names), "")
