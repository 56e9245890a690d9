"""Texts in memory: the dull second implementation, for tests."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from masking.sms.store import LEASE, ORDER, PARTS_WAIT, WHOLE_LIFE, Fate, Job, Outgoing, Part, Settled, State


@dataclass(slots=True, kw_only=True)
class _Row:
    out: Outgoing
    at: float
    state: State = State.WAITING
    tries: int = 0
    due: float = 0.0
    lease: float = 0.0
    since: float | None = None
    unsure: bool = False

    def job(self) -> Job:
        return Job(out=self.out, at=self.at, tries=self.tries, since=self.since, unsure=self.unsure)


@dataclass(slots=True, kw_only=True)
class MemoryTexts:
    """Forgets everything when the process ends."""

    clock: Callable[[], float]
    """Seconds since the epoch."""
    rows: dict[str, _Row] = field(default_factory=dict)
    """Texts by id, oldest first."""
    marks: dict[str, float] = field(default_factory=dict)
    """What was seen, and until when that counts."""
    stops: set[tuple[str, str, str]] = field(default_factory=set)
    """Who wants none from whom."""
    parts: dict[tuple[str, int], tuple[Part, float]] = field(default_factory=dict)
    """Parts and when they came."""

    def mark(self, *what: str) -> str:
        """The words themselves."""
        return "\0".join(what)

    async def known(self, mark: str) -> bool:
        """Whether a text was settled."""
        return self.clock() < self.marks.get(mark, 0.0)

    async def gather(self, part: Part) -> tuple[str, ...]:
        """Keep a part."""
        if await self.known(part.whole):
            return ()
        self.parts.setdefault((part.whole, part.part), (part, self.clock()))
        there = sorted((one.part, one.body) for one, _ in self.parts.values() if one.whole == part.whole)
        return tuple(body for _, body in there) if len(there) == part.parts else ()

    async def stale(self) -> tuple[Part, ...]:
        """Forget what waited too long."""
        now = self.clock()
        old = {key[0] for key, (_, at) in self.parts.items() if at < now - PARTS_WAIT}
        gone = [self.parts.pop(key)[0] for key in sorted(self.parts) if key[0] in old]
        self.marks |= dict.fromkeys(old, now + WHOLE_LIFE)
        return tuple(gone)

    async def stopped(self, binding: str, party: str, other: str) -> bool:
        """Whether the party wants none."""
        return (binding, party, other) in self.stops

    async def settle(self, what: Settled) -> bool:
        """All or nothing."""
        now = self.clock()
        if any(now < self.marks.get(mark, 0.0) for mark in (*what.marks, what.whole)):
            return False
        self.marks |= dict.fromkeys(what.marks, float("inf") if what.life is None else now + what.life)
        if what.whole:
            self.marks[what.whole] = now + WHOLE_LIFE
            self.parts = {key: one for key, one in self.parts.items() if key[0] != what.whole}
        if what.stop is not None:
            key = (what.stop.binding, what.stop.party, what.stop.other)
            (self.stops.add if what.stop.on else self.stops.discard)(key)
        self._put(what.outs)
        return True

    async def take(self) -> Job | None:
        """The oldest that is due."""
        now, busy = self.clock(), set()
        for row in self.rows.values():
            line = (row.out.party, row.out.shown)
            ready = row.due if row.state == State.WAITING else row.lease
            if row.state in {State.WAITING, State.SENDING} and line not in busy and ready <= now:
                row.unsure = row.unsure or row.state == State.SENDING
                job = replace(row.job(), tries=row.tries + 1)
                row.state, row.tries, row.lease = State.SENDING, row.tries + 1, now + LEASE
                row.since = row.since or now
                return job
            if row.state in {State.WAITING, State.SENDING}:
                busy.add(line)
        return None

    async def note(self, id: str, fate: Fate, outs: tuple[Outgoing, ...] = ()) -> bool:
        """Forward only."""
        row = self.rows.get(id)
        if row is None or ORDER[fate.state] < ORDER[row.state] or ORDER[row.state] == 2:
            return False
        changed = row.state != fate.state
        row.state, row.due, row.unsure = fate.state, fate.due, fate.unsure
        if fate.state != State.WAITING:
            row.out = replace(row.out, body="")
        if changed:
            self._put(outs)
        return changed

    async def look(self, id: str) -> Job | None:
        """Without its words."""
        row = self.rows.get(id)
        return replace(row.job(), out=replace(row.out, body="")) if row else None

    def _put(self, outs: tuple[Outgoing, ...]) -> None:
        now = self.clock()
        for out in outs:
            if out.mark and now < self.marks.get(out.mark, 0.0):
                continue
            if out.mark:
                self.marks[out.mark] = now + out.pause
            self.rows[out.id] = _Row(out=out, at=now)
