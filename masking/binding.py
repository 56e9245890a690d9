"""How a binding is made, renewed and ended: pure rules over a snapshot, the same for every store."""

from dataclasses import replace

from masking.book import FOREVER, Book, Code, Kept, Line, Route
from masking.choice import choose, dialling
from masking.port import Binding, Kind, MaskingRefused, Side, Wanted, Wrong
from masking.wishes import LONGEST_LIFE, SHORTEST_LIFE, fingerprint

Hints = tuple[Line | None, Line | None]


def bind(
    book: Book, wanted: Wanted, *, id: int, now: float, code: Code | None, hints: Hints = (None, None)
) -> tuple[Kept, tuple[Route, ...]]:
    """The binding and its routes; the book is not changed. `hints`: numbers that will do, patient's and doctor's side.
    Raises MaskingRefused (NO_CAPACITY, CONFLICT, NUMBER_UNKNOWN), and Unseen where the book knows too little."""
    end = FOREVER if wanted.life is None else now + wanted.life
    gone = FOREVER if wanted.life is None else end + wanted.quarantine
    patients = choose(book, wanted, Side.PATIENT, code, now, hints[0])
    two = wanted.kind in {Kind.PAIR, Kind.CODE}
    doctors = choose(book, wanted, Side.DOCTOR, code, now, hints[1]) if two else None
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
        for caller in dialling(wanted, side, code)
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
