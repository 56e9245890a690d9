"""Names for people without numbers: random letters, so that no id is ever taken for (or leaks like) a number."""

import hashlib
import secrets

from masking.port import Party

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LENGTH = 20  # 94 bits: never the same twice


def random_id(prefix: str) -> str:
    """An id such as "party-kdjw...": opaque, derived from nothing."""
    return f"{prefix}-" + "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


def withheld() -> Party:
    """A caller who showed no number: new each time, kept nowhere."""
    return Party(id=random_id("withheld"), reachable=False)


def letters(value: int) -> str:
    """A whole number in letters; the other way round: `unletters`."""
    found = ""
    while value or not found:
        value, rest = divmod(value, len(_LETTERS))
        found = _LETTERS[rest] + found
    return found


def unletters(text: str) -> int | None:
    """What `letters` was given; None for other text."""
    if not 0 < len(text) <= _LENGTH or not all(char in _LETTERS for char in text):
        return None
    value = 0
    for char in text:
        value = value * len(_LETTERS) + _LETTERS.index(char)
    return value


def hidden_key(owner: str, key: str) -> str:
    """An idempotency key as it is kept: hashed, for some clients put an order, a name or a number into it; "" stays."""
    return letters(int.from_bytes(hashlib.sha256(f"{owner}\0{key}".encode()).digest())) if key else ""


def binding_name(id: int) -> str:
    """Public id of a binding."""
    return f"binding-{letters(id)}"


def binding_id(name: str) -> int:
    """Back; -1, which is no binding, for other text."""
    value = unletters(name.removeprefix("binding-")) if name.startswith("binding-") else None
    return value if value is not None and value < 2**63 else -1


def new_binding() -> int:
    """63 random bits."""
    return secrets.randbits(63)
