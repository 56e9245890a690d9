"""Abuse limits as plain arithmetic: buckets that fill again, and who tries one number after the other. Pure.

Whoever has a binding for the number is `known`: a patient or doctor calling somebody who expects it. Known callers have
buckets of their own, wide enough for somebody in distress who calls again and again, and a scan never locks them out:
strangers must not be able to use up what patients need. Strangers have narrow ones, for all they can reach is an
announcement. Whoever is limited hears that, or the hotline; never silence.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from masking.port import Admission

T = TypeVar("T")

HOUR = 3600.0
MINUTE = 60.0
MOST_KEPT = 10_000
"""Buckets and scans that a process remembers by itself; the oldest are forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How much is allowed. Buckets hold a whole period's worth: a burst is no abuse."""

    caller_hour: int = 30
    """Calls of one known caller to all numbers: one every two minutes for an hour, before the first is limited."""
    pair_hour: int = 20
    """Calls of one known caller to one number. A patient whose calls break off needs a few, never twenty."""
    number_minute: int = 120
    """Calls of known callers to one number: case numbers are shared by thousands of patients."""
    stranger_hour: int = 12
    """Calls of one caller without a binding: wrong numbers, and codes that are typed again."""
    stranger_number_minute: int = 20
    """Calls of strangers to one number: it bounds the guessing of codes and the cost of announcements."""
    source_minute: int = 120
    """Calls of strangers from one trunk or network."""
    scan_numbers: int = 8
    """Different numbers that a caller or source may try without a binding before it counts as a scan; for a source,
    which stands for many callers, five times as many."""
    scan_window: float = 600.0
    """Seconds in which they are counted."""
    scan_pause: float = 3600.0
    """Seconds for which strangers of a scanning caller or source are turned away."""

    def stricter(self) -> "Rates":
        """Half of all: what a process allows by itself, knowing nothing of the others."""
        return Rates(
            caller_hour=max(4, self.caller_hour // 2),
            pair_hour=max(4, self.pair_hour // 2),
            number_minute=max(4, self.number_minute // 2),
            stranger_hour=max(1, self.stranger_hour // 2),
            stranger_number_minute=max(1, self.stranger_number_minute // 2),
            source_minute=max(1, self.source_minute // 2),
            scan_numbers=max(2, self.scan_numbers // 2),
            scan_window=self.scan_window,
            scan_pause=self.scan_pause,
        )


SOURCE_FACTOR = 5
"""A trunk carries many callers, so more of them dial a wrong number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A limit that an attempt must pass."""

    name: str
    """Subject; hashed before it leaves the process."""
    size: int
    """Attempts that it holds."""
    period: float
    """Seconds in which it fills again."""
    answer: Admission
    """What to say when it is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A look for one who tries number after number."""

    name: str
    """Subject; hashed before it leaves the process."""
    most: int
    """Different numbers within the window that make a scan."""


def asked(rates: Rates, number: str, caller: str, source: str, *, known: bool) -> tuple[Bucket, ...]:
    """The buckets of an attempt, in the order in which they are looked at."""
    if known:
        mine = (
            Bucket(name=f"pair:{caller}:{number}", size=rates.pair_hour, period=HOUR, answer=Admission.PAIR),
            Bucket(name=f"caller:{caller}", size=rates.caller_hour, period=HOUR, answer=Admission.CALLER),
        )
        shared = Bucket(name=f"number:{number}", size=rates.number_minute, period=MINUTE, answer=Admission.NUMBER)
        return (*(mine if caller else ()), shared)
    buckets = [
        Bucket(name=f"strangers:{number}", size=rates.stranger_number_minute, period=MINUTE, answer=Admission.NUMBER)
    ]
    if caller:
        name = f"stranger:{caller}"
        buckets.insert(0, Bucket(name=name, size=rates.stranger_hour, period=HOUR, answer=Admission.CALLER))
    if source:
        name = f"source:{source}"
        buckets.append(Bucket(name=name, size=rates.source_minute, period=MINUTE, answer=Admission.SCAN))
    return tuple(buckets)


def scans(rates: Rates, caller: str, source: str) -> tuple[Scan, ...]:
    """Who is looked at when a stranger calls."""
    found = []
    if caller:
        found.append(Scan(name=f"scan-caller:{caller}", most=rates.scan_numbers))
    if source:
        found.append(Scan(name=f"scan-source:{source}", most=rates.scan_numbers * SOURCE_FACTOR))
    return tuple(found)


@dataclass(slots=True, kw_only=True)
class _Tried:
    numbers: set[str] = field(default_factory=set)
    since: float = 0.0
    until: float = float("-inf")


class LocalBuckets:
    """The same in one process's memory, for as long as Redis is lost. Bounded."""

    def __init__(self, rates: Rates, now: Callable[[], float]) -> None:
        """`now`: seconds that only go forward."""
        self._rates = rates
        self._now = now
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._tried: OrderedDict[str, _Tried] = OrderedDict()

    def admit(self, number: str, caller: str, source: str, *, known: bool) -> Admission:
        """Count an attempt."""
        now = self._now()
        # A list: every one of them is to see the attempt.
        looks = () if known else scans(self._rates, caller, source)
        if any([self._scanning(look, number, now) for look in looks]):  # noqa: C419
            return Admission.SCAN
        buckets = asked(self._rates, number, caller, source, known=known)
        levels = [self._level(bucket, now) for bucket in buckets]
        for bucket, level in zip(buckets, levels, strict=True):
            if level < 1:
                return bucket.answer
        for bucket, level in zip(buckets, levels, strict=True):
            _keep(self._left, bucket.name, (level - 1, now))
        return Admission.ADMITTED

    def _level(self, bucket: Bucket, now: float) -> float:
        left, at = self._left.get(bucket.name, (float(bucket.size), now))
        return min(float(bucket.size), left + (now - at) * bucket.size / bucket.period)

    def _scanning(self, scan: Scan, number: str, now: float) -> bool:
        tried = self._tried.get(scan.name) or _Tried(since=now)
        if now - tried.since > self._rates.scan_window:
            tried.numbers, tried.since = set(), now
        tried.numbers.add(number)
        if len(tried.numbers) >= scan.most:
            tried.until, tried.numbers, tried.since = now + self._rates.scan_pause, set(), now
        _keep(self._tried, scan.name, tried)
        return now < tried.until


def _keep(kept: "OrderedDict[str, T]", name: str, value: T) -> None:
    kept[name] = value
    kept.move_to_end(name)
    if len(kept) > MOST_KEPT:
        kept.popitem(last=False)
