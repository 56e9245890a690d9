"""Rows of the tables as plain values, and back."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, select

from masking.book import Kept, Line, Route
from masking.port import Kind, NumberState, Side, VirtualNumber
from masking.schema import bindings, numbers, routes

ROUTE_COLUMNS = len(routes.columns)
_KEPT = tuple(column.name for column in bindings.columns)


def line_of(row: Row[Any]) -> Line:
    """From a row of `numbers`."""
    return Line(id=row.id, about=_about(row.number, row.side, row.country, row.area, row.state), used=row.used)


@lru_cache(maxsize=50_000)  # pools are read again and again
def _about(number: str, side: str, country: str, area: str, state: str) -> VirtualNumber:
    return VirtualNumber(number=number, side=Side(side), country=country, area=area, state=NumberState(state))


def lines(db: Connection) -> tuple[Line, ...]:
    """All virtual numbers."""
    return tuple(line_of(row) for row in db.execute(select(numbers)))


def route_of(row: Sequence[Any]) -> Route:
    """From a row of `routes`; SQLite writes true as 1."""
    caller, virtual, binding, callee, shown, live, gone, is_open, coded = row
    return Route(
        caller=caller, virtual=virtual, binding=binding, callee=callee, shown=shown, live=live, gone=gone,
        open=bool(is_open), coded=bool(coded),
    )  # fmt: skip


def kept_of(row: Row[Any]) -> Kept:
    """From a row of `bindings`."""
    fields = dict(zip(_KEPT, row, strict=True))
    return Kept(**fields | {"kind": Kind(row.kind)})


def kept_row(kept: Kept) -> dict[str, object]:
    """To a row of `bindings`."""
    return {name: getattr(kept, name) for name in _KEPT}
