"""Codes that let a caller in from another phone: random digits, found by a keyed hash, kept sealed."""

import secrets

from masking.book import GUESSES, Code
from masking.parties import letters
from masking.port import Sealer

FEWEST, MOST = 6, 10
"""Digits."""
DIGITS = 8
"""Digits unless set otherwise: 10,000 codes on one number."""
ODDS = 1000
"""Guessing until a number is locked succeeds once in so many times at most."""


class Codes:
    """Makes and reads codes."""

    def __init__(self, sealer: Sealer, digits: int = DIGITS) -> None:
        """`sealer`: for the codes alone. `digits`: from FEWEST to MOST. Raises ValueError."""
        if not FEWEST <= digits <= MOST:
            raise ValueError(f"a code has {FEWEST} to {MOST} digits")
        self._sealer = sealer
        self._digits = digits

    def make(self, binding: int) -> Code:
        """A new one."""
        text = "".join(secrets.choice("0123456789") for _ in range(self._digits))
        sealed = self._sealer.seal(text.encode(), _context(binding))
        return Code(route=self.route(text), sealed=sealed, most=10**self._digits // (GUESSES * ODDS))

    def route(self, text: str) -> str:
        """The caller under which routes of a code are kept; what is too long for one gives a route that is none's."""
        tag = self._sealer.tag(text[: MOST + 1].encode(), b"code")
        return "code-" + letters(int.from_bytes(tag[:16]))

    def open(self, sealed: bytes | None, binding: int) -> str:
        """The digits; "" for none. Raises ValueError where they are another binding's."""
        return self._sealer.open(sealed, _context(binding)).decode() if sealed else ""


def _context(binding: int) -> bytes:
    return b"code of " + letters(binding).encode()
