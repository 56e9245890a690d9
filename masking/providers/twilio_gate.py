"""Lets in what Twilio signed, and nothing else (twilio.com/docs/usage/webhooks/webhooks-security). Pure.

The signature covers the address with its query and every parameter, so ids that we put into our own addresses come back
as we wrote them. The address is the public one of the settings: what a proxy makes of the host does not matter.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from twilio.request_validator import RequestValidator

LARGEST = 64 * 1024
MOST_FIELDS = 200
FORM = "application/x-www-form-urlencoded"
_SID = re.compile(r"[A-Z]{2}[0-9a-f]{32}")


class Forged(Exception):
    """Not from Twilio, changed on the way, or of another account."""


class Malformed(Exception):
    """No form as Twilio sends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A request that Twilio signed."""

    path: str
    """Without query."""
    query: Mapping[str, str]
    """What we wrote into the address."""
    fields: Mapping[str, str]
    """Parameters."""

    def sid(self, name: str, *kinds: str) -> str:
        """An id of Twilio's of one of the kinds, for example "CA". Raises Malformed."""
        value = self.fields.get(name, "")
        if not _SID.fullmatch(value) or value[:2] not in kinds:
            raise Malformed(f"{name} is missing or no id of Twilio's")
        return value

    def number(self, name: str, most: int = 100) -> int:
        """A small whole number; 0 where it is missing. Raises Malformed."""
        value = self.fields.get(name, "0") or "0"
        if not re.fullmatch(r"[0-9]{1,5}", value) or int(value) > most:
            raise Malformed(f"{name} is no number from 0 to {most}")
        return int(value)


class TwilioGate:
    """Reads requests."""

    def __init__(self, account: str, token: str, public: str) -> None:
        """`account`: Account SID. `token`: Auth Token. `public`: our address as Twilio was told it, "https://host"."""
        self._account = account
        self._validator = RequestValidator(token)
        self._public = public.rstrip("/")

    def read(self, path: str, query: str, body: bytes, *, kind: str, signature: str) -> Signed:
        """`query`: as it came, without "?"; `kind`: Content-Type; `signature`: X-Twilio-Signature, "" where there is
        none. Raises Forged, Malformed."""
        if not signature:
            raise Forged("there is no signature")
        if kind.split(";")[0].strip().lower() != FORM or len(body) > LARGEST:
            raise Malformed("this is no form")
        fields = _parsed(body)
        address = self._public + path + (f"?{query}" if query else "")
        if not self._validator.validate(address, fields, signature):
            raise Forged("the signature is wrong")
        if fields.get("AccountSid") != self._account:
            raise Forged("this is of another account")
        return Signed(path=path, query=_parsed(query.encode()), fields=fields)


def _parsed(text: bytes) -> dict[str, str]:
    """Every name once, and nothing left over. Raises Malformed."""
    try:
        pairs = parse_qsl(
            text.decode("ascii"), keep_blank_values=True, strict_parsing=bool(text), errors="strict",
            max_num_fields=MOST_FIELDS,
        )  # fmt: skip
    except ValueError:
        raise Malformed("the form cannot be read") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("a name stands twice in the form")
    return found
