# Size: one whole life of a binding, told in order.
"""A whole masking life, with every log at its top level, on SQLite, PostgreSQL and a real Redis: then every place where
something may have been left is searched for the two real numbers, in all spellings."""

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import Engine, text

from masking.buckets import Rates
from masking.desk import Desk, open_desk
from masking.leaks import Hit, LeakOracle
from masking.leaks_stores import LogTrap, scan_error, scan_names, scan_redis, scan_sql
from masking.port import (
    Binding,
    CallRecord,
    Decision,
    Dialled,
    Event,
    Happened,
    HookUse,
    Kind,
    LegEnd,
    MaskingRefused,
    MaskingUnavailable,
    Outcome,
    PhoneNumber,
    PreCall,
    Side,
    VirtualNumber,
    Wanted,
)
from masking.reach import Reach, open_reach
from records.database import connect
from tests.contract.desk_rigs import Clock
from tests.postgres import Postgres
from tests.unit.masking.hook_rig import HERE, RING
from tests.unit.masking.receiver import Receiver, receiver
from tests.unit.routing.redis_private import PrivateRedis, private_redis

PATIENT, DOCTOR = "+12025550123", "+447700900123"
ORACLE = LeakOracle([PATIENT, DOCTOR])
RATES = Rates(pair_hour=4, scan_numbers=3)


@dataclass(slots=True, kw_only=True)
class Seen:
    """What a life left behind, beside its stores."""

    errors: list[BaseException] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateRedis]:
    with private_redis(tmp_path_factory.mktemp("redis") / "r") as server:
        yield server


@contextmanager
def trapped() -> Iterator[LogTrap]:
    """Everything that anything logs, statements and rows of SQL included."""
    trap, root, sql = LogTrap(), logging.getLogger(), logging.getLogger("sqlalchemy")
    before = root.level, sql.level
    root.addHandler(trap)
    root.setLevel(1)
    sql.setLevel(1)
    try:
        yield trap
    finally:
        root.removeHandler(trap)
        root.setLevel(before[0])
        sql.setLevel(before[1])


async def refused(seen: Seen, work: object) -> None:
    """What goes wrong leaves a traceback, and that is searched as well."""
    try:
        await work  # type: ignore[misc]
    except (MaskingRefused, MaskingUnavailable, KeyError, ValueError) as error:
        seen.errors.append(error)
    else:
        raise AssertionError("it was not refused")


async def bound(desk: Desk, seen: Seen) -> Binding:
    """A pair with a code, from numbers as people type them; refusals on the way."""
    sides = ((Side.PATIENT, 150), (Side.PATIENT, 151), (Side.DOCTOR, 160), (Side.DOCTOR, 161))
    await desk.numbers.add(tuple(VirtualNumber(number=f"+12025550{at}", side=side, country="US") for side, at in sides))
    typed = Wanted(owner="hotline", kind=Kind.PAIR, doctor="+44 7700 900123", patient="(202) 555-0123", with_code=True)
    wanted = await desk.settle(typed)
    for wrong in (replace(typed, patient="+1 202 555 0123 911"), replace(typed, doctor="+1 900 202 555 0123")):
        await refused(seen, desk.settle(wrong))
    made = await desk.bindings.create(wanted)
    await refused(seen, desk.bindings.create(replace(wanted, doctor=wanted.patient)))
    await refused(seen, desk.bindings.get(made.id, "another"))
    await desk.bindings.renew(made.id, "hotline", 500)
    seen.told += [repr(made), repr(wanted), repr(await desk.numbers.report())]
    return made


async def called(reach: Reach, made: Binding, seen: Seen) -> None:
    """Calls of the patient, of strangers, with codes, until limits are reached; a hook is asked; records are kept."""
    desk, limits = reach.desk, reach.limits
    assert limits is not None
    assert desk.intercept is not None
    patient = await desk.vault.party(PhoneNumber("1-202-555-0123"))
    assert patient.id == made.patient
    verdict = await desk.exchange.resolve(Dialled(number=made.patient_number, caller=patient.id))
    assert verdict.outcome == Outcome.CONNECT
    for code in ("11111111", "12025550123", made.code):
        stranger = await desk.exchange.resolve(Dialled(number=made.doctor_number, caller="", code=code))
        seen.told.append(repr(stranger))
    for at in range(6):
        await limits.admit(f"+1202555015{at}", "party-stranger", "trunk", known=False)
        await limits.admit(made.patient_number, patient.id, "trunk", known=True)
    call = PreCall(
        call="call-x", binding=made.id, owner="hotline", caller=patient.id, callee=made.doctor, by_code=False
    )  # fmt: skip
    assert await desk.intercept.ask(call) == Decision.CONNECT
    number = await desk.vault.dial(made.doctor, desk.policy, reason=f"call to {DOCTOR}", actor="worker 7700900123")
    seen.told += [repr(number), f"{number}", repr(desk.vault), repr(reach)]
    for leg, party in (("a", patient.id), ("b", made.doctor)):
        await desk.diary.record(
            CallRecord(
                call="call-x",
                leg=leg,
                owner="hotline",
                binding=made.id,
                party=party,
                number=made.patient_number,
                provider="sip",
                started=1.0,
                answered=2.0,
                ended=9.0,
                end=LegEnd.COMPLETED,
                released_by="caller",
            )  # fmt: skip
        )
    for kind in (Happened.CALL_STARTED, Happened.CODE_FAILED, Happened.SPOOF_SUSPECT):
        data: dict[str, str | float | None] = {"call": "call-x", "party": patient.id}
        await desk.diary.tell(Event(kind=kind, owner="hotline", binding=made.id, at=3.0, data=data))
    await desk.complaints.add(made.patient_number, f"somebody called me, my number is {PATIENT}")


async def failed(desk: Desk, made: Binding, engine: Engine, seen: Seen) -> None:
    """Errors by force: of arguments, of keys, of the database in the middle of a look-up."""
    await refused(seen, desk.vault.reveal(PATIENT, reason=PATIENT, actor=DOCTOR))
    await refused(seen, desk.vault.reveal(made.patient, reason="", actor=DOCTOR))
    await refused(seen, desk.complaints.add(PATIENT, DOCTOR))
    await refused(seen, desk.diary.tell(_long(made)))
    with engine.begin() as db:
        db.execute(text("UPDATE masking_parties SET number = tag WHERE id = :id"), {"id": made.doctor})
    await refused(seen, desk.vault.reveal(made.doctor, reason="callback", actor="nurse"))
    with engine.begin() as db:
        db.execute(text("ALTER TABLE masking_parties RENAME TO masking_gone"))
    await refused(seen, desk.vault.party(PhoneNumber(PATIENT)))
    await refused(seen, desk.party(DOCTOR, "doctor"))
    with engine.begin() as db:
        db.execute(text("ALTER TABLE masking_gone RENAME TO masking_parties"))


def _long(made: Binding) -> Event:
    return Event(kind=Happened.CALL_STARTED, owner="hotline", binding=made.id, at=1.0, data={"said": PATIENT * 99})


async def life(desk: Desk, reach: Reach, engine: Engine, server: Receiver, clock: Clock) -> Seen:
    """Everything, in order."""
    seen = Seen()
    await desk.hooks.add("hotline", server.url)
    await desk.hooks.add("", server.url)
    await desk.hooks.add("hotline", server.url, use=HookUse.INTERCEPT)
    made = await bound(desk, seen)
    await desk.diary.tell_ends()
    await called(reach, made, seen)
    await failed(desk, made, engine, seen)
    clock.now += 501
    await desk.diary.tell_ends()
    await desk.bindings.close(made.id, "hotline", kill=True)
    for _ in range(20):
        await reach.deliverer.once()
    await desk.vault.erase(made.patient, reason=f"asked for by {PATIENT}", actor="nurse")
    hook = (await desk.hooks.list("hotline"))[0]
    seen.told += [repr(await reach.deliveries.list(hook.id, "hotline")), repr(await desk.diary.calls("hotline"))]
    return seen


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_whole_life_leaves_no_real_number_anywhere(
    kind: str, tmp_path: Path, postgres: Postgres, redis: PrivateRedis
) -> None:
    with Redis.from_url(redis.url) as client, trapped() as trap, receiver() as server:
        client.flushall()
        client.config_set("slowlog-log-slower-than", 0)
        server.answer = lambda got: (200, b'{"decision": "connect"}')
        engine = connect(f"sqlite:///{tmp_path}/masking.db") if kind == "sqlite" else postgres.engine()
        clock = Clock()
        desk = open_desk(engine, RING.sealer, region="US", clock=clock)

        async def run() -> Seen:
            reach = open_reach(
                desk, RING.sealer, taker="one", redis_url=redis.url, redis_patience=60, hook_patience=60,
                networks=HERE, rates=RATES,
            )  # fmt: skip
            try:
                return await life(desk, reach, engine, server, clock)
            finally:
                await reach.close()

        try:
            seen = asyncio.run(run())
            hits = list(scan_sql(ORACLE, engine)) + list(scan_redis(ORACLE, client))
        finally:
            desk.close()
        hits += ORACLE.scan_folder(tmp_path) + scan_names(ORACLE, tmp_path)
        hits += _webhooks(server) + [hit for error in seen.errors for hit in scan_error(ORACLE, error)]
        hits += [*trap.scan(ORACLE), *ORACLE.scan("\n".join(seen.told).encode(), "told")]
        assert hits == []
        _lived(trap, server, client, seen)


def _webhooks(server: Receiver) -> list[Hit]:
    blobs = [f"{got.path} {got.headers}".encode() + got.body for got in server.got]
    return [hit for blob in blobs for hit in ORACLE.scan(blob, "webhook")]


def _lived(trap: LogTrap, server: Receiver, client: "Redis", seen: Seen) -> None:
    """The search would find nothing either where nothing had happened."""
    kinds = {json.loads(got.body)["kind"] for got in server.got}
    assert kinds >= {
        "binding.created", "binding.renewed", "binding.expired", "binding.closed", "call.started", "call.ended",
        "call.intercept", "code.failed", "abuse.scan", "abuse.limited", "abuse.spoof_suspect",
    }  # fmt: skip
    assert "FROM masking_parties" in trap.text
    assert len(seen.errors) >= 10
    assert list(client.scan_iter())


def test_the_search_would_see_a_number_that_got_out(tmp_path: Path, postgres: Postgres, redis: PrivateRedis) -> None:
    clock, engine = Clock(), connect(f"sqlite:///{tmp_path}/masking.db")
    with trapped() as trap:
        desk = open_desk(engine, RING.sealer, region="US", clock=clock)
        event = Event(kind=Happened.CALL_STARTED, owner="", binding="", at=1.0, data={"caller": PATIENT})
        asyncio.run(desk.diary.tell(event))
        with suppress(ValueError):
            raise ValueError(PATIENT)
        logging.getLogger("x").debug("from %s", PATIENT)
        found = {hit.where for hit in scan_sql(ORACLE, engine)}
        desk.close()
    assert found == {"masking_events.data"}
    assert trap.scan(ORACLE)
