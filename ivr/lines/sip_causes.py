"""Why a leg ended, from the last SIP status of its dialog (RFC 3261 section 21)."""

from ivr.ports import Cause

_CAUSES = {
    404: Cause.UNREACHABLE,
    408: Cause.NO_ANSWER,
    410: Cause.UNREACHABLE,
    480: Cause.NO_ANSWER,
    484: Cause.UNREACHABLE,
    486: Cause.BUSY,
    487: Cause.NO_ANSWER,
    502: Cause.UNREACHABLE,
    503: Cause.UNREACHABLE,
    504: Cause.UNREACHABLE,
    600: Cause.BUSY,
    603: Cause.DECLINED,
    604: Cause.UNREACHABLE,
}


def cause_of(status: int, *, answered: bool) -> Cause:
    """The cause behind a final SIP status; `answered` says that the leg had been answered before it ended, after
    which only a BYE (2xx) is a normal end and "no answer" cannot be said any more."""
    if 200 <= status < 300:
        return Cause.NORMAL
    return Cause.FAILED if answered else _CAUSES.get(status, Cause.FAILED)
