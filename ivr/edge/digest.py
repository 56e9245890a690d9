"""Passwords of agents' phones, as SIP digest needs them (RFC 3261 section 22, SHA-256 by RFC 8760)."""

import hashlib
import secrets
from dataclasses import dataclass

REALM = "triageline"
"""Part of every stored value: a change of it makes all passwords invalid."""
SHORTEST = 12
_LETTERS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_GROUPS, _IN_A_GROUP = 5, 4


class PasswordRefused(ValueError):
    """A password that cannot be used; one sentence without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneKey:
    """What proves that a phone knows its password: as good as the password itself, so it is never shown."""

    sha256: str
    """HA1 by SHA-256, hex."""
    md5: str
    """HA1 by MD5, hex, for phones that know nothing better."""

    def __repr__(self) -> str:
        return "PhoneKey(hidden)"


def new_password() -> str:
    """About 115 bits, in groups that can be typed on a telephone; without letters that look alike."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_IN_A_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def phone_key(agent: str, password: str) -> PhoneKey:
    """HA1 = H(user:realm:password). Raises PasswordRefused."""
    if len(password) < SHORTEST or not password.isprintable():
        raise PasswordRefused(f"a phone's password needs at least {SHORTEST} printable characters")
    clear = f"{agent}:{REALM}:{password}".encode()
    return PhoneKey(
        sha256=hashlib.sha256(clear).hexdigest(), md5=hashlib.md5(clear, usedforsecurity=False).hexdigest()
    )
