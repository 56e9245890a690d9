"""Legs in progress on our own lines: SQLite, PostgreSQL."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from masking.database import prepare
from masking.diary_sql import SqlDiary
from masking.ledger import Ledger
from masking.line_legs_sql import SqlLineLegs
from masking.port import CallRecord, LegEnd, LineLeg
from records.database import connect
from tests.contract.desk_rigs import Clock
from tests.postgres import Postgres

A = LineLeg(
    call="call-x", leg="a", keeper="worker-1.abc", owner="", binding="", party="party-a", number="+12025550101",
    started=5.0, answered=None, by_code=False, until=900.0,
)  # fmt: skip
B = replace(A, leg="b", owner="ward", binding="binding-1", party="party-b", number="+12025550102", started=6.0)
ENDED = CallRecord(
    call="call-x", leg="b", owner="ward", binding="binding-1", party="party-b", number="+12025550102", provider="sip",
    started=6.0, answered=None, ended=9.0, end=LegEnd.BUSY, released_by="callee",
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Rig:
    """Legs, their diary and clock."""

    legs: SqlLineLegs
    diary: SqlDiary
    clock: Clock


@pytest.fixture(params=["sqlite", "postgresql"])
def rig(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres) -> Iterator[Rig]:
    """On each database."""
    clock = Clock(now=7.0)
    sqlite = request.param == "sqlite"
    engine = prepare(connect(f"sqlite:///{tmp_path}/masking.db")) if sqlite else postgres.engine()
    ledger = Ledger(engine, patience=60, clock=clock)
    yield Rig(legs=SqlLineLegs(ledger), diary=SqlDiary(ledger), clock=clock)
    ledger.close()


def test_a_leg_is_kept_as_last_told_until_its_record_is_written(rig: Rig) -> None:
    async def go() -> None:
        await rig.legs.hold((A,))
        assert await rig.legs.held() == (replace(A, seen=7.0),)
        rig.clock.now = 8.0
        known = replace(A, owner="ward", binding="binding-1", answered=6.5)
        await rig.legs.hold((known, B))
        await rig.legs.hold((replace(A, call="call-y"),))
        assert await rig.legs.held() == tuple(
            replace(one, seen=8.0) for one in (known, B, replace(A, call="call-y"))
        )
        await rig.diary.record(ENDED)
        await rig.legs.hold((known, replace(B, answered=9.0)))  # late: leg b's record stands
        assert {(one.call, one.leg) for one in await rig.legs.held()} == {("call-x", "a"), ("call-y", "a")}
        await rig.diary.record(replace(ENDED, leg="a"))
        await rig.legs.hold((known, B))
        assert [one.call for one in await rig.legs.held()] == ["call-y"]

    asyncio.run(go())
