"""Recognition that cannot keep up: what is dropped first, and when keys are better than late answers. Pure.

An answer that comes seconds late is worse than keys: callers repeat themselves into it. So each call measures how far
its ears are behind the audio, and the process how long decoding jobs wait. A little behind, the luxuries go (noise
suppression, the second look), so that red flags in partials keep their time; further behind for a while, the call turns
to keys, and new calls begin with them. Nobody is refused because of it, and the ears of a call on keys go on listening
for red flags.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol


class Strain(IntEnum):
    """How hard recognition has it."""

    EASY = 0
    """All is done that can be done."""
    LEAN = 1
    """Only what red flags and answers need."""
    KEYS = 2
    """Answers would be late: keys lead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Delays and how long they must last. Chosen from what Vosk shows with two threads on two cores
    (docs/benchmarks.md): ears that keep up are late by 17 ms (p95) with ten callers who speak all the time and by 57 ms
    with twenty, and by 0.22 s at the very worst while other programs want 3.5 times the processor that there is."""

    lean: float = 0.3
    """Delay in seconds from which the luxuries go, at once: more than ears that keep up ever show."""
    keys: float = 0.5
    """Delay in seconds from which keys lead: on top of the usual response gap of 0.7 s it uses up its 1.2 s ..."""
    after: float = 0.4
    """... when it has lasted so long: four pieces of audio; the end of one long sentence passes by itself."""
    calm: float = 5.0
    """Seconds below `lean` after which all is well again: a call on keys gains nothing by a change back and forth."""
    waiting: int = 48
    """Jobs waiting for a thread that count as much as a delay of `keys`. Not for their delay (a piece of 100 ms takes a
    thread 4 ms, so these are 0.1 s): beyond 64 the pool refuses, and whose piece that is would be chance."""


BOUNDS = Bounds()
STALE_SECONDS = 2.0
"""On keys, audio older than this is given up: a red flag in what is said now must not wait behind it."""


class Gauge:
    """A delay, watched over time."""

    def __init__(self, bounds: Bounds = BOUNDS) -> None:
        self._bounds = bounds
        self._late = self._well = 0.0
        self.strain = Strain.EASY
        """As of the last measurement."""
        self.delay = 0.0
        """The last measurement, in seconds."""
        self.longest = 0.0
        """The longest delay so far, in seconds."""

    def feed(self, delay: float, seconds: float) -> Strain:
        """The delay now, so long after the last measurement."""
        bounds = self._bounds
        self.delay, self.longest = delay, max(self.longest, delay)
        self._late = self._late + seconds if delay >= bounds.keys else 0.0
        self._well = self._well + seconds if delay < bounds.lean else 0.0
        if self._late >= bounds.after:
            self.strain = Strain.KEYS
        elif delay >= bounds.lean:
            self.strain = max(self.strain, Strain.LEAN)
        elif self._well >= bounds.calm:
            self.strain = Strain.EASY
        return self.strain


class Queue(Protocol):
    """Decoding jobs of a process."""

    @property
    def waiting(self) -> int:
        """Jobs that no thread has taken yet."""
        ...

    @property
    def lag(self) -> float:
        """Seconds that jobs wait."""
        ...


class Pressure:
    """All calls of a process. The plain attributes are there to be exported."""

    def __init__(self, queue: Callable[[], Queue], clock: Callable[[], float], bounds: Bounds = BOUNDS) -> None:
        """`queue`: the decoding jobs at this moment. `clock`: seconds that never go back."""
        self._queue = queue
        self._clock = clock
        self._bounds = bounds
        self._gauge = Gauge(bounds)
        self._looked = clock()
        self.waiting = 0
        """Jobs that wait for a thread, at the last look."""
        self.led_by_keys = 0
        """Calls that began with keys because of the strain."""
        self.switched = 0
        """Calls that turned to keys because their ears were late."""
        self.shed_seconds = 0.0
        """Audio given up unheard, in seconds."""

    @property
    def delay(self) -> float:
        """Seconds that decoding jobs waited, at the last look."""
        return self._gauge.delay

    @property
    def longest(self) -> float:
        """The longest such wait so far."""
        return self._gauge.longest

    @property
    def strain(self) -> Strain:
        """As of the last look."""
        return self._gauge.strain

    def look(self) -> Strain:
        """Measure. Many calls look; the time between two looks is what counts, not their number."""
        queue, now = self._queue(), self._clock()
        passed, self._looked = now - self._looked, now
        self.waiting = queue.waiting
        full = self._bounds.keys if queue.waiting >= self._bounds.waiting else 0.0
        return self._gauge.feed(max(queue.lag, full), passed)


class CallPressure:
    """One call: how late its ears are, and what follows."""

    def __init__(self, process: Pressure | None, bounds: Bounds = BOUNDS) -> None:
        """`process`: None where nothing is shared, as in a call from WAV files."""
        self._process = process
        self._gauge = Gauge(bounds)

    @property
    def delay(self) -> float:
        """Seconds by which the ears are behind, at the last measurement."""
        return self._gauge.delay

    def begins_with_keys(self) -> bool:
        """Whether a new call should be led by keys."""
        if self._process is None or self._process.look() < Strain.KEYS:
            return False
        self._process.led_by_keys += 1
        return True

    def feed(self, behind: float, seconds: float) -> tuple[Strain, bool]:
        """So much later the ears are so far behind: the strain, and whether this call turns to keys now."""
        before, mine = self._gauge.strain, self._gauge.feed(behind, seconds)
        turns = mine is Strain.KEYS and before is not Strain.KEYS
        if self._process is None:
            return mine, turns
        self._process.switched += turns
        return max(mine, self._process.look()), turns

    def shed(self, seconds: float) -> None:
        """So much audio was given up."""
        if self._process is not None:
            self._process.shed_seconds += seconds
