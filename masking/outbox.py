"""What is to be delivered next, and what came of it: one process at a time holds a delivery, by a lease in SQL."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, func, select, update

from masking.delivery_order import promote
from masking.diary_rows import body, written_of
from masking.hooks_sql import SqlHooks, Target, switch_off
from masking.ledger import Ledger
from masking.port import Alert, DeliveryState, MaskingUnavailable
from masking.schema import deliveries, events, hooks

PAUSES = (1.0, 10.0, 60.0, 600.0, 3600.0, 3 * 3600.0, 6 * 3600.0, 12 * 3600.0)
"""Seconds between tries: six more in the first six hours, given up after nine tries and nearly a day."""
JITTER = 0.1
"""Part of a pause that is added at random, so that what failed together does not come back together."""
LEASE = 30.0
"""Seconds after which what a process took is anybody's again: it died, or was stopped."""
AT_ONCE_OF_ONE = 4
"""Deliveries to one hook at the same time: a slow one must not take all the places."""
AT_ONCE = 32
LONGEST_REST = 60.0
"""Seconds for which a hook that keeps failing is left alone, whatever is due."""
WARN_AFTER = 5
"""Failures of a hook in a row after which the operator is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A delivery that this process holds."""

    target: Target
    """Where to."""
    event: str
    """Id."""
    stream: str
    """Whose order it keeps."""
    body: bytes
    """What is sent."""
    tries: int
    """Which try it is, from 1."""
    lease: float
    """Until when it is ours."""


class Result(StrEnum):
    """What an answer means."""

    DONE = "done"
    AGAIN = "again"
    GONE = "gone"
    """The receiver wants no more."""


def result(status: int) -> Result:
    """2xx has it, 410 wants no more, everything else gets another try."""
    if 200 <= status < 300:
        return Result.DONE
    return Result.GONE if status == 410 else Result.AGAIN


class Outbox:
    """Claims and results."""

    def __init__(
        self,
        ledger: Ledger,
        sealed: SqlHooks,
        *,
        taker: str,
        jitter: Callable[[], float],
        alert: Callable[[Alert], None] = lambda alert: None,
    ) -> None:
        """`taker`: name of this process. `jitter`: random, 0 to 1. `alert` is called in the writer's thread."""
        self._ledger = ledger
        self._hooks = sealed
        self._taker = taker
        self._jitter = jitter
        self._alert = alert

    async def take(self, room: int = AT_ONCE) -> tuple[Job, ...]:
        """What is due, `room` at most, held for LEASE seconds. Raises MaskingUnavailable."""
        now = self._ledger.clock()
        # Read first: a look that finds nothing, as nearly all do, must not make writers wait.
        if room <= 0 or not await self._ledger.read(lambda db: _due(db, now)):
            return ()
        return await self._ledger.write(lambda db: self._take(db, now, room))

    async def note(self, job: Job, outcome: Result, last: str) -> None:
        """What came of it. Nothing changes where the lease was lost. Raises MaskingUnavailable."""
        await self._ledger.write(lambda db: self._note(db, job, outcome, last))

    def _take(self, db: Connection, now: float, room: int) -> tuple[Job, ...]:
        jobs: list[Job] = []
        for hook in _due(db, now):
            about = db.execute(select(hooks).where(hooks.c.id == hook)).one()
            try:
                target = self._hooks.target(about)
            except MaskingUnavailable:
                self._note_hook(db, hook, Result.AGAIN, now)  # one unreadable secret must not stop the others
                continue
            flying = select(func.count()).where(deliveries.c.hook == hook, deliveries.c.lease > now, _waits())
            most = 1 if about.fails else AT_ONCE_OF_ONE  # one that fails is tried by one delivery at a time
            free = min(room - len(jobs), most - (db.execute(flying).scalar() or 0))
            jobs += self._hold(db, target, now, free) if free > 0 else ()
        return tuple(jobs)

    def _hold(self, db: Connection, target: Target, now: float, count: int) -> Iterator[Job]:
        mine = (deliveries.c.hook == target.hook) & _ready(now)
        both = select(deliveries.c.tries, events).join(events, deliveries.c.event == events.c.id).where(mine)
        for row in list(db.execute(both.order_by(deliveries.c.due, events.c.at).limit(count))):
            held = {"taker": self._taker, "lease": now + LEASE, "tries": row.tries + 1}
            if db.execute(update(deliveries).where(mine, deliveries.c.event == row.id).values(held)).rowcount:
                yield Job(
                    target=target,
                    event=row.id,
                    stream=row.stream,
                    body=body(written_of(row)),
                    tries=row.tries + 1,
                    lease=now + LEASE,
                )

    def _note(self, db: Connection, job: Job, outcome: Result, last: str) -> None:
        now = self._ledger.clock()
        hook = job.target.hook
        mine = (deliveries.c.hook == hook) & (deliveries.c.event == job.event) & (deliveries.c.taker == self._taker)
        mine = mine & (deliveries.c.lease == job.lease) & (deliveries.c.state == DeliveryState.WAITING)
        given_up = outcome == Result.AGAIN and job.tries > len(PAUSES)
        if outcome == Result.AGAIN and not given_up:
            pause = PAUSES[job.tries - 1] * (1 + JITTER * self._jitter())
            values: dict[str, object] = {"due": now + pause, "lease": 0.0, "last": last}
        else:
            values = {"state": DeliveryState.DELIVERED if outcome == Result.DONE else DeliveryState.DEAD, "last": last}
        if not db.execute(update(deliveries).where(mine).values(values)).rowcount:
            return
        self._note_hook(db, hook, outcome, now)
        if given_up:
            self._alert(Alert(code="webhook_given_up", what=hook))
        if outcome == Result.DONE or given_up:
            promote(db, hook, job.stream)

    def _note_hook(self, db: Connection, hook: str, outcome: Result, now: float) -> None:
        if outcome == Result.GONE:
            switch_off(db, hook)
            self._alert(Alert(code="webhook_off", what=hook))
            return
        fails = 0
        if outcome == Result.AGAIN:
            fails = 1 + (db.execute(select(hooks.c.fails).where(hooks.c.id == hook)).scalar() or 0)
        rest = now + min(LONGEST_REST, 2.0 ** min(fails, 10) / 2) if fails else 0.0
        db.execute(update(hooks).where(hooks.c.id == hook).values(fails=fails, rest=rest))
        if fails == WARN_AFTER:
            self._alert(Alert(code="webhook_failing", what=hook))


def _waits() -> ColumnElement[bool]:
    return deliveries.c.state == DeliveryState.WAITING


def _ready(now: float) -> ColumnElement[bool]:
    """Deliveries that may be tried now, by anybody."""
    return _waits() & (deliveries.c.due <= now) & (deliveries.c.lease <= now)


def _due(db: Connection, now: float) -> list[str]:
    """Hooks for which something is due and that are not left alone, those that waited longest first."""
    free = hooks.c.active & (hooks.c.rest <= now)
    some = select(deliveries.c.event).where(_ready(now), deliveries.c.hook == hooks.c.id).exists()
    return list(db.execute(select(hooks.c.id).where(free, some).order_by(hooks.c.rest, hooks.c.id)).scalars())
