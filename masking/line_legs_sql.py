"""Legs in progress on our own lines, in SQL. The diary forgets a leg in the transaction that writes its record."""

from dataclasses import asdict, fields

from sqlalchemy import Connection, delete, insert, select

from masking.ledger import Ledger
from masking.port import LineLeg
from masking.schema import cdrs, line_legs

_LEG = tuple(field.name for field in fields(LineLeg))


class SqlLineLegs:
    """LineLegs over SQLite or PostgreSQL."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def hold(self, legs: tuple[LineLeg, ...]) -> None:
        """As the port says; a leg whose record is written stays ended. Raises MaskingUnavailable."""
        await self._ledger.write(lambda db: _hold(db, legs, self._ledger.clock()))

    async def held(self) -> tuple[LineLeg, ...]:
        """All of them, by call. Raises MaskingUnavailable."""
        query = select(line_legs).order_by(line_legs.c.call, line_legs.c.leg)

        def work(db: Connection) -> tuple[LineLeg, ...]:
            return tuple(LineLeg(**{name: row._mapping[name] for name in _LEG}) for row in db.execute(query))

        return await self._ledger.read(work)


def _hold(db: Connection, legs: tuple[LineLeg, ...], now: float) -> None:
    calls = {one.call for one in legs}
    over = {(row.call, row.leg) for row in db.execute(select(cdrs.c.call, cdrs.c.leg).where(cdrs.c.call.in_(calls)))}
    rows = [asdict(one) | {"seen": now} for one in legs if (one.call, one.leg) not in over]
    db.execute(delete(line_legs).where(line_legs.c.call.in_(calls)))
    if rows:
        db.execute(insert(line_legs), rows)
