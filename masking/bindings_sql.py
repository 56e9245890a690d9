"""Bindings in SQL."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from sqlalchemy import ColumnElement, Connection, and_, or_, select, update
from sqlalchemy.exc import IntegrityError

from masking.binding import ended, renewed, route_times, shown
from masking.book import Kept, Line
from masking.codes import Codes
from masking.ledger import Ledger
from masking.making import Asked, Maker
from masking.parties import binding_id, binding_name, new_binding
from masking.port import Alert, Binding, MaskingRefused, MaskingUnavailable, Wanted, Wrong
from masking.rows import kept_of, kept_row, line_of
from masking.schema import bindings, numbers, routes
from masking.wishes import check, coded

TOGETHER = 256
"""Bindings made in one transaction: when many come at once, they share one wait for the disk."""
MOST_LISTED = 1000


class SqlBindings:
    """Bindings over SQLite or PostgreSQL."""

    def __init__(self, ledger: Ledger, codes: Codes, alert: Callable[[Alert], None] = lambda alert: None) -> None:
        """`alert` is called in the writer's thread."""
        self._ledger = ledger
        self._codes = codes
        self._alert = alert
        self._waiting: deque[Asked] = deque()
        self._called = False
        self._maker = Maker()

    async def create(self, wanted: Wanted) -> Binding:
        """A new one, or the one that the same key made. Raises MaskingRefused, MaskingUnavailable."""
        check(wanted)
        id = new_binding()
        code = self._codes.make(id) if coded(wanted) else None
        asked = Asked(wanted=wanted, id=id, code=code, done=asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        if not self._called:
            self._called = True
            self._ledger.soon(self._make_waiting)
        return await self._ledger.told(asked.done)

    async def renew(self, id: str, owner: str, life: float | None) -> Binding:
        """Live until `life` seconds from now. Raises MaskingRefused, MaskingUnavailable."""
        return await self._ledger.write(
            lambda db: self._change(db, id, owner, lambda kept: renewed(kept, life, self._ledger.clock()))
        )

    async def close(self, id: str, owner: str, *, kill: bool = False) -> Binding:
        """No new calls from now on. Raises MaskingRefused, MaskingUnavailable."""
        return await self._ledger.write(
            lambda db: self._change(db, id, owner, lambda kept: ended(kept, self._ledger.clock(), kill=kill))
        )

    async def get(self, id: str, owner: str) -> Binding:
        """One of the owner's. Raises MaskingRefused, MaskingUnavailable."""

        def work(db: Connection) -> Binding:
            kept = find(db, id, owner)
            return self._shown(kept, lines_of(db, kept))

        return await self._ledger.read(work)

    async def list(self, owner: str, *, party: str = "", limit: int = 100, after: str = "") -> tuple[Binding, ...]:
        """The owner's newest. Raises MaskingRefused, MaskingUnavailable."""
        query = select(bindings).where(bindings.c.owner == owner)
        if party:
            query = query.where(or_(bindings.c.doctor == party, bindings.c.patient == party))
        newest = query.order_by(bindings.c.created.desc(), bindings.c.id).limit(max(1, min(limit, MOST_LISTED)))

        def work(db: Connection) -> tuple[Binding, ...]:
            page = newest.where(_older(find(db, after, owner))) if after else newest
            found = [kept_of(row) for row in db.execute(page)]
            known = lines_of(db, *found)
            return tuple(self._shown(kept, known) for kept in found)

        return await self._ledger.read(work)

    def _shown(self, kept: Kept, known: dict[int, Line]) -> Binding:
        try:
            code = self._codes.open(kept.code, kept.id)
        except ValueError:
            raise MaskingUnavailable("a code was changed or belongs to other keys") from None
        return shown(kept, binding_name(kept.id), code, known)

    def _change(self, db: Connection, id: str, owner: str, change: Callable[[Kept], Kept]) -> Binding:
        kept = change(find(db, id, owner))
        row = kept_row(kept)
        db.execute(update(bindings).where(bindings.c.id == kept.id).values(row))
        live, gone = route_times(kept)
        db.execute(update(routes).where(routes.c.binding == kept.id).values(live=live, gone=gone))
        return self._shown(kept, lines_of(db, kept))

    def _make_waiting(self) -> None:
        """Everything that waits, in few transactions; in the writer's thread."""
        self._called = False  # before the first look: whoever comes after the last one calls again
        while batch := [self._waiting.popleft() for _ in range(min(TOGETHER, len(self._waiting)))]:
            self._make_now(batch)

    def _make_now(self, batch: Sequence[Asked]) -> None:
        try:
            made = self._ledger.transaction(lambda db: self._make(db, batch))
        except Exception as error:  # noqa: BLE001 - those who wait are told, whatever it was
            self._maker.forget()
            self._one_by_one(batch, error)
            return
        _tell(batch, made)

    def _one_by_one(self, batch: Sequence[Asked], error: Exception) -> None:
        """One bad row must not cost the others their binding. A broken unique key is a conflict, never a second try."""
        if len(batch) > 1:
            for asked in batch:
                self._make_now((asked,))
            return
        if isinstance(error, IntegrityError):
            error = MaskingRefused(Wrong.CONFLICT, "id", "another binding took these numbers at the same moment")
        _tell(batch, [error])

    def _make(self, db: Connection, batch: Sequence[Asked]) -> Sequence[Binding | Exception]:
        answers = self._maker.make(db, batch, self._ledger.clock())
        for asked, answer in zip(batch, answers, strict=True):
            if isinstance(answer, MaskingRefused) and answer.code == Wrong.NO_CAPACITY:
                self._alert(Alert(code="no_capacity", what=f"{answer.field} {asked.wanted.country}".strip()))
        known = self._maker.lines
        return [self._shown(answer, known) if isinstance(answer, Kept) else answer for answer in answers]


def find(db: Connection, id: str, owner: str) -> Kept:
    """A binding of the owner; what is another's takes as long as what is none. Raises MaskingRefused."""
    row = db.execute(select(bindings).where(bindings.c.id == binding_id(id))).first()
    if row is None or row.owner != owner:
        raise MaskingRefused(Wrong.NOT_FOUND, "id", "there is no such binding")
    return kept_of(row)


def _older(last: Kept) -> ColumnElement[bool]:
    """Those behind it in a list."""
    same = and_(bindings.c.created == last.created, bindings.c.id > last.id)
    return or_(bindings.c.created < last.created, same)


def lines_of(db: Connection, *some: Kept) -> dict[int, Line]:
    """The numbers of bindings, by id."""
    ids = {id for kept in some for id in (kept.patient_line, kept.doctor_line)}
    return {row.id: line_of(row) for row in db.execute(select(numbers).where(numbers.c.id.in_(ids - {None})))}


def _tell(batch: Sequence[Asked], made: Sequence[Binding | Exception]) -> None:
    """Wakes each loop once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Binding], Binding | Exception]]] = {}
    for asked, answer in zip(batch, made, strict=True):
        by_loop.setdefault(asked.done.get_loop(), []).append((asked.done, answer))
    for loop, answers in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_deliver, answers)


def _deliver(answers: Sequence[tuple["asyncio.Future[Binding]", Binding | Exception]]) -> None:
    for done, answer in answers:
        if done.done():
            continue  # whoever asked has gone; the binding is made all the same, and its key finds it
        if isinstance(answer, Exception):
            done.set_exception(answer)
        else:
            done.set_result(answer)
