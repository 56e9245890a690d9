"""Calls to virtual numbers, looked up in SQL."""

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection, delete, exists, insert, select, text

from masking.bindings_sql import find, lines_of
from masking.book import ANYONE
from masking.codes import Codes
from masking.ledger import Ledger
from masking.numbers import virtual_number
from masking.parties import binding_name
from masking.port import Alert, ClickPlan, Dialled, MaskingRefused, Outcome, Verdict, Wrong
from masking.rows import ROUTE_COLUMNS, line_of, route_of
from masking.schema import bindings, routes, tries
from masking.verdicts import LONGEST_PAUSE, ONE_WAY, Decided, Found, Tries, decide, limits

SWEPT_AT_ONCE = 1000


class SqlExchange:
    """Exchange over SQLite or PostgreSQL."""

    def __init__(
        self,
        ledger: Ledger,
        codes: Codes,
        *,
        region: str = "US",
        alert: Callable[[Alert], None] = lambda alert: None,
    ) -> None:
        """`region`: country of dialled numbers without country code."""
        self._ledger = ledger
        self._codes = codes
        self._region = region
        self._alert = alert

    async def resolve(self, dialled: Dialled) -> Verdict:
        """What to do with a call. Raises MaskingUnavailable."""
        number = virtual_number(dialled.number, self._region) or ""
        by_code = self._codes.route(dialled.code) if dialled.code else ""
        if by_code:
            # Wrong codes are counted where they are judged, alone: guesses side by side cannot slip past the limit.
            return await self._ledger.write(lambda db: self._judge(db, number, dialled, by_code))
        return await self._ledger.look(lambda db: self._judge(db, number, dialled, by_code))

    async def click(self, id: str, owner: str) -> ClickPlan:
        """The two calls of a click-to-call. Raises MaskingRefused, MaskingUnavailable."""

        def work(db: Connection) -> ClickPlan:
            kept = find(db, id, owner)
            if kept.closed or self._ledger.clock() >= kept.live:
                raise MaskingRefused(Wrong.ENDED, "id", "this binding has ended; make a new one")
            if kept.doctor_line is None:
                raise MaskingRefused(Wrong.FIELD, "id", "click-to-call needs a binding of one patient and one doctor")
            if db.execute(select(exists().where(routes.c.binding == kept.id, ~routes.c.open))).scalar():
                raise MaskingRefused(Wrong.ONE_WAY, "id", ONE_WAY)
            known = lines_of(db, kept)
            return ClickPlan(
                binding=id,
                first=kept.doctor,
                first_sees=known[kept.doctor_line].about.number,
                second=kept.patient,
                second_sees=known[kept.patient_line].about.number,
                seconds=kept.longest,
            )

        return await self._ledger.read(work)

    async def sweep(self) -> int:
        """Forget what has ended and rested. Raises MaskingUnavailable."""
        total = 0
        while count := await self._ledger.write(lambda db: _sweep(db, self._ledger.clock())):
            total += count
        return total

    def _judge(self, db: Connection, number: str, dialled: Dialled, by_code: str) -> Verdict:
        now = self._ledger.clock()
        found, more = _found(db, number, dialled.caller, by_code, now)
        most = limits(dialled.caller, number)
        counted = _tries(db, tuple(most)) if found.codes or by_code else {}
        locked = any(one.locked(now) for one in counted.values())
        decided = decide(found, dialled.caller, dialled.code, now, locked=locked)
        if decided.wrong_code:
            return self._count(db, counted, most, number, now)
        if decided.route is not None:
            return _connected(decided, more[decided.route.caller], by_code)
        return Verdict(outcome=decided.outcome)

    def _count(
        self, db: Connection, counted: dict[str, Tries], most: dict[str, int], number: str, now: float
    ) -> Verdict:
        after = {name: counted.get(name, Tries()).wrong(now, limit) for name, limit in most.items()}
        for name, one in after.items():
            db.execute(delete(tries).where(tries.c.subject == name))
            row = {field: getattr(one, field) for field in ("count", "since", "until", "pauses")}
            db.execute(insert(tries).values(subject=name, **row))
        if after[f"number:{number}"].locked(now):
            self._alert(Alert(code="code_guessing", what=number))
        locked = any(one.locked(now) for one in after.values())
        return Verdict(outcome=Outcome.LOCKED if locked else Outcome.ASK_CODE)


class More(NamedTuple):
    """What a verdict says beyond a route."""

    owner: str
    longest: float
    shown: str


_LOOK_UP = text(
    "SELECT n.id, n.number, n.side, n.country, n.area, n.state, n.used, EXISTS (SELECT 1 FROM masking_routes AS c WHERE"
    " c.coded AND c.virtual = n.id AND c.gone > :now AND c.live > :now) AS codes,"
    " r.caller, r.virtual, r.binding, r.callee, r.shown, r.live, r.gone, r.open, r.coded, b.owner, b.longest,"
    " s.number AS seen FROM masking_numbers AS n"
    " LEFT JOIN masking_routes AS r ON r.caller IN (:caller, :anyone, :code) AND r.virtual = n.id"
    " LEFT JOIN masking_bindings AS b ON b.id = r.binding LEFT JOIN masking_numbers AS s ON s.id = r.shown"
    " WHERE n.number = :number"
)
_ROUTE_AT = 8
"""Column of the look-up at which a route begins."""


def _found(db: Connection, number: str, caller: str, by_code: str, now: float) -> tuple[Found, dict[str, More]]:
    """One statement whatever there is to find; with it what a verdict needs, by caller of the route."""
    values = {"number": number, "caller": caller, "anyone": ANYONE, "code": by_code, "now": now}
    rows = db.execute(_LOOK_UP, values).all()
    ways, more = {}, {}
    for row in rows:
        if row.caller is not None:
            ways[row.caller] = route_of(row[_ROUTE_AT : _ROUTE_AT + ROUTE_COLUMNS])
            more[row.caller] = More(owner=row.owner, longest=row.longest, shown=row.seen)
    found = Found(
        line=line_of(rows[0]) if rows else None,
        direct=ways.get(caller),
        anyone=ways.get(ANYONE),
        by_code=ways.get(by_code) if by_code else None,
        codes=bool(rows and rows[0].codes),
    )
    return found, more


def _tries(db: Connection, names: tuple[str, ...]) -> dict[str, Tries]:
    rows = db.execute(select(tries).where(tries.c.subject.in_(names)))
    return {
        row.subject: Tries(count=row._mapping["count"], since=row.since, until=row.until, pauses=row.pauses)
        for row in rows
    }


def _connected(decided: Decided, more: More, by_code: str) -> Verdict:
    route = decided.route
    assert route is not None
    return Verdict(
        outcome=decided.outcome,
        binding=binding_name(route.binding),
        owner=more.owner,
        callee=route.callee,
        shown=more.shown,
        seconds=more.longest,
        by_code=bool(by_code) and route.caller == by_code,
    )


def _sweep(db: Connection, now: float) -> int:
    old = [row.id for row in db.execute(select(bindings.c.id).where(bindings.c.gone <= now).limit(SWEPT_AT_ONCE))]
    if old:
        db.execute(delete(routes).where(routes.c.binding.in_(old)))
        db.execute(delete(bindings).where(bindings.c.id.in_(old)))
    db.execute(delete(tries).where(tries.c.since < now - LONGEST_PAUSE, tries.c.until < now - LONGEST_PAUSE))
    return len(old)
