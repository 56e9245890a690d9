"""What operators must do about numbers: raised once, cleared once, whichever process noticed."""

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, exists, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from masking.ledger import Ledger
from masking.port import Alert, NumberState, PoolReport
from masking.schema import alerts, numbers, routes

log = logging.getLogger(__name__)

NOTED_EVERY = 60.0
"""Seconds."""
NEARLY_FULL = 0.9
"""Share of the active numbers that the busiest caller holds."""
SOON = 7 * 86400.0
"""Seconds: a pool that will be full before that is told of."""
QUIET = 3600.0
"""Seconds after which something that happens now and then counts as over."""
UNTOLD = 0.0
"""In `since`: nobody has been told yet."""
CONDITIONS = ("nearly_full", "runs_out", "drained")
"""What is looked for, and so is seen to be over; other codes happen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An alert that is to be told."""

    alert: Alert
    """What."""
    raised: bool
    """Or cleared."""


class SqlAlerts:
    """Alerts over SQLite or PostgreSQL."""

    def __init__(self, ledger: Ledger) -> None:
        """`ledger`: that of the bindings."""
        self._ledger = ledger
        self._last: dict[Alert, float] = {}

    def note(self, alert: Alert) -> None:
        """Something happened; from any thread, at once. It is written down soon, and not again within a minute."""
        now = time.monotonic()
        if now - self._last.get(alert, -NOTED_EVERY) < NOTED_EVERY:
            return
        self._last[alert] = now
        try:
            self._ledger.soon(lambda: self._write_down(alert))
        except RuntimeError:
            log.warning("an alert was noted while masking closed: %s", alert.code)

    def _write_down(self, alert: Alert) -> None:
        try:
            self._ledger.transaction(lambda db: _see(db, {alert}, self._ledger.clock()))
        except SQLAlchemyError as error:
            self._last.pop(alert, None)  # when it happens again, it is noted again
            log.warning("an alert could not be written down: %s, %s", alert.code, type(error).__name__)

    async def changes(self, reports: Iterable[PoolReport] | None) -> Sequence[Change]:
        """What was raised and what is over, to be told and then `settled`. `reports`: None where pools were not looked
        at. Raises MaskingUnavailable."""
        there = None if reports is None else set(of_pools(reports))
        return await self._ledger.write(lambda db: _changes(db, there, self._ledger.clock()))

    async def settled(self, change: Change) -> None:
        """It was told. Raises MaskingUnavailable."""
        await self._ledger.write(lambda db: _settle(db, change, self._ledger.clock()))

    async def list(self) -> tuple[Alert, ...]:
        """What is so now, as far as it was noticed. Raises MaskingUnavailable."""
        query = select(alerts.c.code, alerts.c.what).order_by(alerts.c.code, alerts.c.what)
        return await self._ledger.read(lambda db: tuple(Alert(code=row[0], what=row[1]) for row in db.execute(query)))


def of_pools(reports: Iterable[PoolReport]) -> Iterable[Alert]:
    """What pools are short of."""
    for report in reports:
        where = f"{report.side} {report.country}"
        if report.active and report.busiest >= NEARLY_FULL * report.active:
            yield Alert(code="nearly_full", what=where)
        if report.runs_out is not None and report.runs_out < SOON:
            yield Alert(code="runs_out", what=where)


def _changes(db: Connection, there: set[Alert] | None, now: float) -> list[Change]:
    if there is not None:
        _see(db, there | _drained(db, now), now)
    found = []
    for row in db.execute(select(alerts).order_by(alerts.c.code, alerts.c.what)):
        alert = Alert(code=row.code, what=row.what)
        happens = row.code not in CONDITIONS
        over = not now - QUIET < row.seen <= now if happens else there is not None and row.seen != now
        if row.since == UNTOLD:
            found.append(Change(alert=alert, raised=True))
        elif over:
            found.append(Change(alert=alert, raised=False))
    return found


def _drained(db: Connection, now: float) -> set[Alert]:
    """Numbers on their way out that nothing holds any more: they may be removed."""
    leaving = (NumberState.DRAINING, NumberState.QUARANTINED)
    held = exists().where(routes.c.virtual == numbers.c.id, routes.c.gone > now)
    query = select(numbers.c.number).where(numbers.c.state.in_(leaving), ~held)
    return {Alert(code="drained", what=row.number) for row in db.execute(query)}


def _see(db: Connection, found: Iterable[Alert], now: float) -> None:
    for alert in found:
        at = (alerts.c.code == alert.code) & (alerts.c.what == alert.what)
        if not db.execute(update(alerts).where(at).values(seen=now)).rowcount:
            db.execute(insert(alerts).values(code=alert.code, what=alert.what, since=UNTOLD, seen=now))


def _settle(db: Connection, change: Change, now: float) -> None:
    at = (alerts.c.code == change.alert.code) & (alerts.c.what == change.alert.what)
    if change.raised:
        db.execute(update(alerts).where(at).values(since=now))
    else:
        db.execute(delete(alerts).where(at))
