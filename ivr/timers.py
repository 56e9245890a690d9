"""Named timers counted in a call's own time, so that a call from WAV files needs no sleeping."""


class Timers:
    """A handful of running timers."""

    def __init__(self) -> None:
        self._left: dict[str, float] = {}

    def start(self, name: str, seconds: float) -> None:
        """Start or restart."""
        self._left[name] = seconds

    def stop(self, name: str) -> None:
        """Forget; unknown names are fine."""
        self._left.pop(name, None)

    def running(self, name: str) -> bool:
        """Whether it has yet to run out."""
        return name in self._left

    def pass_time(self, seconds: float) -> tuple[str, ...]:
        """Let time pass; the names that ran out, in the order in which they did."""
        fired = sorted((left, name) for name, left in self._left.items() if left <= seconds + 1e-9)
        names = tuple(name for _, name in fired)
        self._left = {name: left - seconds for name, left in self._left.items() if name not in names}
        return names
