"""The native guard of the tuned build (native/guard.c). The packaged build has none: there the Python paths decide, and
a stranger's request costs a little more before it is refused.
"""

import ctypes
from dataclasses import dataclass

from ivr.lines.sip_settings import SipSettings
from ivr.ports import LineError

_NAT_RULES = {"off": 0, "host": 1, "any": 2}
_COUNTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardCounts:
    """What the guard kept away since the line was opened."""

    refused: int = 0
    """Requests answered without state."""
    silenced: int = 0
    """Requests left unanswered, because their source had its share of refusals."""
    bad_lengths: int = 0
    """Messages whose Content-Length lies; on a stream the connection was closed."""
    stray_media: int = 0
    """RTP and RTCP packets from other addresses than the call's."""


def library() -> ctypes.CDLL:
    """The loaded SIP library, for what its bindings leave out."""
    from pjsua2 import _pjsua2

    return ctypes.CDLL(_pjsua2.__file__)


def set_guard(settings: SipSettings) -> bool:
    """Put the guard before the library, which was initialised just now; False where the build has none. Raises
    LineError."""
    install = getattr(library(), "triageline_guard_install", None)
    if install is None:
        return False
    allowed = " ".join(settings.peers).encode()
    rule = _NAT_RULES[settings.media_nat]
    wait_ms = round(settings.request_wait_s * 1000)
    status = int(install(allowed, settings.calls_per_source, settings.refusals_per_source, rule, wait_ms))
    if status == 1:
        raise LineError(
            "a network of the allowed peers is not of the form 192.0.2.0/24 or 192.0.2.7, or there are over 256"
        )
    if status != 0:
        raise LineError(f"the guard of the SIP library did not start (status {status})")
    return True


def guard_counts() -> GuardCounts:
    """What was kept away; zeros where the build has no guard."""
    ask = getattr(library(), "triageline_guard_counts", None)
    if ask is None:
        return GuardCounts()
    counts = (ctypes.c_uint * _COUNTS)()
    ask(counts)
    refused, silenced, bad_lengths, stray_media = counts
    return GuardCounts(refused=refused, silenced=silenced, bad_lengths=bad_lengths, stray_media=stray_media)
