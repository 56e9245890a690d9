"""Rows of the tables as plain values, and back."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Connection, Row, select

from masking.book import Kept, Line, Route, Way
from masking.port import Kind, NumberState, Side, VirtualNumber
from masking.schema import bindings, numbers, routes

_ROUTE = tuple(column.name for column in routes.columns)
_KEPT = tuple(column.name for column in bindings.columns)


def line_of(row: Row[Any]) -> Line:
    """From a row of `numbers`."""
    return Line(id=row.id, about=_about(row.number, row.side, row.country, row.area, row.state), used=row.used)


@lru_cache(maxsize=50_000)  # every batch of bindings reads all numbers
def _about(number: str, side: str, country: str, area: str, state: str) -> VirtualNumber:
    return VirtualNumber(number=number, side=Side(side), country=country, area=area, state=NumberState(state))


def lines(db: Connection) -> tuple[Line, ...]:
    """All virtual numbers."""
    return tuple(line_of(row) for row in db.execute(select(numbers)))


def route_of(row: Row[Any]) -> Route:
    """From a row of `routes`."""
    return Route(**dict(zip(_ROUTE, row, strict=True)))


def route_row(route: Route) -> dict[str, object]:
    """To a row of `routes`."""
    return {name: getattr(route, name) for name in _ROUTE}


def ways_of(db: Connection, callers: Iterable[str]) -> Iterable[Way]:
    """The routes of these callers, as far as choosing numbers needs them."""
    c = routes.c
    query = select(c.caller, c.virtual, c.callee, c.live, c.gone).where(c.caller.in_(callers))
    return cast("Iterable[Way]", db.execute(query))


def kept_of(row: Row[Any]) -> Kept:
    """From a row of `bindings`."""
    fields = dict(zip(_KEPT, row, strict=True))
    return Kept(**fields | {"kind": Kind(row.kind)})


def kept_row(kept: Kept) -> dict[str, object]:
    """To a row of `bindings`."""
    return {name: getattr(kept, name) for name in _KEPT}
