"""When a click-to-call that nobody tends any more counts as failed. Pure."""

from dataclasses import replace

from masking.port import LegEnd, Wish, WishState

WAIT_SECONDS = 120.0
"""A wish that no line has begun after so long is not carried out: whoever asked has gone elsewhere."""
BUSY_SECONDS = 90.0
"""Whoever carries one out gives a sign of life more often than this; else that process has died."""
BEAT_SECONDS = 20.0
"""How often it is given."""
KEPT_SECONDS = 30 * 86400.0
"""How long a wish, and its idempotency key, is remembered."""
OVER = frozenset({WishState.DONE, WishState.FAILED})
ORDER = tuple(WishState)
"""The way of a wish; it never goes back."""


def further(before: WishState, noted: WishState) -> WishState:
    """The state after a note: what is over stays, and an earlier state is only a sign of life."""
    return before if before in OVER else max(before, noted, key=ORDER.index)


def overdue(state: WishState, beat: float, now: float) -> bool:
    """`beat`: when it was asked for, or last tended."""
    if state in OVER:
        return False
    return now - beat > (WAIT_SECONDS if state is WishState.WAITING else BUSY_SECONDS)


def seen(wish: Wish, beat: float, now: float) -> Wish:
    """As its owner sees it now."""
    if not overdue(wish.state, beat, now):
        return wish
    end = LegEnd.UNAVAILABLE if wish.state is WishState.WAITING else LegEnd.FAILED
    return replace(wish, state=WishState.FAILED, end=end)
