"""Click-to-calls in SQL: asked for by one process, carried out by another."""

from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from masking.clicks import KEPT_SECONDS, OVER, WAIT_SECONDS, further, seen
from masking.ledger import Ledger
from masking.parties import random_id
from masking.port import Exchange, LegEnd, MaskingRefused, Wish, WishState, Wrong
from masking.schema import clicks

LONGEST_KEY = 128


class SqlWishes:
    """Wishes over SQLite or PostgreSQL."""

    def __init__(self, ledger: Ledger, exchange: Exchange) -> None:
        """`exchange`: says whether a binding can be called."""
        self._ledger, self._exchange = ledger, exchange

    async def ask(self, binding: str, owner: str, *, key: str = "") -> Wish:
        """Durable on return; the same key gives the same wish. Raises MaskingRefused (NOT_FOUND, ENDED, FIELD,
        KEY_REUSED), MaskingUnavailable."""
        if len(key) > LONGEST_KEY:
            raise MaskingRefused(Wrong.FIELD, "key", f"an idempotency key has at most {LONGEST_KEY} characters")
        known = await self._ledger.read(lambda db: self._known(db, binding, owner, key))
        if known is not None:
            return known
        await self._exchange.click(binding, owner)
        return await self._ledger.write(lambda db: self._ask(db, binding, owner, key))

    async def take(self, taker: str) -> Wish | None:
        """The oldest that waits, for one taker. Raises MaskingUnavailable."""
        if await self._ledger.read(lambda db: _oldest(db, self._ledger.clock())) is None:
            return None  # writers wait for each other, so nobody writes without a reason
        return await self._ledger.write(lambda db: self._take(db, taker))

    async def note(self, id: str, state: WishState, end: LegEnd | None = None) -> None:
        """Where it stands; an earlier state is a sign of life. Raises MaskingUnavailable."""
        await self._ledger.write(lambda db: self._note(db, id, state, end))

    async def forsaken(self, takers: frozenset[str]) -> int:
        """What dead takers were carrying out has failed; how many. Raises MaskingUnavailable."""
        theirs = clicks.c.taker.in_([one[:64] for one in takers])
        tended = clicks.c.state.not_in([WishState.WAITING.value, *(one.value for one in OVER)])
        failed = {"state": WishState.FAILED.value, "end": LegEnd.FAILED.value}
        return await self._ledger.write(
            lambda db: db.execute(update(clicks).where(theirs, tended).values(**failed)).rowcount
        )

    async def get(self, id: str, owner: str) -> Wish:
        """One of the owner's. Raises MaskingRefused, MaskingUnavailable."""
        query = select(clicks).where(clicks.c.id == id, clicks.c.owner == owner)
        row = await self._ledger.read(lambda db: db.execute(query).first())
        if row is None:
            raise MaskingRefused(Wrong.NOT_FOUND, "id", "there is no such wish")
        return self._wish(row)

    def _ask(self, db: Connection, binding: str, owner: str, key: str) -> Wish:
        now = self._ledger.clock()
        known = self._known(db, binding, owner, key)
        if known is not None:
            return known
        db.execute(delete(clicks).where(clicks.c.at < now - KEPT_SECONDS))
        wish = Wish(id=random_id("wish"), binding=binding, owner=owner, state=WishState.WAITING, at=now)
        row = {"id": wish.id, "binding": binding, "owner": owner, "key": key or None, "state": wish.state.value}
        db.execute(insert(clicks).values(**row, end=None, at=now, beat=now, taker=""))
        return wish

    def _known(self, db: Connection, binding: str, owner: str, key: str) -> Wish | None:
        if not key:
            return None
        row = db.execute(select(clicks).where(clicks.c.owner == owner, clicks.c.key == key)).first()
        if row is not None and row.binding != binding:
            raise MaskingRefused(Wrong.KEY_REUSED, "key", "this idempotency key was used for another request")
        return self._wish(row) if row is not None else None

    def _take(self, db: Connection, taker: str) -> Wish | None:
        now = self._ledger.clock()
        row = _oldest(db, now)
        if row is None:
            return None
        taken = {"state": WishState.TAKEN.value, "taker": taker[:64], "beat": now}
        db.execute(update(clicks).where(clicks.c.id == row.id).values(**taken))
        return Wish(id=row.id, binding=row.binding, owner=row.owner, state=WishState.TAKEN, at=row.at)

    def _note(self, db: Connection, id: str, state: WishState, end: LegEnd | None) -> None:
        row = db.execute(select(clicks.c.state).where(clicks.c.id == id)).first()
        if row is None or WishState(row.state) in OVER:
            return
        values: dict[str, Any] = {
            "state": further(WishState(row.state), state).value, "end": end.value if end else None,
            "beat": self._ledger.clock(),
        }  # fmt: skip
        db.execute(update(clicks).where(clicks.c.id == id).values(**values))

    def _wish(self, row: Row[Any]) -> Wish:
        wish = Wish(
            id=row.id, binding=row.binding, owner=row.owner, state=WishState(row.state), at=row.at,
            end=LegEnd(row.end) if row.end else None,
        )  # fmt: skip
        return seen(wish, row.beat, self._ledger.clock())


def _oldest(db: Connection, now: float) -> Row[Any] | None:
    fresh = (clicks.c.state == WishState.WAITING.value) & (clicks.c.at >= now - WAIT_SECONDS)
    return db.execute(select(clicks).where(fresh).order_by(clicks.c.at, clicks.c.id).limit(1)).first()
