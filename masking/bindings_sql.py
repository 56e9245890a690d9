"""Bindings in SQL."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from masking.binding import bind, ended, renewed, route_times, shown
from masking.book import Book, Code, Kept, Line, Route
from masking.codes import Codes
from masking.ledger import Ledger
from masking.parties import binding_id, binding_name, new_binding
from masking.port import Alert, Binding, MaskingRefused, MaskingUnavailable, Wanted, Wrong
from masking.rows import kept_of, kept_row, lines, route_row, ways_of
from masking.schema import bindings, numbers, routes
from masking.wishes import callers, check, coded, fingerprint

TOGETHER = 256
"""Bindings made in one transaction: when many come at once, they share one wait for the disk."""
MOST_LISTED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A binding that waits to be made."""

    wanted: Wanted
    """What for."""
    id: int
    """Its id, if it is new."""
    code: Code | None
    """Its code, if it has one."""
    done: "Future[Binding]"
    """To be told."""


class SqlBindings:
    """Bindings over SQLite or PostgreSQL."""

    def __init__(self, ledger: Ledger, codes: Codes, alert: Callable[[Alert], None] = lambda alert: None) -> None:
        """`alert` is called in the writer's thread."""
        self._ledger = ledger
        self._codes = codes
        self._alert = alert
        self._waiting: deque[Asked] = deque()

    async def create(self, wanted: Wanted) -> Binding:
        """A new one, or the one that the same key made. Raises MaskingRefused, MaskingUnavailable."""
        check(wanted)
        id = new_binding()
        code = self._codes.make(id) if coded(wanted) else None
        asked = Asked(wanted=wanted, id=id, code=code, done=Future())
        self._waiting.append(asked)
        return await self._ledger.in_turn(self._make_waiting, asked.done)

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
        return await self._ledger.read(lambda db: self._shown(find(db, id, owner), _by_id(db)))

    async def list(self, owner: str, *, party: str = "", limit: int = 100) -> tuple[Binding, ...]:
        """The owner's newest. Raises MaskingUnavailable."""
        query = select(bindings).where(bindings.c.owner == owner)
        if party:
            query = query.where(or_(bindings.c.doctor == party, bindings.c.patient == party))
        newest = query.order_by(bindings.c.created.desc(), bindings.c.id).limit(max(1, min(limit, MOST_LISTED)))

        def work(db: Connection) -> tuple[Binding, ...]:
            known = _by_id(db)
            return tuple(self._shown(kept_of(row), known) for row in db.execute(newest))

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
        return self._shown(kept, _by_id(db))

    def _make_waiting(self) -> None:
        """Everything that waits by now, in one transaction; the writer's thread calls it once for each that came."""
        batch = [self._waiting.popleft() for _ in range(min(TOGETHER, len(self._waiting)))]
        if batch:
            self._make_now(batch)

    def _make_now(self, batch: Sequence[Asked]) -> None:
        try:
            made = self._ledger.transaction(lambda db: self._make(db, batch))
        except Exception as error:  # noqa: BLE001 - those who wait are told, whatever it was
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
        now = self._ledger.clock()
        book = _book(db, batch)
        before = {caller: dict(known) for caller, known in book.routes.items()}
        made: deque[Binding | Exception] = deque()
        new: deque[Kept] = deque()
        ways: dict[tuple[str, int], Route] = {}
        used: dict[int, float] = {}
        for place, asked in enumerate(batch):
            try:
                kept, paths = _decide(book, asked, now)
            except MaskingRefused as refused:
                if refused.code == Wrong.NO_CAPACITY:
                    self._alert(Alert(code="no_capacity", what=f"{refused.field} {asked.wanted.country}".strip()))
                made.append(refused)
                continue
            if paths:
                book.take(kept, paths)
                new.append(kept)
                ways |= {(route.caller, route.virtual): route for route in paths}
                # Bindings of one moment still have an order: the numbers go round.
                used |= {line: now + place * 1e-6 for line in (kept.patient_line, kept.doctor_line) if line is not None}
            made.append(self._shown(kept, book.lines))
        _write(db, new, ways, [key for key in ways if key[1] in before.get(key[0], {})], used)
        return made


def find(db: Connection, id: str, owner: str) -> Kept:
    """A binding of the owner; what is another's takes as long as what is none. Raises MaskingRefused."""
    row = db.execute(select(bindings).where(bindings.c.id == binding_id(id))).first()
    if row is None or row.owner != owner:
        raise MaskingRefused(Wrong.NOT_FOUND, "id", "there is no such binding")
    return kept_of(row)


def _by_id(db: Connection) -> dict[int, Line]:
    return {line.id: line for line in lines(db)}


def _decide(book: Book, asked: Asked, now: float) -> tuple[Kept, tuple[Route, ...]]:
    """A new binding, or the one that the key made before, without routes."""
    earlier = book.keyed.get((asked.wanted.owner, asked.wanted.key)) if asked.wanted.key else None
    if earlier is None:
        return bind(book, asked.wanted, id=asked.id, now=now, code=asked.code)
    if earlier.asked != fingerprint(asked.wanted):
        raise MaskingRefused(Wrong.KEY_REUSED, "key", "this idempotency key was used for another request")
    return earlier, ()


def _book(db: Connection, batch: Sequence[Asked]) -> Book:
    """All that the batch needs to see."""
    who = set().union(*(callers(asked.wanted, asked.code) for asked in batch))
    book = Book.of(lines(db), ways_of(db, who))
    keys = {(asked.wanted.owner, asked.wanted.key) for asked in batch if asked.wanted.key}
    if keys:
        for row in db.execute(select(bindings).where(tuple_(bindings.c.owner, bindings.c.key).in_(keys))):
            book.keyed[row.owner, row.key] = kept_of(row)
    if any(asked.code for asked in batch):
        count = select(routes.c.virtual, func.count()).where(routes.c.coded).group_by(routes.c.virtual)
        book.codes.update({row[0]: row[1] for row in db.execute(count)})
    return book


def _write(
    db: Connection,
    new: Sequence[Kept],
    ways: dict[tuple[str, int], Route],
    replaced: Sequence[tuple[str, int]],
    used: dict[int, float],
) -> None:
    """Bindings, routes with their rests, and use of numbers."""
    if not new:
        return
    db.execute(insert(bindings), [kept_row(kept) for kept in new])
    if replaced:
        one = delete(routes).where(routes.c.caller == bindparam("who"), routes.c.virtual == bindparam("where"))
        db.execute(one, [{"who": caller, "where": virtual} for caller, virtual in replaced])
    db.execute(insert(routes), [route_row(route) for route in ways.values()])
    touch = update(numbers).where(numbers.c.id == bindparam("line")).values(used=bindparam("at"))
    db.execute(touch, [{"line": line, "at": at} for line, at in used.items()])


def _tell(batch: Sequence[Asked], made: Sequence[Binding | Exception]) -> None:
    for asked, answer in zip(batch, made, strict=True):
        if not asked.done.set_running_or_notify_cancel():
            continue  # whoever asked has gone; the binding is made all the same, and its key finds it
        if isinstance(answer, Exception):
            asked.done.set_exception(answer)
        else:
            asked.done.set_result(answer)
