"""How many requests somebody may make: a bucket of tokens each, refilled steadily. Pure; the clock is handed in."""

import math
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

MOST_KNOWN = 10_000
"""Buckets kept; whoever has been away longest is forgotten, and starts full."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Buckets:
    """One bucket a key."""

    def __init__(self, *, rate: float, burst: float) -> None:
        """`rate`: requests a second in the long run. `burst`: at once."""
        self._rate = rate
        self._burst = burst
        self._known: OrderedDict[Hashable, _Bucket] = OrderedDict()

    def take(self, key: Hashable, now: float) -> int:
        """0 where the request may go on; else whole seconds to wait."""
        bucket = self._refilled(key, now)
        if bucket.left >= 1:
            bucket.left -= 1
            return 0
        return max(1, math.ceil((1 - bucket.left) / self._rate))

    def empty(self, key: Hashable, now: float) -> bool:
        """Whether `take` would refuse; nothing is taken."""
        return self._refilled(key, now).left < 1

    def _refilled(self, key: Hashable, now: float) -> _Bucket:
        bucket = self._known.setdefault(key, _Bucket(self._burst, now))
        self._known.move_to_end(key)
        bucket.left = min(self._burst, bucket.left + max(0.0, now - bucket.at) * self._rate)
        bucket.at = now
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return bucket
