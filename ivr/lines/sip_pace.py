"""How fast calls may begin.

The library keeps the sockets of an ended call for half a second before it reuses their places, and a build of the
usual size has 64 places: some thirty calls begun within that time end the process. A stranger can do that with INVITE
and CANCEL. So when too many began lately the port is simply not read for a moment; SIP sends again by itself.
"""

from collections import deque

_WINDOW_S = 0.6
_LEAST = 10


class Pace:
    """Counts the calls begun in the last 0.6 s."""

    def __init__(self, capacity: int) -> None:
        self._most = max(_LEAST, capacity // 2)
        self._begun: deque[float] = deque()

    def began(self, now: float) -> None:
        """A call began, at this monotonic time."""
        self._begun.append(now)

    def too_fast(self, now: float) -> bool:
        """Whether to let further callers wait."""
        while self._begun and now - self._begun[0] > _WINDOW_S:
            self._begun.popleft()
        return len(self._begun) >= self._most
