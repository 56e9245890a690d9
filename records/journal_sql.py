"""The journal in SQL: append-only rows, each encrypted and nailed to its place."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from records.keys import DataKey, KeyRefused, KeyRing, NotAuthentic, Sealer
from records.port import CallLine, Entry, JournalUnavailable
from records.schema import calls, entries
from records.store import Store

RUNNING = "running"
LABEL = "records journal"


class JournalDamaged(JournalUnavailable):
    """An entry was changed, moved, or is missing."""


class SqlJournal:
    """Journal over SQLite or PostgreSQL. The store is shared with the callbacks and closed by who made it."""

    def __init__(self, store: Store, keys: KeyRing) -> None:
        self._store = store
        self._sealer = keys.sealer(LABEL)

    async def check_keys(self) -> None:
        """Refuse, at start, a key ring that does not open the newest call: a lost key file is replaced by a new one
        without a word otherwise. Raises KeyRefused, JournalUnavailable."""
        newest = select(calls.c.id, calls.c.sealed_key).where(calls.c.sealed_key.is_not(None))
        row = await self._store.read(lambda db: db.execute(newest.order_by(calls.c.started.desc()).limit(1)).first())
        try:
            if row is not None:
                self._sealer.unwrap(row.sealed_key, row.id.encode())
        except NotAuthentic:
            raise KeyRefused(
                "The master keys do not open the records in this database: put back the key file they were made with, "
                "or give the hotline an empty database."
            ) from None

    async def append(self, entry: Entry) -> None:
        """Write one entry, durably; its number is given here. Raises JournalUnavailable, and ValueError for a kind
        that is not a plain name."""
        if not entry.kind.isidentifier() or len(entry.kind) > 64:
            raise ValueError("the kind of an entry is a class name")
        clear = json.dumps(entry.data, separators=(",", ":"), default=_plain).encode()
        try:
            await self._store.write(lambda db: _append(db, self._sealer, entry, clear))
        except NotAuthentic:
            raise JournalDamaged("the key of this call was changed or belongs to other keys") from None

    async def read(self, call: str) -> tuple[Entry, ...]:
        """All entries of a call in order. Raises KeyError, JournalDamaged, JournalUnavailable."""
        rows = select(entries).where(entries.c.call == call).order_by(entries.c.number)
        key, found = await self._store.read(lambda db: (_sealed_key(db, call), db.execute(rows).all()))
        if key is None:
            raise KeyError("no such call")
        try:
            data_key = self._sealer.unwrap(key, call.encode())
            return tuple(_entry(data_key, row, number) for number, row in enumerate(found, 1))
        except NotAuthentic:
            raise JournalDamaged("the journal of this call was changed or belongs to other keys") from None

    async def close_call(self, call: str, at: float, outcome: str) -> None:
        """Note the end and the outcome; the first end stays. Raises JournalUnavailable."""
        await self._store.write(lambda db: _close(db, call, at, outcome))

    async def list(self, limit: int = 50) -> tuple[CallLine, ...]:
        """Newest first. Raises JournalUnavailable."""
        query = select(calls).order_by(calls.c.started.desc(), calls.c.id).limit(limit)
        rows = await self._store.read(lambda db: db.execute(query).all())
        return tuple(CallLine(call=row.id, started=row.started, ended=row.ended, outcome=row.outcome) for row in rows)


def _append(db: Connection, sealer: Sealer, entry: Entry, clear: bytes) -> None:
    """Runs on the writer's thread. Asking the table for the last number keeps no state that a rollback could spoil."""
    wrapped = _sealed_key(db, entry.call)
    if wrapped is None:
        key, wrapped = sealer.new_key(entry.call.encode())
        _open_call(db, entry.call, entry.at, wrapped)
        number = 1
    else:
        key = sealer.unwrap(wrapped, entry.call.encode())
        last = db.execute(select(func.max(entries.c.number)).where(entries.c.call == entry.call)).scalar()
        number = (last or 0) + 1
    body = key.seal(clear, _place(entry.call, number, entry.kind, entry.at))
    db.execute(insert(entries).values(call=entry.call, number=number, at=entry.at, kind=entry.kind, body=body))


def _open_call(db: Connection, call: str, at: float, wrapped: bytes) -> None:
    """A call's first entry. A row without key is a call whose end was noted while nothing else could be written."""
    if db.execute(update(calls).where(calls.c.id == call).values(sealed_key=wrapped)).rowcount == 0:
        db.execute(insert(calls).values(id=call, started=at, outcome=RUNNING, sealed_key=wrapped))


def _close(db: Connection, call: str, at: float, outcome: str) -> None:
    known = db.execute(select(calls.c.ended).where(calls.c.id == call)).first()
    if known is None:
        db.execute(insert(calls).values(id=call, started=at, ended=at, outcome=outcome))
    elif known.ended is None:
        db.execute(update(calls).where(calls.c.id == call).values(ended=at, outcome=outcome))


def _sealed_key(db: Connection, call: str) -> bytes | None:
    return db.execute(select(calls.c.sealed_key).where(calls.c.id == call)).scalar()


def _entry(key: DataKey, row: "Row[Any]", number: int) -> Entry:
    """A row opened. Raises NotAuthentic, also where the row before it is missing."""
    if row.number != number:
        raise NotAuthentic("an entry is missing")
    clear = key.open(row.body, _place(row.call, row.number, row.kind, row.at))
    return Entry(call=row.call, at=row.at, kind=row.kind, data=json.loads(clear), number=row.number)


def _place(call: str, number: int, kind: str, at: float) -> bytes:
    """What an entry is bound to: all of its row that is in clear."""
    return json.dumps([call, number, kind, float(at)]).encode()


def _plain(value: object) -> object:
    """Mappings that are not dictionaries."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"an entry cannot hold a {type(value).__name__}")
