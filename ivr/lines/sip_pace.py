"""How fast calls may begin.

The library keeps the sockets of an ended call for half a second before it reuses their places, and a build of the
usual size has 64 places: some thirty calls begun within that time end the process. A stranger can do that with INVITE
and CANCEL. So when too many began lately the SIP thread rests for a moment; SIP sends again by itself, and the sound
of standing calls does not pass that thread.
"""

from collections import deque

_WINDOW_S = 0.6
_LEAST = 10


class Pace:
    """Counts the calls begun in the last 0.6 s."""

    def __init__(self, capacity: int) -> None:
        self._most = max(_LEAST, capacity // 2)
        self._begun: deque[float] = deque()

    def began(self, now: float) -> float:
        """A call began, at this monotonic time; the seconds to rest before the next may."""
        self._begun.append(now)
        while now - self._begun[0] > _WINDOW_S:
            self._begun.popleft()
        return max(0.0, self._begun[-self._most] + _WINDOW_S - now) if len(self._begun) >= self._most else 0.0
