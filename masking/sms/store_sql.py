"""Texts in SQL. Words are sealed, and gone once they were sent."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, exists, insert, or_, select, update

from masking.book import FOREVER
from masking.ledger import Ledger
from masking.port import Sealer
from masking.schema import text_marks, text_parts, text_stops, texts
from masking.sms.store import LEASE, ORDER, PARTS_WAIT, WHOLE_LIFE, Fate, Job, Outgoing, Part, Settled, State

OPEN = (State.WAITING, State.SENDING)
KEPT = ("id", "owner", "binding", "party", "shown", "sender", "number")


class SqlTexts:
    """Texts over SQLite or PostgreSQL."""

    def __init__(self, ledger: Ledger, sealer: Sealer) -> None:
        self._ledger = ledger
        self._sealer = sealer

    def mark(self, *what: str) -> str:
        """A keyed hash: a carrier's id may hold anything, also a number."""
        return self._sealer.tag("\0".join(what).encode(errors="replace"), b"text mark").hex()[:64]

    async def known(self, mark: str) -> bool:
        """Whether a text was settled. Raises MaskingUnavailable."""
        return await self._ledger.read(lambda db: _known(db, (mark,), self._ledger.clock()))

    async def gather(self, part: Part) -> tuple[str, ...]:
        """Keep a part. Raises MaskingUnavailable."""
        return await self._ledger.write(lambda db: self._gather(db, part))

    async def stale(self) -> tuple[Part, ...]:
        """Forget what waited too long. Raises MaskingUnavailable."""
        now = self._ledger.clock()
        parts = exists().where(text_parts.c.at < now - PARTS_WAIT)
        marks = exists().where(text_marks.c.until < now - WHOLE_LIFE)
        if not await self._ledger.read(lambda db: db.execute(select(or_(parts, marks))).scalar()):
            return ()
        return await self._ledger.write(self._stale)

    async def stopped(self, binding: str, party: str, other: str) -> bool:
        """Whether the party wants none. Raises MaskingUnavailable."""
        c = text_stops.c
        query = select(exists().where(c.binding == binding, c.party == party, c.other == other))
        return await self._ledger.read(lambda db: bool(db.execute(query).scalar()))

    async def settle(self, what: Settled) -> bool:
        """All or nothing. Raises MaskingUnavailable."""
        return await self._ledger.write(lambda db: self._settle(db, what))

    async def take(self) -> Job | None:
        """The oldest that is due. Raises MaskingUnavailable."""
        if await self._ledger.read(lambda db: db.execute(_due(self._ledger.clock())).first()) is None:
            return None
        return await self._ledger.write(self._take)

    async def note(self, id: str, fate: Fate, outs: tuple[Outgoing, ...] = ()) -> bool:
        """Forward only. Raises MaskingUnavailable."""
        return await self._ledger.write(lambda db: self._note(db, id, fate, outs))

    async def look(self, id: str) -> Job | None:
        """Without its words. Raises MaskingUnavailable."""
        row = await self._ledger.read(lambda db: db.execute(select(texts).where(texts.c.id == id)).first())
        return None if row is None else _job(row, "")

    def _gather(self, db: Connection, part: Part) -> tuple[str, ...]:
        now, c = self._ledger.clock(), text_parts.c
        if _known(db, (part.whole,), now):
            return ()
        there = {row.part: row for row in db.execute(select(text_parts).where(c.whole == part.whole))}
        if part.part not in there:
            row = {"whole": part.whole, "part": part.part, "parts": part.parts, "party": part.party, "at": now}
            sealed = self._sealer.seal(part.body.encode(), _context(part.whole, part.part))
            db.execute(insert(text_parts).values(**row, number=part.number, body=sealed))
        words = {number: self._words(row) for number, row in there.items()} | {part.part: part.body}
        return tuple(words[number] for number in sorted(words)) if len(words) == part.parts else ()

    def _stale(self, db: Connection) -> tuple[Part, ...]:
        now, c = self._ledger.clock(), text_parts.c
        old = sorted({row.whole for row in db.execute(select(c.whole).where(c.at < now - PARTS_WAIT).limit(200))})
        db.execute(delete(text_marks).where(text_marks.c.until < now))
        rows = db.execute(select(text_parts).where(c.whole.in_(old)).order_by(c.whole, c.part)).all()
        db.execute(delete(text_parts).where(c.whole.in_(old)))
        for whole in old:  # what comes now of them would only begin the waiting anew
            _mark(db, whole, now + WHOLE_LIFE)
        return tuple(
            Part(
                whole=row.whole, part=row.part, parts=row.parts, party=row.party, number=row.number,
                body=self._words(row),
            )
            for row in rows
        )  # fmt: skip

    def _words(self, row: Row[Any]) -> str:
        return self._sealer.open(row.body, _context(row.whole, row.part)).decode()

    def _settle(self, db: Connection, what: Settled) -> bool:
        now = self._ledger.clock()
        if _known(db, tuple(filter(None, (*what.marks, what.whole))), now):
            return False
        for mark in what.marks:
            _mark(db, mark, FOREVER if what.life is None else now + what.life)
        if what.whole:
            _mark(db, what.whole, now + WHOLE_LIFE)
            db.execute(delete(text_parts).where(text_parts.c.whole == what.whole))
        if what.stop is not None:
            key = {"binding": what.stop.binding, "party": what.stop.party, "other": what.stop.other}
            c = text_stops.c
            db.execute(delete(text_stops).where(and_(*(c[name] == value for name, value in key.items()))))
            if what.stop.on:
                db.execute(insert(text_stops).values(**key, at=now))
        self._put(db, what.outs)
        return True

    def _put(self, db: Connection, outs: tuple[Outgoing, ...]) -> None:
        now = self._ledger.clock()
        for out in outs:
            if out.mark and _known(db, (out.mark,), now):
                continue
            if out.mark:
                _mark(db, out.mark, now + out.pause)
            row: dict[str, object] = {name: getattr(out, name) for name in KEPT}
            row |= {"state": State.WAITING, "tries": 0, "at": now, "due": now, "lease": 0.0, "unsure": False}
            row |= {"since": None, "reference": "", "code": ""}
            db.execute(insert(texts).values(**row, body=self._sealer.seal(out.body.encode(), out.id.encode())))

    def _take(self, db: Connection) -> Job | None:
        now = self._ledger.clock()
        row = db.execute(_due(now)).first()
        if row is None:
            return None
        unsure = row.unsure or row.state == State.SENDING
        values = {"state": State.SENDING, "tries": row.tries + 1, "lease": now + LEASE, "unsure": unsure}
        values["since"] = row.since if row.since is not None else now
        db.execute(update(texts).where(texts.c.seq == row.seq).values(**values))
        words = self._sealer.open(row.body, row.id.encode()).decode()
        return replace(_job(row, words), tries=row.tries + 1, unsure=unsure)

    def _note(self, db: Connection, id: str, fate: Fate, outs: tuple[Outgoing, ...]) -> bool:
        row = db.execute(select(texts).where(texts.c.id == id)).first()
        if row is None or ORDER[fate.state] < ORDER[State(row.state)] or ORDER[State(row.state)] == 2:
            return False
        values: dict[str, object] = {"state": fate.state, "due": fate.due, "unsure": fate.unsure}
        values |= {"code": fate.code[:32], "reference": fate.reference[:64] or row.reference}
        if fate.state != State.WAITING:
            values["body"] = None
        db.execute(update(texts).where(texts.c.seq == row.seq).values(**values))
        changed = bool(row.state != fate.state)
        if changed:
            self._put(db, outs)
        return changed


def _context(whole: str, part: int) -> bytes:
    return f"{whole}/{part}".encode()


def _known(db: Connection, marks: tuple[str, ...], now: float) -> bool:
    query = select(exists().where(text_marks.c.mark.in_(marks), text_marks.c.until > now))
    return bool(db.execute(query).scalar())


def _mark(db: Connection, mark: str, until: float) -> None:
    db.execute(delete(text_marks).where(text_marks.c.mark == mark))
    db.execute(insert(text_marks).values(mark=mark, until=until))


def _due(now: float) -> Any:
    """The oldest text that may be sent: nothing earlier is under way to the same phone from the same number."""
    earlier, c = texts.alias(), texts.c
    ready = or_(and_(c.state == State.WAITING, c.due <= now), and_(c.state == State.SENDING, c.lease <= now))
    behind = exists().where(
        earlier.c.party == c.party, earlier.c.shown == c.shown, earlier.c.seq < c.seq, earlier.c.state.in_(OPEN)
    )
    return select(texts).where(ready, ~behind).order_by(c.seq).limit(1)


def _job(row: Row[Any], words: str) -> Job:
    out = Outgoing(**{name: row._mapping[name] for name in KEPT}, body=words)
    return Job(out=out, at=row.at, tries=row.tries, since=row.since, unsure=row.unsure)
