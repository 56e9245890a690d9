"""Promised callbacks in SQL."""

from sqlalchemy import Connection, insert, select, update

from records.port import Callback
from records.schema import callbacks
from records.store import Store


class SqlCallbacks:
    """Callbacks over SQLite or PostgreSQL, in the journal's database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def promise(self, callback: Callback) -> None:
        """Write it down, durably; the same id twice is one promise. Raises JournalUnavailable."""
        await self._store.write(lambda db: _promise(db, callback))

    async def open(self) -> tuple[Callback, ...]:
        """Those not done, most urgent first, then oldest. Raises JournalUnavailable."""
        query = select(callbacks).where(callbacks.c.done.is_(False))
        order = query.order_by(callbacks.c.urgency.desc(), callbacks.c.at, callbacks.c.id)
        rows = await self._store.read(lambda db: db.execute(order).mappings().all())
        return tuple(Callback(**row) for row in rows)

    async def done(self, id: str) -> None:
        """Mark as called. Raises KeyError, JournalUnavailable."""
        change = update(callbacks).where(callbacks.c.id == id).values(done=True)
        if await self._store.write(lambda db: db.execute(change).rowcount) == 0:
            raise KeyError("no such callback")


def _promise(db: Connection, callback: Callback) -> None:
    if db.execute(select(callbacks.c.id).where(callbacks.c.id == callback.id)).first() is None:
        row = {name: getattr(callback, name) for name in ("id", "call", "party", "urgency", "at", "done")}
        db.execute(insert(callbacks).values(row))
