"""The few statements that every binding needs, in each database's quickest form: many rows at a time.

SQLAlchemy's own way costs more here than the database does: texts of another length for every batch, a statement a row.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from masking.book import Kept, Route
from masking.schema import bindings, routes

KEPT = tuple(column.name for column in bindings.columns)
ROUTE = tuple(column.name for column in routes.columns)
_kept: Callable[[Kept], tuple[object, ...]] = attrgetter(*KEPT)
_route: Callable[[Route], tuple[object, ...]] = attrgetter(*ROUTE)


class Seen(NamedTuple):
    """A route as it is stored, as far as choosing needs it."""

    caller: str
    virtual: int
    binding: int
    callee: str
    live: float
    gone: float


class Pair(NamedTuple):
    """Numbers that two people had."""

    doctor: str
    patient: str
    patient_line: int
    doctor_line: int | None


class QuickRows(Protocol):
    """Inside a transaction that the caller holds; errors are SQLAlchemy's."""

    def routes_at(self, db: Connection, keys: Collection[tuple[str, int]]) -> Iterable[Seen]:
        """The routes with these keys, caller and number."""
        ...

    def cases_at(self, db: Connection, keys: Collection[tuple[str, int]], now: float) -> Iterable[tuple[str, int]]:
        """Those of the keys, doctor and number, where the number is a case number of the doctor's, live or resting."""
        ...

    def numbers_of(self, db: Connection, people: Collection[tuple[str, str]]) -> Iterable[Pair]:
        """The numbers that these pairs, doctor and patient, have or had; newest first."""
        ...

    def replace(self, db: Connection, old: Sequence[Seen], kept: Sequence[Kept], ways: Sequence[Route]) -> None:
        """Remove routes as they were seen, and insert. Raises IntegrityError where a key is taken."""
        ...

    def used(self, db: Connection, when: Sequence[tuple[int, float]]) -> None:
        """Note when numbers were last used."""
        ...


def quick_rows(db: Connection) -> QuickRows:
    """For the database behind a connection."""
    return PostgresRows() if db.dialect.name == "postgresql" else SqliteRows()


class SqliteRows:
    """SQLite: one statement text, many parameters."""

    def routes_at(self, db: Connection, keys: Collection[tuple[str, int]]) -> Iterable[Seen]:
        """As the protocol says."""
        found = db.exec_driver_sql(
            "SELECT r.caller, r.virtual, r.binding, r.callee, r.live, r.gone FROM json_each(?) AS k CROSS JOIN"
            " masking_routes AS r ON r.caller = k.value ->> 0 AND r.virtual = k.value ->> 1",
            (json.dumps(list(keys)),),
        )
        return [Seen(*row) for row in found]

    def cases_at(self, db: Connection, keys: Collection[tuple[str, int]], now: float) -> Iterable[tuple[str, int]]:
        """As the protocol says."""
        found = db.exec_driver_sql(
            "SELECT k.value ->> 0, k.value ->> 1 FROM json_each(?) AS k WHERE EXISTS (SELECT 1 FROM masking_bindings"
            " AS b WHERE b.kind = 'code' AND b.doctor = k.value ->> 0 AND b.doctor_line = k.value ->> 1"
            " AND b.gone > ?)",
            (json.dumps(list(keys)), now),
        )
        return [(row[0], row[1]) for row in found]

    def numbers_of(self, db: Connection, people: Collection[tuple[str, str]]) -> Iterable[Pair]:
        """As the protocol says."""
        found = db.exec_driver_sql(
            "SELECT b.doctor, b.patient, b.patient_line, b.doctor_line FROM json_each(?) AS k CROSS JOIN"
            " masking_bindings AS b ON b.patient = k.value ->> 1 AND b.doctor = k.value ->> 0 ORDER BY b.created DESC",
            (json.dumps(list(people)),),
        )
        return [Pair(*row) for row in found]

    def replace(self, db: Connection, old: Sequence[Seen], kept: Sequence[Kept], ways: Sequence[Route]) -> None:
        """As the protocol says."""
        if old:
            gone = "DELETE FROM masking_routes WHERE caller = ? AND virtual = ? AND binding = ?"
            db.exec_driver_sql(gone, [tuple(one[:3]) for one in old])
        db.exec_driver_sql(_insert("masking_bindings", KEPT), list(map(_kept, kept)))
        if ways:
            db.exec_driver_sql(_insert("masking_routes", ROUTE), list(map(_route, ways)))

    def used(self, db: Connection, when: Sequence[tuple[int, float]]) -> None:
        """As the protocol says."""
        turned = [(at, line) for line, at in when]
        db.exec_driver_sql("UPDATE masking_numbers SET used = ? WHERE id = ?", turned)


class PostgresRows:
    """PostgreSQL: arrays in, COPY for new rows. Statements are planned each time: a plan that was made while the tables
    were small would read them whole when they are large. Ids hold no comma, so that lists can travel as one text; the
    last item is none's, because an empty text is no list of one."""

    def routes_at(self, db: Connection, keys: Collection[tuple[str, int]]) -> Iterable[Seen]:
        """As the protocol says."""
        callers = ",".join([caller for caller, _ in keys])
        virtual = ",".join([str(line) for _, line in keys])
        return self._rows(
            db,
            "SELECT r.caller, r.virtual, r.binding, r.callee, r.live, r.gone FROM"
            " unnest(string_to_array(%s, ','), string_to_array(%s, ',')::int[]) AS k (caller, virtual)"
            ' JOIN masking_routes AS r ON r.caller = k.caller COLLATE "C" AND r.virtual = k.virtual',
            (f"{callers},-", f"{virtual},0"),
            Seen,
        )

    def cases_at(self, db: Connection, keys: Collection[tuple[str, int]], now: float) -> Iterable[tuple[str, int]]:
        """As the protocol says. LIMIT keeps the planner from reading all cases of everybody."""
        callers = ",".join([caller for caller, _ in keys])
        virtual = ",".join([str(line) for _, line in keys])
        with _cursor(db) as cursor:
            cursor.execute(
                "SELECT k.caller, k.virtual FROM unnest(string_to_array(%s, ','), string_to_array(%s, ',')::int[])"
                " AS k (caller, virtual), LATERAL (SELECT 1 FROM masking_bindings AS b WHERE b.kind = 'code' AND"
                ' b.doctor = k.caller COLLATE "C" AND b.doctor_line = k.virtual AND b.gone > %s LIMIT 1) AS c',
                (f"{callers},-", f"{virtual},0", now),
                prepare=False,
            )
            return [(row[0], row[1]) for row in cursor]

    def numbers_of(self, db: Connection, people: Collection[tuple[str, str]]) -> Iterable[Pair]:
        """As the protocol says."""
        doctors, patients = (",".join([pair[at] for pair in people]) for at in (0, 1))
        return self._rows(
            db,
            "SELECT b.doctor, b.patient, b.patient_line, b.doctor_line FROM"
            " unnest(string_to_array(%s, ','), string_to_array(%s, ',')) AS k (doctor, patient) JOIN masking_bindings"
            ' AS b ON b.patient = k.patient COLLATE "C" AND b.doctor = k.doctor COLLATE "C" ORDER BY b.created DESC',
            (f"{doctors},-", f"{patients},-"),
            Pair,
        )

    def replace(self, db: Connection, old: Sequence[Seen], kept: Sequence[Kept], ways: Sequence[Route]) -> None:
        """As the protocol says."""
        with _cursor(db) as cursor:
            if old:
                gone = "DELETE FROM masking_routes WHERE caller = %s AND virtual = %s AND binding = %s"
                cursor.executemany(gone, [one[:3] for one in old])
            _copy(cursor, "masking_bindings", KEPT, map(_kept_line, kept))
            if ways:
                _copy(cursor, "masking_routes", ROUTE, map(_route_line, ways))

    def used(self, db: Connection, when: Sequence[tuple[int, float]]) -> None:
        """As the protocol says."""
        lines, times = (",".join([str(one[at]) for one in when]) for at in (0, 1))
        with _cursor(db) as cursor:
            cursor.execute(
                "UPDATE masking_numbers AS n SET used = k.at FROM"
                " unnest(string_to_array(%s, ',')::int[], string_to_array(%s, ',')::float8[]) AS k (line, at)"
                " WHERE n.id = k.line",
                (lines, times),
                prepare=False,
            )

    def _rows(self, db: Connection, sql: str, values: tuple[str, ...], kind: Callable[..., Any]) -> list[Any]:
        with _cursor(db) as cursor:
            cursor.execute(sql, values, prepare=False)
            return [kind(*row) for row in cursor]


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({_names(columns)}) VALUES ({', '.join('?' * len(columns))})"


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


@contextmanager
def _cursor(db: Connection) -> Iterator[Any]:
    """The driver's own cursor in the same transaction; its errors become SQLAlchemy's, without values."""
    driver: Any = db.dialect.loaded_dbapi
    try:
        with db.connection.cursor() as cursor:  # type: ignore[attr-defined]
            yield cursor
    except driver.IntegrityError as error:
        raise IntegrityError("COPY", None, error, hide_parameters=True) from None
    except driver.Error as error:
        raise DBAPIError("COPY", None, error, hide_parameters=True) from None


def _copy(cursor: Any, table: str, columns: Sequence[str], rows: Iterable[str]) -> None:
    with cursor.copy(f"COPY {table} ({_names(columns)}) FROM STDIN") as copy:
        copy.write("".join(rows))


def _kept_line(kept: Kept) -> str:
    """A line as PostgreSQL's COPY reads it (its manual, page COPY, "Text Format"), columns as in KEPT. Party ids are
    letters, digits, "-" and "_"."""
    code = "\\N" if kept.code is None else "\\\\x" + kept.code.hex()
    key = "\\N" if kept.key is None else _escaped(kept.key)
    line = "\\N" if kept.doctor_line is None else kept.doctor_line
    return (
        f"{kept.id}\t{_escaped(kept.owner)}\t{kept.kind}\t{kept.doctor}\t{kept.patient}\t{kept.patient_line}\t{line}"
        f"\t{code}\t{kept.created!r}\t{kept.live!r}\t{kept.gone!r}\t{kept.quarantine!r}\t{kept.longest!r}"
        f"\t{'ft'[kept.closed]}\t{'ft'[kept.killed]}\t{key}\t{kept.asked}\n"
    )


def _route_line(route: Route) -> str:
    """Columns as in ROUTE."""
    return (
        f"{route.caller}\t{route.virtual}\t{route.binding}\t{route.callee}\t{route.shown}\t{route.live!r}"
        f"\t{route.gone!r}\t{'ft'[route.open]}\t{'ft'[route.coded]}\n"
    )


def _escaped(text: str) -> str:
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPES)


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
