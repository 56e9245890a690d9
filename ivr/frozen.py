"""Which workers live but do nothing any more: stopped, deadlocked, or stuck in one step. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from ivr.signs import Sign

OWN_GAP_SECONDS = 1.5
"""Looks further apart than this mean that the whole machine stood still: then nobody is judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    pid: int
    beat: float
    since: float


class Frozen:
    """Counts how long each worker's sign has been the same, by the watcher's own clock: a machine's time of day may
    jump, and all workers with it."""

    def __init__(self, seconds: float) -> None:
        """`seconds`: the same sign for longer than this is a frozen worker."""
        self._seconds = seconds
        self._seen: dict[str, _Seen] = {}
        self._looked: float | None = None

    def look(self, now: float, signs: Iterable[Sign]) -> tuple[Sign, ...]:
        """The workers found frozen now; `now` is monotonic."""
        late = self._looked is not None and now - self._looked > OWN_GAP_SECONDS
        self._looked = now
        before, self._seen, frozen = self._seen, {}, []
        for sign in signs:
            known = before.get(sign.name)
            if known is None or late or (known.pid, known.beat) != (sign.pid, sign.beat):
                known = _Seen(pid=sign.pid, beat=sign.beat, since=now)
            self._seen[sign.name] = known
            if now - known.since > self._seconds:
                frozen.append(sign)
        return tuple(frozen)
