"""Calls in progress in SQL: who has them, and whose callers must be rung back."""

from collections.abc import Collection
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from records.port import Lifeline
from records.schema import lifelines
from records.store import Store


class SqlLifelines:
    """Lifelines over SQLite or PostgreSQL, in the journal's database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def hold(self, line: Lifeline, instead_of: str = "") -> None:
        """Write a call down. Raises JournalUnavailable."""
        await self._store.write(lambda db: _hold(db, line, instead_of))

    async def release(self, call: str) -> None:
        """Forget a call. Raises JournalUnavailable."""
        await self._store.write(lambda db: db.execute(delete(lifelines).where(lifelines.c.call == call)).rowcount)

    async def lost(self, living: Collection[str]) -> tuple[Lifeline, ...]:
        """Calls without a living keeper. Raises JournalUnavailable."""
        query = _by_urgency(select(lifelines).where(lifelines.c.keeper.not_in(list(living))))
        rows = await self._store.read(lambda db: db.execute(query).mappings().all())
        return tuple(Lifeline(**row) for row in rows)

    async def claim(self, line: Lifeline, *, keeper: str, tries: int) -> Lifeline | None:
        """Become the keeper of a cut call: compare and set. Raises JournalUnavailable."""
        same = (
            lifelines.c.call == line.call,
            lifelines.c.keeper == line.keeper,
            lifelines.c.tries == line.tries,
        )
        change = update(lifelines).where(*same).values(keeper=keeper, tries=tries, cut=True)
        won = await self._store.write(lambda db: db.execute(change).rowcount)
        return replace(line, keeper=keeper, tries=tries, cut=True) if won else None

    async def returned(self, party: str) -> Lifeline | None:
        """Take the cut call of a caller who is here again. Raises JournalUnavailable."""
        cut = _by_urgency(select(lifelines).where(lifelines.c.party == party, lifelines.c.cut.is_(True)))
        if not await self._store.read(lambda db: db.execute(cut.limit(1)).first()):
            return None  # nearly always: no write lock for it
        return await self._store.write(lambda db: _take(db, cut, party))


def _by_urgency(query: "Select[Any]") -> "Select[Any]":
    at, call = lifelines.c.at, lifelines.c.call
    return query.order_by(lifelines.c.urgency.desc(), lifelines.c.human.desc(), at, call)


def _hold(db: Connection, line: Lifeline, instead_of: str) -> None:
    row = asdict(line)
    if db.execute(update(lifelines).where(lifelines.c.call == line.call).values(row)).rowcount == 0:
        db.execute(insert(lifelines).values(row))
    if instead_of:
        db.execute(delete(lifelines).where(lifelines.c.call == instead_of))


def _take(db: Connection, cut: "Select[Any]", party: str) -> Lifeline | None:
    """All cut calls of the party go: one person is called back once."""
    row = db.execute(cut.limit(1)).mappings().first()
    db.execute(delete(lifelines).where(lifelines.c.party == party, lifelines.c.cut.is_(True)))
    return Lifeline(**row) if row else None
