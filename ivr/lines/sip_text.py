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
    r"sip:(?:[A-Za-z0-9+*#._-]{1,64}@)?"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::[0-9]{1,5})?(?:;transport=(?:udp|tcp|tls))?",
    re.IGNORECASE,
)
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


def read_invite(message: str) -> Invite:
    """The facts of an INVITE's text. Never raises: what cannot be read counts as not sent."""
    headers = _headers(message)
    return Invite(
        caller=caller_of(_first(headers, "from", "f")),
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


def checked_address(address: str) -> str:
    """The same SIP address, where it is plain enough to dial. Raises LineError; the message does not repeat it."""
    if not _ADDRESS.fullmatch(address):
        raise LineError("the address is not a plain SIP address such as sip:user@host:5060")
    return address


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
