"""Signatures of webhooks: HMAC-SHA256 over time and body, and how a receiver checks them. Pure.

The header is `Triageline-Signature: t=<seconds since the epoch>,v1=<hex>`, with a second v1 while a secret is changed.
"""

import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence

HEADER = "Triageline-Signature"
WINDOW = 300.0
"""Seconds by which a signature's time may be wrong, in either direction."""
REMEMBERED = 10_000
"""Signatures of the window that a Verifier remembers; where more come, the oldest are forgotten."""
_HEADER = re.compile(r"t=([0-9]{1,12})((?:,v1=[0-9a-f]{64}){1,4})")


class SignatureRefused(Exception):
    """The request is not ours, too old, or was seen before. `code` says which: "malformed", "stale", "wrong",
    "replayed"."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the signature is {code}")
        self.code = code


def new_secret() -> str:
    """Forty random letters and digits, 200 bits and more."""
    return "whsec_" + secrets.token_urlsafe(30)


def sign(body: bytes, keys: Sequence[str], at: float) -> str:
    """The header's value. `keys`: one secret, or the new and the former. `at`: seconds since the epoch."""
    moment = int(at)
    return f"t={moment}" + "".join(f",v1={_digest(body, key, moment)}" for key in keys)


def verify(header: str, body: bytes, keys: Sequence[str], now: float, *, window: float = WINDOW) -> None:
    """Raises SignatureRefused unless one of the keys signed this body within the window."""
    found = _HEADER.fullmatch(header)
    if found is None:
        raise SignatureRefused("malformed")
    moment = int(found[1])
    if abs(now - moment) > window:
        raise SignatureRefused("stale")
    given = found[2].split(",v1=")[1:]
    good = [hmac.compare_digest(one, _digest(body, key, moment)) for one in given for key in keys]
    if not any(good):
        raise SignatureRefused("wrong")


class Verifier:
    """What a receiver keeps: it takes each signature once."""

    def __init__(self, keys: Sequence[str], clock: Callable[[], float], *, window: float = WINDOW) -> None:
        """`keys`: secrets that count. `clock`: seconds since the epoch."""
        self._keys = keys
        self._clock = clock
        self._window = window
        self._seen: OrderedDict[str, float] = OrderedDict()

    def check(self, header: str, body: bytes) -> None:
        """Raises SignatureRefused. An event that is delivered again comes with a new signature and passes: know it by
        its id."""
        now = self._clock()
        verify(header, body, self._keys, now, window=self._window)
        # Not the header but what it proves is remembered: a header can be written in several ways.
        name = hashlib.sha256(header.partition(",")[0].encode() + b"." + body).hexdigest()
        while self._seen and (next(iter(self._seen.values())) < now or len(self._seen) >= REMEMBERED):
            self._seen.popitem(last=False)
        if name in self._seen:
            raise SignatureRefused("replayed")
        self._seen[name] = now + 2 * self._window


def _digest(body: bytes, key: str, moment: int) -> str:
    return hmac.new(key.encode(), str(moment).encode() + b"." + body, hashlib.sha256).hexdigest()
