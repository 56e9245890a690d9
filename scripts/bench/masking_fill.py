"""Fills a database with bindings by the database's own hands: millions in a minute, where binding would take many."""

from collections.abc import Callable

from sqlalchemy import Connection, Engine, Index, text

from masking.schema import bindings, numbers, routes

SIDE = 500
"""Virtual numbers a side."""
DEGREE = 400
"""Patients of a doctor: that many of the doctor's numbers are taken."""
LIFE = 30 * 86400.0
TABLES = (bindings, routes)


def doctors(count: int) -> int:
    """How many doctors so many bindings have."""
    return max(1, -(-count // DEGREE))


def fill(engine: Engine, count: int, now: float, told: Callable[[str], None]) -> None:
    """Pairs as binding would make them: two for each patient, DEGREE for each doctor, numbers in turn. Indexes beside
    the primary keys are made afterwards."""
    postgres = engine.dialect.name == "postgresql"
    indexes: list[Index] = [index for table in TABLES for index in sorted(table.indexes, key=lambda one: str(one.name))]
    with engine.execution_options(write=True).begin() as db:
        if postgres:
            db.execute(text("SET LOCAL session_replication_role = replica"))  # keys to other rows are right by design
        else:
            db.execute(text("PRAGMA cache_size = -600000"))  # KiB; SQLite's own is 2 MiB, and keys come in no order
        _numbers(db)
        for index in indexes:
            index.drop(db)
        values = {"count": count, "doctors": doctors(count), "now": now, "end": now + LIFE, "gone": now + 1.2 * LIFE}
        for name, sql in _statements(postgres).items():
            told(name)
            db.execute(text(sql), values)
        for index in indexes:
            told(str(index.name))
            index.create(db)
        if not postgres:
            db.execute(text("PRAGMA cache_size = -2000"))
    told("statistics")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(text("VACUUM ANALYZE" if postgres else "ANALYZE"))
        if postgres:
            db.execute(text("CHECKPOINT"))


def _numbers(db: Connection) -> None:
    same = {"country": "CN", "area": "", "state": "active", "used": 0}
    rows = [
        {"id": at + 1, "number": f"+86700{at:012}", "side": side, **same}
        for at, side in enumerate(["patient"] * SIDE + ["doctor"] * SIDE)
    ]
    db.execute(numbers.insert(), rows)


def _statements(postgres: bool) -> dict[str, str]:
    """Binding j: the doctor is j mod `doctors`, the patient j / 2; numbers differ for each of one caller's bindings."""
    padded = "lpad(({0})::text, 8, '0')" if postgres else "printf('%08d', {0})"
    counted = "WITH RECURSIVE n(j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM n WHERE j < :count - 1) SELECT j FROM n"
    series = f"({'SELECT generate_series(0, :count - 1)::bigint AS j' if postgres else counted}) AS s"
    doctor = f"'party-doctor-of-bench' || {padded.format('j % :doctors')}"
    patient = f"'party-patient-bench' || {padded.format('j / 2')}"
    id = "(j * 2654435761 % 4294967296) * 1000003"  # each once, in no order: as random as the real ones
    mine = f"1 + (j / 2 * 3 + j % 2) % {SIDE}"
    theirs = f"{SIDE + 1} + (j / :doctors * 131 + j % :doctors * 7) % {SIDE}"  # scattered, as by turns
    no, yes = ("false", "true") if postgres else ("0", "1")

    def routes_of(key: str, reached: str) -> str:
        return f"INSERT INTO masking_routes SELECT {key}, {id}, {reached}, :end, :gone, {yes}, {no} FROM {series}"

    return {
        "bindings": (
            f"INSERT INTO masking_bindings SELECT {id}, 'bench', 'pair', {doctor}, {patient}, {mine}, {theirs}, NULL,"
            f" :now + j * 1e-6, :end, :gone, {0.2 * LIFE}, 3600, {no}, {no}, NULL, '' FROM {series}"
        ),
        "routes of patients": routes_of(f"{patient}, {mine}", f"{doctor}, {theirs}"),
        "routes of doctors": routes_of(f"{doctor}, {theirs}", f"{patient}, {mine}"),
    }


def pair(at: int, count: int) -> tuple[str, str, str]:
    """The patient, the number that the patient dials, and the doctor who is reached."""
    number = f"+86700{(at // 2 * 3 + at % 2) % SIDE:012}"
    return f"party-patient-bench{at // 2:08d}", number, f"party-doctor-of-bench{at % doctors(count):08d}"
