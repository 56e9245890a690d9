"""The diary in SQL: events, what hooks are to be told of them, and call records, written in one transaction."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from sqlalchemy import Connection, delete, exists, func, insert, select, tuple_, update

from masking.book import FOREVER
from masking.delivery_order import UNDONE, promote
from masking.diary_rows import Written, ended, facts, record_of, record_row, written_of
from masking.ledger import Ledger
from masking.parties import binding_name, random_id
from masking.port import CallRecord, DeliveryState, Event, Happened, HookUse
from masking.schema import bindings, cdrs, deliveries, events, hooks, line_legs, marks

TOGETHER = 256
"""Events written in one transaction: when many come at once, they share one wait for the disk."""
MOST_LISTED = 1000
AT_ONCE = 500
DAY = 24 * 3600.0
TOLD = "ends told"
"""Name of the mark up to which ends of bindings were told."""
ENDS = (Happened.BINDING_CLOSED, Happened.BINDING_EXPIRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """An event that waits to be written."""

    event: Event
    """What happened."""
    data: str
    """Its facts as text."""
    once: str
    """Name under which it is told once only, or ""."""
    done: "Future[None]"
    """To be told."""


class SqlDiary:
    """Diary over SQLite or PostgreSQL."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._waiting: deque[Telling] = deque()

    async def tell(self, event: Event, *, once: str = "") -> None:
        """Durable on return; of events with the same `once` the first counts. Raises MaskingUnavailable."""
        telling = Telling(event=event, data=facts(event), once=once, done=Future())
        self._waiting.append(telling)
        await self._ledger.in_turn(self._write_waiting, telling.done)

    async def record(self, record: CallRecord) -> None:
        """Keep a leg's record, and tell CALL_ENDED after leg "a". Raises MaskingUnavailable."""
        await self._ledger.write(lambda db: _keep(db, record))

    async def calls(self, owner: str, *, binding: str = "", limit: int = 100) -> tuple[CallRecord, ...]:
        """The owner's newest legs. Raises MaskingUnavailable."""
        query = select(cdrs).where(cdrs.c.owner == owner)
        if binding:
            query = query.where(cdrs.c.binding == binding)
        newest = query.order_by(cdrs.c.ended.desc(), cdrs.c.call, cdrs.c.leg).limit(_most(limit))
        return await self._ledger.read(lambda db: tuple(map(record_of, db.execute(newest))))

    async def events(self, owner: str, *, binding: str = "", limit: int = 100) -> tuple[Written, ...]:
        """The owner's newest events. Raises MaskingUnavailable."""
        query = select(events).where(events.c.owner == owner)
        if binding:
            query = query.where(events.c.stream == binding)
        newest = query.order_by(events.c.at.desc(), events.c.place.desc(), events.c.id).limit(_most(limit))
        return await self._ledger.read(lambda db: tuple(map(written_of, db.execute(newest))))

    async def tell_ends(self) -> int:
        """Tell which bindings have ended by time since this was last done; how many. Each is told once, whoever asks.
        Raises MaskingUnavailable."""
        total = 0
        while count := await self._ledger.write(lambda db: _tell_ends(db, self._ledger.clock())):
            total += count
        return total

    async def tidy(self, *, event_days: float, record_days: float) -> int:
        """Forget old events, with what hooks were not told of them in all that time, and old call records; how many.
        Raises MaskingUnavailable."""
        now, total = self._ledger.clock(), 0
        before = now - event_days * DAY, now - record_days * DAY
        while count := await self._ledger.write(lambda db: _forget(db, *before)):
            total += count
        return total

    def _write_waiting(self) -> None:
        """Everything that waits by now, in one transaction; the writer's thread calls it once for each that came."""
        batch = [self._waiting.popleft() for _ in range(min(TOGETHER, len(self._waiting)))]
        if not batch:
            return
        told = [one for one in batch if one.done.set_running_or_notify_cancel()]
        try:
            self._ledger.transaction(lambda db: write(db, batch))
        except Exception as error:  # noqa: BLE001 - those who wait are told, whatever it was
            for one in told:
                one.done.set_exception(error)
            return
        for one in told:
            one.done.set_result(None)


def write(db: Connection, batch: Sequence[Telling]) -> None:
    """Events with their order, and what hooks are to be told of them. Inside a transaction that is alone: the order
    numbers are counted on from what is there."""
    batch = _unknown(db, batch)
    if not batch:
        return
    last = _places(db, {one.event.binding for one in batch} - {""})
    rows: list[dict[str, object]] = []
    for one in batch:
        event, name = one.event, random_id("event")
        stream = event.binding or name
        last[stream] = last.get(stream, 0) + 1
        rows.append(
            {"id": name, "kind": event.kind, "owner": event.owner, "stream": stream, "place": last[stream]}
            | {"at": event.at, "data": one.data, "once": one.once or None}
        )
    db.execute(insert(events), rows)
    _queue(db, rows)


def telling(event: Event, once: str = "") -> Telling:
    """For `write`, where nobody waits."""
    return Telling(event=event, data=facts(event), once=once, done=Future())


def _unknown(db: Connection, batch: Sequence[Telling]) -> list[Telling]:
    """Without what is told once only and was told before."""
    names = {one.once for one in batch} - {""}
    known = set(db.execute(select(events.c.once).where(events.c.once.in_(names))).scalars()) if names else set()
    fresh: list[Telling] = []
    for one in batch:
        if not one.once or one.once not in known:
            fresh.append(one)
            known.add(one.once)
    return fresh


def _places(db: Connection, streams: set[str]) -> dict[str, int]:
    if not streams:
        return {}
    last = select(events.c.stream, func.max(events.c.place)).where(events.c.stream.in_(streams))
    return {row[0]: row[1] for row in db.execute(last.group_by(events.c.stream))}


def _queue(db: Connection, rows: Sequence[dict[str, object]]) -> None:
    """One delivery for each hook that wants an event, behind the earlier ones of the same binding."""
    owners = {row["owner"] for row in rows}
    wanted = (hooks.c.owner.in_(owners)) & hooks.c.active & (hooks.c.use == HookUse.EVENTS)
    found = list(db.execute(select(hooks.c.id, hooks.c.owner, hooks.c.kinds).where(wanted)))
    if not found:
        return
    undone = select(deliveries.c.hook, deliveries.c.stream).where(
        deliveries.c.hook.in_([hook.id for hook in found]),
        deliveries.c.stream.in_({row["stream"] for row in rows}),
        deliveries.c.state.in_(UNDONE),
    )
    busy = {(hook, stream) for hook, stream in db.execute(undone)}
    queued: list[dict[str, object]] = []
    for row in rows:
        for hook in found:
            if hook.owner != row["owner"] or (hook.kinds and row["kind"] not in hook.kinds.split()):
                continue
            way = (hook.id, row["stream"])
            state = DeliveryState.BEHIND if way in busy else DeliveryState.WAITING
            busy.add(way)
            queued.append(
                {"hook": hook.id, "event": row["id"], "stream": row["stream"], "place": row["place"], "state": state}
                | {"tries": 0, "due": 0.0, "lease": 0.0, "taker": "", "last": ""}
            )
    if queued:
        db.execute(insert(deliveries), queued)


def _keep(db: Connection, record: CallRecord) -> None:
    db.execute(delete(line_legs).where(line_legs.c.call == record.call, line_legs.c.leg == record.leg))
    known = select(cdrs.c.call).where(cdrs.c.call == record.call, cdrs.c.leg == record.leg)
    if db.execute(known).first() is not None:
        return
    db.execute(insert(cdrs).values(record_row(record)))
    if record.leg == "a":
        write(db, [telling(ended(record), f"ended {record.call}")])


def _tell_ends(db: Connection, now: float) -> int:
    """The next page of bindings that have ended. The mark goes with the telling, so none is missed or told twice."""
    mark = db.execute(select(marks.c.at).where(marks.c.name == TOLD)).scalar()
    if mark is None:
        db.execute(insert(marks).values(name=TOLD, at=now))
        return 0
    due = (bindings.c.live > mark) & (bindings.c.live <= now) & (bindings.c.live < FOREVER)
    page = list(db.execute(select(bindings).where(due).order_by(bindings.c.live).limit(AT_ONCE)))
    if not page:
        return 0
    last = page[-1].live
    # Bindings that end at the very same moment may lie on two pages: the last moment is told as a whole.
    same = db.execute(select(bindings).where(bindings.c.live == last)) if len(page) == AT_ONCE else ()
    rows = {row.id: row for row in (*page, *same)}.values()
    ends = [_end(binding_name(row.id), row.owner, row.live) for row in rows if not row.closed]
    for first in range(0, len(ends), TOGETHER):
        write(db, ends[first : first + TOGETHER])
    db.execute(update(marks).where(marks.c.name == TOLD).values(at=last))
    return len(rows)


def _end(binding: str, owner: str, at: float) -> Telling:
    event = Event(kind=Happened.BINDING_EXPIRED, owner=owner, binding=binding, at=at, data={})
    return telling(event, f"expired {binding}")


def _forget(db: Connection, events_before: float, records_before: float) -> int:
    later = events.alias()
    # The last event of a binding that lives on stays: the order is counted on from it.
    followed = exists().where(later.c.stream == events.c.stream, later.c.place > events.c.place)
    done = (events.c.stream == events.c.id) | events.c.kind.in_(ENDS) | followed
    page = select(events.c.id).where(events.c.at < events_before, done).limit(AT_ONCE)
    old = list(db.execute(page).scalars())
    if old:
        undone = deliveries.c.event.in_(old) & deliveries.c.state.in_(UNDONE)
        ways = list(db.execute(select(deliveries.c.hook, deliveries.c.stream).where(undone).distinct()))
        db.execute(delete(deliveries).where(deliveries.c.event.in_(old)))
        for hook, stream in ways:
            promote(db, hook, stream)
        db.execute(delete(events).where(events.c.id.in_(old)))
    keys = select(cdrs.c.call, cdrs.c.leg).where(cdrs.c.ended < records_before).limit(AT_ONCE)
    legs = [tuple(row) for row in db.execute(keys)]
    if legs:
        db.execute(delete(cdrs).where(tuple_(cdrs.c.call, cdrs.c.leg).in_(legs)))
    return len(old) + len(legs)


def _most(limit: int) -> int:
    return max(1, min(limit, MOST_LISTED))
