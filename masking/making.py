"""Many bindings in one transaction: what has to be known is read in a few statements, decided in memory, and written in
a few."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select, tuple_

from masking.binding import Hints, bind
from masking.book import Book, Code, Kept, Line, Route, Unseen
from masking.choice import look
from masking.port import Binding, Kind, MaskingRefused, Side, Wanted, Wrong
from masking.quick_rows import QuickRows, Seen, quick_rows
from masking.rows import kept_of, lines
from masking.schema import bindings, pool, routes
from masking.wishes import fingerprint

ROUNDS = (2, 8, 64, 0)
"""Candidates looked at for each binding, until one is free; beyond that, one binding asks by itself."""
USE_NOTED = 60.0
"""Seconds: a number's last use is written down if it is newer than that by so much. It orders numbers after a restart;
until then the order is kept in memory."""
COUNTED = 10.0
"""Seconds for which the numbers of codes are believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A binding that waits to be made."""

    wanted: Wanted
    """What for."""
    id: int
    """Its id, if it is new."""
    code: Code | None
    """Its code, if it has one."""
    done: "asyncio.Future[Binding]"
    """To be told, in its own loop."""


@dataclass(slots=True)
class Draft:
    """What one transaction will write."""

    kept: list[Kept] = field(default_factory=list)
    ways: dict[tuple[str, int], Route] = field(default_factory=dict)
    used: dict[int, float] = field(default_factory=dict)
    stored: dict[tuple[str, int], Seen] = field(default_factory=dict)
    """Routes that are in the table."""


class Maker:
    """Makes bindings; belongs to one writer's thread. Between transactions it remembers the numbers alone, as long as
    their version is the same."""

    def __init__(self) -> None:
        self._book = Book()
        self._version: int | None = None
        self._noted: dict[int, float] = {}
        self._counted: float | None = None

    @property
    def lines(self) -> dict[int, Line]:
        """Numbers by id, as of the last transaction."""
        return self._book.lines

    def forget(self) -> None:
        """After a transaction that failed: nothing that it noted is to be believed."""
        self._version = None

    def make(self, db: Connection, batch: Sequence[Asked], now: float) -> list[Kept | MaskingRefused]:
        """The binding or the refusal of each; written, not committed."""
        quick, draft = quick_rows(db), Draft()
        hints = self._read(db, quick, batch, now, draft)
        answers: list[Kept | MaskingRefused] = []
        for place, asked in enumerate(batch):
            try:
                answers.append(self._one(db, quick, asked, now + place * 1e-6, draft, hints[place]))
            except MaskingRefused as refused:
                answers.append(refused)
        if draft.kept:
            old = [draft.stored[key] for key in draft.ways if key in draft.stored]
            quick.replace(db, old, draft.kept, tuple(draft.ways.values()))
            self._note_use(db, quick, draft)
        return answers

    def _one(self, db: Connection, quick: QuickRows, asked: Asked, now: float, draft: Draft, hints: Hints) -> Kept:
        """`now`: bindings of one moment still have an order: the numbers go round."""
        wanted, book = asked.wanted, self._book
        earlier = book.keyed.get((wanted.owner, wanted.key)) if wanted.key else None
        if earlier is not None:
            if earlier.asked != fingerprint(wanted):
                raise MaskingRefused(Wrong.KEY_REUSED, "key", "this idempotency key was used for another request")
            return earlier
        while True:
            try:
                kept, ways = bind(book, wanted, id=asked.id, now=now, code=asked.code, hints=hints)
                break
            except Unseen as more:
                self._see(db, quick, more.keys, draft, now)
        book.take(kept, ways)
        draft.kept.append(kept)
        draft.ways |= {(route.caller, route.virtual): route for route in ways}
        draft.used |= {line: now for line in (kept.patient_line, kept.doctor_line) if line is not None}
        return kept

    def _read(self, db: Connection, quick: QuickRows, batch: Sequence[Asked], now: float, draft: Draft) -> list[Hints]:
        """What the whole batch needs to know; numbers that each may take."""
        self._fresh_pool(db)
        book = self._book
        book.forget()
        keyed = {(asked.wanted.owner, asked.wanted.key) for asked in batch if asked.wanted.key}
        if keyed:
            for row in db.execute(select(bindings).where(tuple_(bindings.c.owner, bindings.c.key).in_(keyed))):
                book.keyed[row.owner, row.key] = kept_of(row)
        if any(asked.code for asked in batch):
            self._count_codes(db)
        for pair in quick.numbers_of(db, {(asked.wanted.doctor, asked.wanted.patient) for asked in batch}):
            book.earlier.setdefault((pair.doctor, pair.patient), []).append((pair.patient_line, pair.doctor_line))
        hints: list[Hints] = [(None, None)] * len(batch)
        asking = list(enumerate(batch))
        for most in ROUNDS:
            keys: set[tuple[str, int]] = set()
            for place, asked in asking:
                hints[place], more = self._look(asked, now, place, most)
                keys |= more
            if not keys:
                break
            asking = [(place, asked) for place, asked in asking if None in hints[place]]
            self._see(db, quick, keys, draft, now)
        return hints

    def _look(self, asked: Asked, now: float, place: int, most: int) -> tuple[Hints, set[tuple[str, int]]]:
        def one(side: Side) -> tuple[Line | None, set[tuple[str, int]]]:
            return look(self._book, asked.wanted, side, asked.code, now, skip=place, most=most)

        try:
            patients, keys = one(Side.PATIENT)
            if asked.wanted.kind not in {Kind.PAIR, Kind.CODE}:
                return (patients, None), keys
            doctors, more = one(Side.DOCTOR)
            return (patients, doctors), keys | more
        except MaskingRefused:
            return (None, None), set()  # it will be told when its turn comes

    def _see(self, db: Connection, quick: QuickRows, keys: set[tuple[str, int]], draft: Draft, now: float) -> None:
        self._book.ways.update(dict.fromkeys(keys))
        for route in quick.routes_at(db, keys):
            key = (route.caller, route.virtual)
            self._book.ways[key] = draft.stored[key] = route
        doctors = self._book.order[Side.DOCTOR]
        if theirs := {key for key in keys if key[1] in doctors}:
            self._book.cases.update(quick.cases_at(db, theirs, now))

    def _fresh_pool(self, db: Connection) -> None:
        version = db.execute(select(pool.c.version)).scalar() or 0
        if version != self._version:
            self._book = Book.of(lines(db))
            self._noted = {line.id: line.used for line in self._book.lines.values()}
            self._counted = None
            self._version = version

    def _note_use(self, db: Connection, quick: QuickRows, draft: Draft) -> None:
        when = [(line, at) for line, at in draft.used.items() if abs(at - self._noted[line]) >= USE_NOTED]
        if when:
            quick.used(db, when)
            self._noted |= dict(when)

    def _count_codes(self, db: Connection) -> None:
        """Codes on each number. A few too many that other processes add meanwhile do no harm: the limit is a thousandth
        of what would."""
        now = time.monotonic()
        if self._counted is not None and now - self._counted < COUNTED:
            return
        count = select(routes.c.virtual, func.count()).where(routes.c.coded).group_by(routes.c.virtual)
        self._book.codes.clear()
        self._book.codes.update({row[0]: row[1] for row in db.execute(count)})
        self._counted = now
