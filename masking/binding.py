"""How a binding is made, renewed and ended: pure rules over a snapshot, the same for every store."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from masking.book import ANYONE, FOREVER, Book, Code, Kept, Line, Route
from masking.port import Binding, Kind, MaskingRefused, Side, Wanted, Wrong
from masking.wishes import LONGEST_LIFE, SHORTEST_LIFE, fingerprint


def bind(book: Book, wanted: Wanted, *, id: int, now: float, code: Code | None) -> tuple[Kept, tuple[Route, ...]]:
    """The binding and its routes; the book is not changed. Raises MaskingRefused (NO_CAPACITY, CONFLICT,
    NUMBER_UNKNOWN)."""
    end = FOREVER if wanted.life is None else now + wanted.life
    gone = FOREVER if wanted.life is None else end + wanted.quarantine
    patients = _choose(book, wanted, Side.PATIENT, _dialling(wanted, Side.PATIENT, code), wanted.doctor, now, code)
    two = wanted.kind in {Kind.PAIR, Kind.CODE}
    doctors = None
    if two:
        doctors = _choose(book, wanted, Side.DOCTOR, _dialling(wanted, Side.DOCTOR, code), wanted.patient, now, code)
    routes = _routes(wanted, patients, doctors, code, binding=id, live=end, gone=gone)
    kept = Kept(
        id=id,
        owner=wanted.owner,
        kind=wanted.kind,
        doctor=wanted.doctor,
        patient=wanted.patient,
        patient_line=patients.id,
        doctor_line=doctors.id if doctors else None,
        code=code.sealed if code else None,
        created=now,
        live=end,
        gone=gone,
        quarantine=wanted.quarantine,
        longest=wanted.longest_call,
        key=wanted.key or None,
        asked=fingerprint(wanted) if wanted.key else "",
    )
    return kept, routes


def _routes(
    wanted: Wanted, patients: Line, doctors: Line | None, code: Code | None, *, binding: int, live: float, gone: float
) -> tuple[Route, ...]:
    sides = [(Side.PATIENT, patients, doctors or patients, wanted.doctor)]
    if doctors is not None:
        sides.append((Side.DOCTOR, doctors, patients, wanted.patient))
    return tuple(
        Route(
            caller=caller,
            virtual=mine.id,
            binding=binding,
            callee=callee,
            shown=other.id,
            live=live,
            gone=gone,
            open=not (wanted.one_way and side == Side.DOCTOR),
            coded=code is not None and caller == code.route,
        )
        for side, mine, other, callee in sides
        for caller in _dialling(wanted, side, code)
    )


def renewed(kept: Kept, life: float | None, now: float) -> Kept:
    """With a new end. Raises MaskingRefused where it is no longer live."""
    if life is not None and not SHORTEST_LIFE <= life <= LONGEST_LIFE:
        raise MaskingRefused(Wrong.FIELD, "life", f"the life must be at least {SHORTEST_LIFE:.0f} seconds")
    if kept.closed or now >= kept.live:
        raise MaskingRefused(Wrong.ENDED, "id", "this binding has ended; make a new one")
    end = FOREVER if life is None else now + life
    return replace(kept, live=end, gone=FOREVER if life is None else end + kept.quarantine)


def ended(kept: Kept, now: float, *, kill: bool) -> Kept:
    """Closed now; what had ended already keeps its times."""
    killed = kept.killed or kill
    if kept.closed or now >= kept.live:
        return replace(kept, closed=True, killed=killed)
    return replace(kept, closed=True, killed=killed, live=now, gone=now + kept.quarantine)


def route_times(kept: Kept) -> tuple[float, float]:
    """`live` and `gone` of the routes of a binding."""
    return (0.0 if kept.closed else kept.live), kept.gone


def _dialling(wanted: Wanted, side: Side, code: Code | None) -> tuple[str, ...]:
    """Whose calls a number of that side is to lead on."""
    if wanted.kind == Kind.FIXED:
        return (ANYONE,)
    if wanted.kind == Kind.GROUP:
        return wanted.members
    known = (wanted.patient,) if side == Side.PATIENT else (wanted.doctor, *wanted.phones)
    if wanted.kind == Kind.CODE and side == Side.DOCTOR:
        known = ()
    return known + ((code.route,) if code and not (wanted.one_way and side == Side.DOCTOR) else ())


def _choose(
    book: Book, wanted: Wanted, side: Side, dialling: Sequence[str], other: str, now: float, code: Code | None
) -> Line:
    explicit = wanted.patient_number if side == Side.PATIENT else wanted.doctor_number
    name = f"{side}_number"
    if explicit:
        return _explicit(book, explicit, name, side, dialling, other, now)
    for line in _by_preference(book, side, dialling, other, wanted.area):
        fits = wanted.country in {"", line.about.country}
        roomy = code is None or book.codes[line.id] < code.most
        if fits and roomy and all(_free(book, caller, line.id, other, now) for caller in dialling):
            return line
    raise MaskingRefused(Wrong.NO_CAPACITY, name, f"no {side} number is free for this binding; add numbers to the pool")


def _explicit(
    book: Book, number: str, name: str, side: Side, dialling: Sequence[str], other: str, now: float
) -> Line:
    line = next((line for line in book.lines.values() if line.about.number == number), None)
    if line is None or line.about.side != side or line.id not in book.order[side]:
        raise MaskingRefused(Wrong.NUMBER_UNKNOWN, name, f"there is no active {side} number like this")
    if not all(_free(book, caller, line.id, other, now) for caller in dialling):
        raise MaskingRefused(Wrong.CONFLICT, name, "this number already leads this caller elsewhere, or did recently")
    return line


def _by_preference(book: Book, side: Side, dialling: Sequence[str], other: str, area: str) -> Iterator[Line]:
    """The pair's last number, then those of the area, then all, least recently used first. Lazily: the first nearly
    always fits."""
    order = book.order[side]
    for route in book.routes.get(dialling[0], {}).values() if dialling else ():
        if route.callee == other and route.virtual in order:
            yield book.lines[route.virtual]
    if area:
        yield from (book.lines[id] for id in order if book.lines[id].about.area == area)
    yield from (book.lines[id] for id in order)


def _free(book: Book, caller: str, line: int, other: str, now: float) -> bool:
    """Whether a caller may be given a number. What rests may be woken for the same two people: nobody is misled."""
    route = book.routes.get(caller, {}).get(line)
    if route is None or route.gone <= now:
        return True
    return route.callee == other and route.live <= now


def shown(kept: Kept, id: str, code: str, lines: "dict[int, Line]") -> Binding:
    """As its owner sees it."""
    return Binding(
        id=id,
        owner=kept.owner,
        kind=kept.kind,
        doctor=kept.doctor,
        patient=kept.patient,
        patient_number=lines[kept.patient_line].about.number,
        doctor_number=lines[kept.doctor_line].about.number if kept.doctor_line is not None else "",
        code=code,
        created=kept.created,
        ends=None if kept.live >= FOREVER else kept.live,
        free=None if kept.gone >= FOREVER else kept.gone,
        closed=kept.closed,
        killed=kept.killed,
    )
