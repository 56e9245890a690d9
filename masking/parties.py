"""Names for people without numbers: random letters, so that no id is ever taken for (or leaks like) a number."""

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
