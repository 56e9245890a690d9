"""What must be done for all, again and again, by one process at a time: old bindings are forgotten, operators are told
what happens to numbers."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from sqlalchemy import Connection, insert, select, update

from masking.alerts_sql import Change, SqlAlerts
from masking.ledger import Ledger
from masking.port import Diary, Event, Exchange, Happened, MaskingUnavailable, Numbers
from masking.schema import duties

log = logging.getLogger(__name__)

DUTY = "care"
EVERY = 60.0
"""Seconds between two rounds."""
LOOKED_AFTER = 10
"""Rounds between two looks at how full the pools are: with millions of bindings that takes seconds."""


class Caretaker:
    """Runs in every process; the rounds are made by whichever has the duty. One that dies loses it after two rounds."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        exchange: Exchange,
        numbers: Numbers,
        alerts: SqlAlerts,
        diary: Diary,
        clock: Callable[[], float],
        taker: str,
        ends: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        """`clock`: seconds since the epoch. `taker`: this process among its like. `ends` tells which bindings have
        ended, before any is forgotten."""
        self._ledger = ledger
        self._exchange = exchange
        self._numbers = numbers
        self._alerts = alerts
        self._diary = diary
        self._clock = clock
        self._taker = taker
        self._ends = ends
        self._rounds = 0

    async def run(self) -> None:
        """Until it is cancelled; what fails is told and tried again."""
        while True:
            try:
                await self.once()
            except MaskingUnavailable as error:
                log.warning("a round of masking was left out: %s", error)
            await asyncio.sleep(EVERY)

    async def once(self) -> bool:
        """One round, if the duty is ours; whether it was. Raises MaskingUnavailable."""
        if not await self._ledger.write(self._take):
            return False
        if self._ends is not None:
            await self._ends()
        if forgotten := await self._exchange.sweep():
            log.info("%d bindings had ended and rested, and were forgotten", forgotten)
        reports = None if self._rounds % LOOKED_AFTER else await self._numbers.report()
        self._rounds += 1
        for change in await self._alerts.changes(reports):
            # Told first: after a crash in between it is told twice rather than never.
            await self._diary.tell(self._event(change))
            await self._alerts.settled(change)
            log.warning("numbers: %s of %s %s", *_said(change))
        return True

    def _take(self, db: Connection) -> bool:
        """Whether the duty is ours, for two more rounds."""
        now = self._clock()
        row = db.execute(select(duties).where(duties.c.name == DUTY)).first()
        # An end further away than we ever set it comes from a clock that was set back.
        if row is not None and row.taker != self._taker and now < row.until <= now + 2 * EVERY:
            return False
        values = {"taker": self._taker, "until": now + 2 * EVERY}
        if row is None:
            db.execute(insert(duties).values(name=DUTY, **values))
        else:
            db.execute(update(duties).where(duties.c.name == DUTY).values(values))
        return True

    def _event(self, change: Change) -> Event:
        data = {"why": change.alert.code, "what": change.alert.what, "state": "raised" if change.raised else "cleared"}
        return Event(kind=Happened.NUMBER_ALERT, owner="", binding="", at=self._clock(), data=data)


def _said(change: Change) -> tuple[str, str, str]:
    """For the log: pools by name; virtual numbers belong to nobody's privacy, but logs hold no numbers at all."""
    what = "a number" if change.alert.what.startswith("+") else change.alert.what
    return change.alert.code, what, "is so" if change.raised else "is over"
