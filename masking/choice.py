"""Which numbers a binding gets: the pair's last ones, then those of the area, then the least recently used. Pure.

Thousands of numbers may be taken for a doctor, so a book need not know all routes: the first candidates are looked at,
and only where all of those are taken more are asked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from masking.book import ANYONE, Book, Code, Line, Unseen
from masking.port import Kind, MaskingRefused, Side, Wanted, Wrong

ASKED_AT_ONCE = 256
"""Keys of routes that one refusal for lack of knowledge names."""


def dialling(wanted: Wanted, side: Side, code: Code | None) -> tuple[str, ...]:
    """Whose calls a number of that side is to lead on."""
    if wanted.kind == Kind.FIXED:
        return (ANYONE,)
    if wanted.kind == Kind.GROUP:
        return wanted.members
    known = (wanted.patient,) if side == Side.PATIENT else (wanted.doctor, *wanted.phones)
    if wanted.kind == Kind.CODE and side == Side.DOCTOR:
        known = ()
    return known + ((code.route,) if code and not (wanted.one_way and side == Side.DOCTOR) else ())


def choose(book: Book, wanted: Wanted, side: Side, code: Code | None, now: float, hint: Line | None = None) -> Line:
    """A number of one side; `hint` is what `look` found. Raises MaskingRefused (NO_CAPACITY, CONFLICT, NUMBER_UNKNOWN),
    Unseen."""
    who, other, unseen = _claims(wanted, side, code), _other(wanted, side), set[tuple[str, int]]()
    if hint is not None and _roomy(book, hint, code) and _free(book, who, hint, other, now):
        return hint
    for line in _candidates(book, wanted, side, code, 0):
        free = _free(book, who, line, other, now)
        if free:
            return line
        if free is None and len(unseen) < ASKED_AT_ONCE:
            unseen |= _unknown(book, who, line)
    if unseen:
        raise Unseen(unseen)
    if explicit(wanted, side):
        message = "this number already leads this caller elsewhere, or did recently"
        raise MaskingRefused(Wrong.CONFLICT, f"{side}_number", message)
    message = f"no {side} number is free for this binding; add numbers to the pool"
    raise MaskingRefused(Wrong.NO_CAPACITY, f"{side}_number", message)


def look(
    book: Book, wanted: Wanted, side: Side, code: Code | None, now: float, *, skip: int, most: int
) -> tuple[Line | None, set[tuple[str, int]]]:
    """What will be chosen as far as it can be said: a number, or the keys of routes to be looked at first, those of
    `most` candidates. `skip`: how many bindings come before in the same batch and take the least recently used ones.
    Raises MaskingRefused (NUMBER_UNKNOWN)."""
    who, other, unseen = _claims(wanted, side, code), _other(wanted, side), set[tuple[str, int]]()
    for line in _candidates(book, wanted, side, code, skip):
        free = _free(book, who, line, other, now)
        if free and not unseen:
            return line, unseen
        if free is None:
            if not most:
                break
            unseen |= _unknown(book, who, line)
            most -= 1
    return None, unseen


def explicit(wanted: Wanted, side: Side) -> str:
    """The number that is wanted and no other, or ""."""
    return wanted.patient_number if side == Side.PATIENT else wanted.doctor_number


def _candidates(book: Book, wanted: Wanted, side: Side, code: Code | None, skip: int) -> Iterator[Line]:
    """By preference, lazily: the first nearly always fits."""
    if number := explicit(wanted, side):
        line = book.by_number.get(number)
        if line is None or line.id not in book.order[side]:
            raise MaskingRefused(Wrong.NUMBER_UNKNOWN, f"{side}_number", f"there is no active {side} number like this")
        yield line
        return
    for id in _by_preference(book, wanted, side, skip):
        line = book.lines[id]
        if wanted.country in {"", line.about.country} and _roomy(book, line, code):
            yield line


def _roomy(book: Book, line: Line, code: Code | None) -> bool:
    return code is None or book.codes[line.id] < code.most


def _by_preference(book: Book, wanted: Wanted, side: Side, skip: int) -> Iterator[int]:
    order = book.order[side]
    for patients, doctors in book.earlier.get((wanted.doctor, wanted.patient), ()):
        id = patients if side == Side.PATIENT else doctors
        if id in order:
            yield id  # type: ignore[misc]  # None is in no order
    if wanted.area:
        yield from (id for id in order if book.lines[id].about.area == wanted.area)
    first = skip % len(order) if order else 0
    yield from chain(islice(order, first, None), islice(order, first))


def _other(wanted: Wanted, side: Side) -> str:
    return wanted.doctor if side == Side.PATIENT else wanted.patient


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Whose keys of a number matter."""

    dial: tuple[str, ...]
    """Those who are to dial it."""
    case: str
    """A doctor who sees it as a case number and may have no other use for it; ""."""


def _claims(wanted: Wanted, side: Side, code: Code | None) -> Claims:
    case = wanted.kind == Kind.CODE and side == Side.DOCTOR
    return Claims(dial=dialling(wanted, side, code), case=wanted.doctor if case else "")


def _unknown(book: Book, who: Claims, line: Line) -> set[tuple[str, int]]:
    everybody = (*who.dial, who.case) if who.case else who.dial
    return {(caller, line.id) for caller in everybody if (caller, line.id) not in book.ways}


def _free(book: Book, who: Claims, line: Line, other: str, now: float) -> bool | None:
    """Whether callers may be given a number; None: not known. What rests may be woken for the same two people: nobody
    is misled."""
    known: bool | None = True
    for caller in who.dial:
        key = (caller, line.id)
        if key in book.cases:
            return False
        if key in book.ways:
            way = book.ways[key]
            if way is not None and way.gone > now and not (way.callee == other and way.live <= now):
                return False
        elif not book.whole:
            known = None
    if who.case:
        key = (who.case, line.id)
        if key not in book.ways:
            return known if book.whole else None
        way = book.ways[key]
        if way is not None and way.gone > now:
            return False
    return known
