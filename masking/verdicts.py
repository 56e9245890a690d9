"""What a call to a virtual number leads to, and how often a code may be guessed. Pure."""

from dataclasses import dataclass, replace

from masking.book import GUESSES, Line, Route
from masking.port import NumberState, Outcome

CALLER_GUESSES = 6
"""Wrong codes of one caller before a pause: two calls of three tries."""
WINDOW = 3600.0
"""Seconds in which wrong codes are counted together, and length of the first pause."""
LONGEST_PAUSE = 24 * 3600.0
ONE_WAY = "only the patient may call in this binding; make one without one_way for click-to-calls"
SERVING = frozenset({NumberState.ACTIVE, NumberState.DRAINING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """All that a look-up reads; always the same rows are asked for, so that no answer is quicker than another."""

    line: Line | None
    """The number, if it is ours."""
    direct: Route | None = None
    """For this caller."""
    anyone: Route | None = None
    """For everybody."""
    by_code: Route | None = None
    """For the code."""
    codes: bool = False
    """Whether the number carries codes that are live."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """Wrong codes of one caller, or on one number."""

    count: int = 0
    """In the window."""
    since: float = 0.0
    """When the window began."""
    until: float = 0.0
    """End of the pause; 0 for none."""
    pauses: int = 0
    """How many in a row: each is twice as long."""

    def locked(self, now: float) -> bool:
        """Whether no code is looked at now."""
        return now < self.until

    def wrong(self, now: float, most: int) -> "Tries":
        """After one more."""
        if self.until and now >= self.until + LONGEST_PAUSE:
            return Tries().wrong(now, most)
        fresh = not self.since <= now < self.since + WINDOW  # also when the clock was set back
        count, since = (1, now) if fresh else (self.count + 1, self.since)
        if count < most:
            return replace(self, count=count, since=since)
        pause = min(LONGEST_PAUSE, WINDOW * 2**self.pauses)
        return Tries(count=0, since=now, until=now + pause, pauses=min(self.pauses + 1, 10))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Outcome of a look-up."""

    outcome: Outcome
    """CONNECT, or what to tell."""
    route: Route | None = None
    """With CONNECT."""
    wrong_code: bool = False
    """Whether the try is to be counted."""


def decide(found: Found, caller: str, code: str, now: float, *, locked: bool) -> Decided:
    """`locked`: whether this caller or this number has guessed too often."""
    if found.line is None or found.line.about.state not in SERVING:
        return Decided(outcome=Outcome.UNKNOWN)
    direct = found.direct if caller else None
    if direct is not None and now < direct.live:
        return _connected(direct, caller)
    by_code = found.by_code if found.by_code is not None and now < found.by_code.gone else None
    if code and (found.codes or by_code is not None):
        return _coded(by_code, caller, now, locked)
    for route in (direct, found.anyone if caller else None):
        if route is not None and now < route.gone:
            return _connected(route, caller) if now < route.live else Decided(outcome=Outcome.EXPIRED)
    if found.codes:
        return Decided(outcome=Outcome.LOCKED if locked else Outcome.ASK_CODE)
    return Decided(outcome=Outcome.UNKNOWN)


def _connected(route: Route, caller: str) -> Decided:
    """A closed direction, and a number that would ring the caller's own phone, are refused."""
    if not route.open or route.callee == caller:
        return Decided(outcome=Outcome.REFUSED)
    return Decided(outcome=Outcome.CONNECT, route=route)


def _coded(route: Route | None, caller: str, now: float, locked: bool) -> Decided:
    if locked:  # before the code is looked at: a pause must not be a way to go on guessing
        return Decided(outcome=Outcome.LOCKED)
    if route is None:
        return Decided(outcome=Outcome.ASK_CODE, wrong_code=True)
    if now >= route.live:
        return Decided(outcome=Outcome.EXPIRED)
    return _connected(route, caller)


def limits(caller: str, number: str) -> dict[str, int]:
    """Whose wrong codes are counted, and how many each may have."""
    return {f"number:{number}": GUESSES} | ({f"caller:{caller}": CALLER_GUESSES} if caller else {})
