"""Virtual numbers in SQL."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, case, delete, func, insert, select, update

from masking.book import Line
from masking.ledger import Ledger
from masking.numbers import alias_key
from masking.pools import DAY, Load, pool_reports, stored
from masking.port import MaskingRefused, NumberState, PoolReport, VirtualNumber, Wrong
from masking.rows import line_of, lines
from masking.schema import bindings, numbers, pool, routes

REPORT_PATIENCE = 60.0
"""Seconds: it goes through all routes."""


class SqlNumbers:
    """Numbers over SQLite or PostgreSQL."""

    def __init__(self, ledger: Ledger, region: str = "US", hotline: Iterable[str] = ()) -> None:
        """`region`: country of numbers without country code. `hotline`: the hotline's own numbers, E.164: whoever dials
        one must reach the hotline, so they are never taken in."""
        self._ledger = ledger
        self._region = region
        self._hotline = frozenset(alias_key(number) for number in hotline)

    async def add(self, numbers: Sequence[VirtualNumber]) -> int:
        """Take them in, all or none; how many are new. Raises MaskingRefused, MaskingUnavailable."""
        wanted = stored(numbers, self._region)
        if any(alias_key(about.number) in self._hotline for about in wanted):
            message = "one of the numbers is the hotline's own: whoever dials it must reach the hotline"
            raise MaskingRefused(Wrong.NUMBER_REFUSED, "number", message)
        return await self._ledger.write(lambda db: _add(db, wanted))

    async def change(self, number: str, state: NumberState) -> VirtualNumber:
        """Set the state. Raises MaskingRefused, MaskingUnavailable."""

        def work(db: Connection) -> VirtualNumber:
            line = _line(db, number)
            db.execute(update(numbers).where(numbers.c.id == line.id).values(state=state))
            _changed(db)
            return _line(db, number).about

        return await self._ledger.write(work)

    async def remove(self, number: str) -> None:
        """Give it up; refused while something holds it. Raises MaskingRefused, MaskingUnavailable."""
        await self._ledger.write(lambda db: _remove(db, number, self._ledger.clock()))

    async def list(self) -> tuple[VirtualNumber, ...]:
        """All, sorted. Raises MaskingUnavailable."""
        found = await self._ledger.read(lines)
        return tuple(sorted((line.about for line in found), key=lambda about: about.number))

    async def report(self) -> tuple[PoolReport, ...]:
        """How full each side and country is. Raises MaskingUnavailable."""
        return await self._ledger.read(lambda db: _report(db, self._ledger.clock()), patience=REPORT_PATIENCE)

    async def own(self) -> frozenset[str]:
        """All numbers, as `alias_key` gives them: they can be no participants. Raises MaskingUnavailable."""
        return frozenset(alias_key(about.number) for about in await self.list())


def _line(db: Connection, number: str) -> Line:
    row = db.execute(select(numbers).where(numbers.c.number == number)).first()
    if row is None:
        raise MaskingRefused(Wrong.NUMBER_UNKNOWN, "number", "this is no virtual number of ours")
    return line_of(row)


def _add(db: Connection, wanted: Sequence[VirtualNumber]) -> int:
    known = {line.about.number: line.about for line in lines(db)}
    new = []
    for about in wanted:
        held = known.get(about.number)
        if held is not None and (held.side, held.country) != (about.side, about.country):
            message = "one of the numbers is in the pool already, on another side or in another country"
            raise MaskingRefused(Wrong.CONFLICT, "number", message)
        if held is None:
            new.append({name: getattr(about, name) for name in VirtualNumber.__dataclass_fields__} | {"used": 0.0})
    if new:
        db.execute(insert(numbers), new)
        _changed(db)
    return len(new)


def _remove(db: Connection, number: str, now: float) -> None:
    line = _line(db, number)
    held = select(func.count()).where(routes.c.virtual == line.id, routes.c.gone > now)
    kept = select(func.count()).where(
        (bindings.c.patient_line == line.id) | (bindings.c.doctor_line == line.id), bindings.c.gone > now
    )
    if db.execute(held).scalar() or db.execute(kept).scalar():
        message = "a binding or its quarantine still holds this number; set it to draining and wait"
        raise MaskingRefused(Wrong.NUMBER_IN_USE, "number", message)
    old = select(bindings.c.id).where((bindings.c.patient_line == line.id) | (bindings.c.doctor_line == line.id))
    db.execute(delete(routes).where(routes.c.binding.in_(old)))
    db.execute(delete(bindings).where(bindings.c.id.in_(old)))
    db.execute(delete(numbers).where(numbers.c.id == line.id))
    _changed(db)


def _changed(db: Connection) -> None:
    """Whoever keeps the numbers in memory reads them again."""
    if not db.execute(update(pool).values(version=pool.c.version + 1)).rowcount:
        db.execute(insert(pool).values(id=1, version=1))


def _report(db: Connection, now: float) -> tuple[PoolReport, ...]:
    every = {line.id: line.about for line in lines(db)}
    held: defaultdict[str, list[Load]] = defaultdict(list)
    fresh = case((bindings.c.created > now - DAY, 1), else_=0)
    query = (
        select(routes.c.caller, numbers.c.side, numbers.c.country, func.count(), func.sum(fresh))
        .join(numbers, numbers.c.id == routes.c.virtual)
        .join(bindings, bindings.c.id == routes.c.binding)
        .where(routes.c.gone > now, routes.c.coded.is_(False))
        .group_by(routes.c.caller, numbers.c.side, numbers.c.country)
    )
    for caller, side, country, count, fresh in db.execute(query):
        held[f"{side} {country}"].append(Load(caller=caller, held=count, of_last_day=int(fresh or 0)))
    return pool_reports(tuple(every.values()), held)

