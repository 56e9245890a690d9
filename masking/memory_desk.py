"""Bindings, numbers and exchange in memory: the dull second implementation, for tests."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from masking.binding import bind, ended, renewed, route_times, shown
from masking.book import ANYONE, Book, Kept, Line, Route
from masking.codes import Codes
from masking.numbers import virtual_number
from masking.parties import binding_id, binding_name
from masking.pools import DAY, Load, pool_reports, stored
from masking.port import (
    Binding,
    ClickPlan,
    Dialled,
    Kind,
    MaskingRefused,
    NumberState,
    Outcome,
    PoolReport,
    Verdict,
    VirtualNumber,
    Wanted,
    Wrong,
)
from masking.verdicts import ONE_WAY, Found, Tries, decide, limits
from masking.wishes import check, coded, fingerprint


@dataclass(slots=True, kw_only=True)
class MemoryDesk:
    """What the three doors share."""

    clock: Callable[[], float]
    """Seconds since the epoch."""
    codes: Codes
    """Makes codes."""
    region: str = "US"
    """Country of numbers without country code."""
    lines: dict[str, Line] = field(default_factory=dict)
    """By number."""
    routes: dict[tuple[str, int], Route] = field(default_factory=dict)
    """By caller and number."""
    kept: dict[int, Kept] = field(default_factory=dict)
    """Bindings by id."""
    tries: dict[str, Tries] = field(default_factory=dict)
    """Wrong codes."""
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def find(self, name: str, owner: str) -> Kept:
        """A binding of the owner. Raises MaskingRefused."""
        kept = self.kept.get(binding_id(name))
        if kept is None or kept.owner != owner:
            raise MaskingRefused(Wrong.NOT_FOUND, "id", "there is no such binding")
        return kept

    def shown(self, kept: Kept) -> Binding:
        """As its owner sees it."""
        known = {line.id: line for line in self.lines.values()}
        return shown(kept, binding_name(kept.id), self.codes.open(kept.code, kept.id), known)

    def next_id(self) -> int:
        """A number never given before."""
        return next(self._ids)


class MemoryBindings:
    """Bindings."""

    def __init__(self, desk: MemoryDesk) -> None:
        self._desk = desk

    async def create(self, wanted: Wanted) -> Binding:
        """A new one, or the one that the same key made. Raises MaskingRefused."""
        check(wanted)
        desk, now, id = self._desk, self._desk.clock(), self._desk.next_id()
        for kept in desk.kept.values():
            if wanted.key and (kept.owner, kept.key) == (wanted.owner, wanted.key):
                if kept.asked != fingerprint(wanted):
                    raise MaskingRefused(Wrong.KEY_REUSED, "key", "this idempotency key was used for another request")
                return desk.shown(kept)
        code = desk.codes.make(id) if coded(wanted) else None
        book = Book.of(desk.lines.values(), whole=True)
        book.ways = dict(desk.routes)
        for kept in desk.kept.values():  # oldest first
            book.earlier.setdefault((kept.doctor, kept.patient), []).insert(0, (kept.patient_line, kept.doctor_line))
            if kept.kind == Kind.CODE and kept.doctor_line is not None and kept.gone > now:
                book.cases.add((kept.doctor, kept.doctor_line))
        book.codes = Counter(route.virtual for route in desk.routes.values() if route.coded)
        kept, ways = bind(book, wanted, id=id, now=now, code=code)
        desk.kept[id] = kept
        desk.routes |= {(route.caller, route.virtual): route for route in ways}
        for line in tuple(desk.lines.values()):
            if line.id in {kept.patient_line, kept.doctor_line}:
                desk.lines[line.about.number] = replace(line, used=now + id * 1e-6)
        return desk.shown(kept)

    async def renew(self, id: str, owner: str, life: float | None) -> Binding:
        """Live until `life` seconds from now. Raises MaskingRefused."""
        return self._change(renewed(self._desk.find(id, owner), life, self._desk.clock()))

    async def close(self, id: str, owner: str, *, kill: bool = False) -> Binding:
        """No new calls from now on. Raises MaskingRefused."""
        return self._change(ended(self._desk.find(id, owner), self._desk.clock(), kill=kill))

    async def get(self, id: str, owner: str) -> Binding:
        """One of the owner's. Raises MaskingRefused."""
        return self._desk.shown(self._desk.find(id, owner))

    async def list(self, owner: str, *, party: str = "", limit: int = 100, after: str = "") -> tuple[Binding, ...]:
        """The owner's newest."""
        mine = [kept for kept in self._desk.kept.values() if kept.owner == owner]
        named = [kept for kept in mine if not party or party in {kept.doctor, kept.patient}]
        newest = sorted(named, key=lambda kept: (-kept.created, kept.id))
        if after:
            last = self._desk.find(after, owner)
            newest = [kept for kept in newest if (-kept.created, kept.id) > (-last.created, last.id)]
        return tuple(self._desk.shown(kept) for kept in newest[:limit])

    def _change(self, kept: Kept) -> Binding:
        self._desk.kept[kept.id] = kept
        live, gone = route_times(kept)
        for key, route in self._desk.routes.items():
            if route.binding == kept.id:
                self._desk.routes[key] = replace(route, live=live, gone=gone)
        return self._desk.shown(kept)


class MemoryNumbers:
    """Virtual numbers."""

    def __init__(self, desk: MemoryDesk) -> None:
        self._desk = desk

    async def add(self, numbers: tuple[VirtualNumber, ...]) -> int:
        """Take them in; how many are new. Raises MaskingRefused."""
        wanted, known = stored(numbers, self._desk.region), self._desk.lines
        for about in wanted:
            held = known.get(about.number)
            if held and (held.about.side, held.about.country) != (about.side, about.country):
                message = "one of the numbers is in the pool already, on another side or in another country"
                raise MaskingRefused(Wrong.CONFLICT, "number", message)
        new = [about for about in wanted if about.number not in known]
        for about in new:
            known[about.number] = Line(id=self._desk.next_id(), about=about, used=0.0)
        return len(new)

    async def change(self, number: str, state: NumberState) -> VirtualNumber:
        """Set the state. Raises MaskingRefused."""
        line = self._line(number)
        about = replace(line.about, state=state)
        self._desk.lines[number] = replace(line, about=about)
        return about

    async def remove(self, number: str) -> None:
        """Give it up; refused while something holds it. Raises MaskingRefused."""
        line, now = self._line(number), self._desk.clock()
        mine = [kept for kept in self._desk.kept.values() if line.id in {kept.patient_line, kept.doctor_line}]
        if any(kept.gone > now for kept in mine):
            message = "a binding or its quarantine still holds this number; set it to draining and wait"
            raise MaskingRefused(Wrong.NUMBER_IN_USE, "number", message)
        _forget(self._desk, {kept.id for kept in mine})
        del self._desk.lines[number]

    async def list(self) -> tuple[VirtualNumber, ...]:
        """All, sorted."""
        return tuple(line.about for _, line in sorted(self._desk.lines.items()))

    async def report(self) -> tuple[PoolReport, ...]:
        """How full each side and country is."""
        now, every = self._desk.clock(), {line.id: line.about for line in self._desk.lines.values()}
        held: defaultdict[str, Counter[str]] = defaultdict(Counter)
        fresh: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for route in self._desk.routes.values():
            if route.gone > now and not route.coded:
                pool = f"{every[route.virtual].side} {every[route.virtual].country}"
                held[pool][route.caller] += 1
                fresh[pool][route.caller] += self._desk.kept[route.binding].created > now - DAY
        loads = {
            pool: [Load(caller=who, held=count, of_last_day=fresh[pool][who]) for who, count in counts.items()]
            for pool, counts in held.items()
        }
        return pool_reports(tuple(every.values()), loads)

    def _line(self, number: str) -> Line:
        if number not in self._desk.lines:
            raise MaskingRefused(Wrong.NUMBER_UNKNOWN, "number", "this is no virtual number of ours")
        return self._desk.lines[number]


class MemoryExchange:
    """Exchange."""

    def __init__(self, desk: MemoryDesk) -> None:
        self._desk = desk

    async def resolve(self, dialled: Dialled) -> Verdict:
        """What to do with a call."""
        desk, now = self._desk, self._desk.clock()
        number = virtual_number(dialled.number, desk.region) or ""
        line = desk.lines.get(number)
        at = line.id if line else -1
        by_code = desk.codes.route(dialled.code) if dialled.code else ""
        found = Found(
            line=line,
            direct=desk.routes.get((dialled.caller, at)),
            anyone=desk.routes.get((ANYONE, at)),
            by_code=desk.routes.get((by_code, at)) if by_code else None,
            codes=any(one.coded and one.virtual == at and one.live > now for one in desk.routes.values()),
        )
        most = limits(dialled.caller, number)
        locked = any(desk.tries.get(name, Tries()).locked(now) for name in most)
        decided = decide(found, dialled.caller, dialled.code, now, locked=locked)
        if decided.wrong_code:
            for name, limit in most.items():
                desk.tries[name] = desk.tries.get(name, Tries()).wrong(now, limit)
            locked = any(desk.tries[name].locked(now) for name in most)
            return Verdict(outcome=Outcome.LOCKED if locked else Outcome.ASK_CODE)
        route = decided.route
        if route is None:
            return Verdict(outcome=decided.outcome)
        seen = next(one for one in desk.lines.values() if one.id == route.shown)
        return Verdict(
            outcome=decided.outcome,
            binding=binding_name(route.binding),
            owner=desk.kept[route.binding].owner,
            callee=route.callee,
            shown=seen.about.number,
            seconds=desk.kept[route.binding].longest,
            by_code=bool(by_code) and route.caller == by_code,
        )

    async def click(self, id: str, owner: str) -> ClickPlan:
        """The two calls of a click-to-call. Raises MaskingRefused."""
        kept = self._desk.find(id, owner)
        if kept.closed or self._desk.clock() >= kept.live:
            raise MaskingRefused(Wrong.ENDED, "id", "this binding has ended; make a new one")
        if kept.doctor_line is None:
            raise MaskingRefused(Wrong.FIELD, "id", "click-to-call needs a binding of one patient and one doctor")
        if any(route.binding == kept.id and not route.open for route in self._desk.routes.values()):
            raise MaskingRefused(Wrong.ONE_WAY, "id", ONE_WAY)
        about = self._desk.shown(kept)
        return ClickPlan(
            binding=id, first=kept.doctor, first_sees=about.doctor_number,
            second=kept.patient, second_sees=about.patient_number, seconds=kept.longest,
        )  # fmt: skip

    async def sweep(self) -> int:
        """Forget what has ended and rested."""
        old = {id for id, kept in self._desk.kept.items() if kept.gone <= self._desk.clock()}
        _forget(self._desk, old)
        return len(old)


def _forget(desk: MemoryDesk, ids: set[int]) -> None:
    for id in ids:
        del desk.kept[id]
    desk.routes = {key: route for key, route in desk.routes.items() if route.binding not in ids}
