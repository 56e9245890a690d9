"""Calls in progress at a carrier, in SQL."""

from typing import Any

from sqlalchemy import Connection, Row, delete, exists, insert, select, update

from masking.ledger import Ledger
from masking.live import Live, Seen
from masking.parties import binding_id, binding_name
from masking.schema import bindings, live_calls


class SqlLiveCalls:
    """LiveCalls over SQLite or PostgreSQL."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def begin(self, one: Live) -> None:
        """As the protocol says; what must be over by now is forgotten."""

        def work(db: Connection) -> None:
            old = live_calls.c.until < self._ledger.clock()
            db.execute(delete(live_calls).where(old | (live_calls.c.call == one.call)))
            row = {name: getattr(one, name) for name in ("call", "reference", "facts", "until", "answered")}
            db.execute(insert(live_calls).values(**row, binding=binding_id(one.binding), cut=False))

        await self._ledger.write(work)

    async def answered(self, call: str) -> None:
        """As the protocol says."""
        await self._change(call, answered=self._ledger.clock())

    async def cutting(self, call: str) -> None:
        """As the protocol says."""
        await self._change(call, cut=True)

    async def over(self, call: str) -> bool:
        """As the protocol says."""

        def work(db: Connection) -> bool:
            cut = db.execute(select(live_calls.c.cut).where(live_calls.c.call == call)).scalar()
            db.execute(delete(live_calls).where(live_calls.c.call == call))
            return bool(cut)

        return await self._ledger.write(work)

    async def look(self) -> Seen:
        """As the protocol says."""
        fresh = live_calls.c.until >= self._ledger.clock()
        both = live_calls.join(bindings, bindings.c.id == live_calls.c.binding)
        killed = select(live_calls).select_from(both).where(fresh, bindings.c.killed)

        def work(db: Connection) -> Seen:
            if not db.execute(select(exists().where(fresh))).scalar():
                return Seen(busy=False, killed=())
            return Seen(busy=True, killed=tuple(_live(row) for row in db.execute(killed)))

        return await self._ledger.read(work)

    async def _change(self, call: str, **values: Any) -> None:
        await self._ledger.write(
            lambda db: db.execute(update(live_calls).where(live_calls.c.call == call).values(**values))
        )


def _live(row: Row[Any]) -> Live:
    return Live(
        call=row.call, reference=row.reference, binding=binding_name(row.binding), facts=row.facts, until=row.until,
        answered=row.answered,
    )  # fmt: skip
