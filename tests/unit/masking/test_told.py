"""Bindings are told of, their ends too; what is old is forgotten; complaints add up."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from masking.bindings_sql import SqlBindings
from masking.codes import Codes
from masking.complaints import WINDOW, SqlComplaints
from masking.deliverer import ENDS_EVERY, Deliverer
from masking.diary_sql import DAY
from masking.numbers_sql import SqlNumbers
from masking.outbox import Outbox
from masking.port import (
    Alert,
    Binding,
    CallRecord,
    Event,
    Happened,
    Kind,
    LegEnd,
    MaskingRefused,
    MaskingUnavailable,
    Side,
    VirtualNumber,
    Wanted,
)
from masking.poster import Poster
from masking.told import ToldBindings
from tests.contract.desk_rigs import SEALER
from tests.postgres import Postgres
from tests.unit.masking.hook_rig import HERE, PLAIN, Rig, rig, told
from tests.unit.masking.receiver import receiver

WANTED = Wanted(owner="hotline", kind=Kind.PAIR, doctor="party-d", patient="party-p", life=1000, quarantine=0, key="k")


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres) -> Iterator[Rig]:
    with rig(request.param, tmp_path, postgres) as opened:
        yield opened


@pytest.fixture
def lone(tmp_path: Path, postgres: Postgres) -> Iterator[Rig]:
    with rig("sqlite", tmp_path, postgres) as opened:
        yield opened


def bindings(store: Rig, count: int = 1) -> ToldBindings:
    sides = [(Side.PATIENT, at) for at in range(count)] + [(Side.DOCTOR, 5000 + at) for at in range(count)]
    made = tuple(VirtualNumber(number=f"+1202555{at:04d}", side=side, country="US") for side, at in sides)
    asyncio.run(SqlNumbers(store.ledger).add(made))
    return ToldBindings(SqlBindings(store.ledger, Codes(SEALER)), store.diary, store.clock)


def kinds(store: Rig, binding: str = "") -> list[Happened]:
    found = asyncio.run(store.diary.events("hotline", binding=binding, limit=1000))
    return [one.event.kind for one in sorted(found, key=lambda one: one.order)]


def test_a_bindings_life_is_told_in_order_and_each_step_once(store: Rig) -> None:
    doors = bindings(store)
    made = asyncio.run(doors.create(WANTED))
    assert asyncio.run(doors.create(WANTED)) == made
    asyncio.run(doors.renew(made.id, "hotline", 2000))
    for kill in (False, False, True):
        asyncio.run(doors.close(made.id, "hotline", kill=kill))
    assert kinds(store, made.id) == [
        Happened.BINDING_CREATED, Happened.BINDING_RENEWED, Happened.BINDING_CLOSED, Happened.BINDING_CLOSED,
    ]  # fmt: skip
    events = asyncio.run(store.diary.events("hotline"))
    assert [one.event.data["killed"] for one in events[:2]] == [1.0, 0.0]
    assert events[-1].event.data["patient_number"] == made.patient_number
    with pytest.raises(MaskingRefused):
        asyncio.run(doors.renew(made.id, "hotline", 2000))
    assert len(kinds(store)) == 4


class Full:
    """A diary that takes nothing."""

    async def tell(self, event: Event, *, once: str = "") -> None:
        raise MaskingUnavailable("full")


def test_a_binding_is_never_lost_for_the_sake_of_its_event_which_the_same_request_brings_back(lone: Rig) -> None:
    doors = bindings(lone)
    mute = ToldBindings(SqlBindings(lone.ledger, Codes(SEALER)), Full(), lone.clock)
    made = asyncio.run(mute.create(WANTED))
    assert kinds(lone) == []
    assert asyncio.run(doors.create(WANTED)) == made
    assert kinds(lone) == [Happened.BINDING_CREATED]


def test_ends_are_told_once_whoever_looks_and_closed_bindings_have_none(store: Rig) -> None:
    doors = bindings(store, 3)
    assert asyncio.run(store.diary.tell_ends()) == 0

    async def make(at: int) -> Binding:
        return await doors.create(replace(WANTED, doctor=f"party-{'abc'[at]}", key=f"k{at}", life=1000 + 100 * at))

    first, closed, renewed = (asyncio.run(make(at)) for at in range(3))
    asyncio.run(doors.close(closed.id, "hotline"))
    asyncio.run(doors.renew(renewed.id, "hotline", 5000))
    began = store.clock.now
    for _ in range(3):
        store.clock.now += 999
        asyncio.run(store.diary.tell_ends())
    assert kinds(store, first.id)[-1] == Happened.BINDING_EXPIRED
    (end,) = [one for one in asyncio.run(store.diary.events("hotline")) if one.event.kind == Happened.BINDING_EXPIRED]
    assert end.event.at == began + 1000
    assert Happened.BINDING_EXPIRED not in kinds(store, closed.id)
    store.clock.now += 5000
    asyncio.run(store.diary.tell_ends())
    assert kinds(store, renewed.id).count(Happened.BINDING_EXPIRED) == 1


def test_many_ends_of_one_moment_are_all_told(lone: Rig) -> None:
    doors = bindings(lone, 600)
    asyncio.run(lone.diary.tell_ends())

    async def make() -> None:
        wanted = [replace(WANTED, doctor=f"party-d{at}", key="") for at in range(600)]
        await asyncio.gather(*map(doors.create, wanted))

    asyncio.run(make())
    lone.clock.now += 1000
    asyncio.run(lone.diary.tell_ends())
    lone.clock.now -= 500
    asyncio.run(lone.diary.tell_ends())
    lone.clock.now += 5000
    asyncio.run(lone.diary.tell_ends())
    found = asyncio.run(lone.diary.events("hotline", limit=1000))
    assert sum(one.event.kind == Happened.BINDING_EXPIRED for one in found) == 600


def test_old_events_and_records_go_and_the_count_of_a_binding_goes_on(store: Rig) -> None:
    with receiver() as server:
        store.add(server.url)
        store.tell(Happened.CALL_STARTED, Happened.CALL_ANSWERED)
        store.tell(Happened.SCAN_SUSPECT, binding="")
        leg = CallRecord(
            call="call-x", leg="b", owner="hotline", binding="binding-a", party="", number="+12025550100",
            provider="sip", started=1.0, answered=None, ended=store.clock.now, end=LegEnd.BUSY, released_by="us",
        )  # fmt: skip
        asyncio.run(store.diary.record(leg))
        store.clock.now += 40 * DAY
        assert asyncio.run(store.diary.tidy(event_days=30, record_days=50)) == 2
        assert kinds(store) == [Happened.CALL_ANSWERED]
        assert len(asyncio.run(store.diary.calls("hotline"))) == 1
        store.tell(Happened.CALL_STARTED)
        store.deliver(rounds=3)
        assert told(server) == [("call.answered", 2), ("call.started", 3)]
        store.clock.now += 20 * DAY
        assert asyncio.run(store.diary.tidy(event_days=30, record_days=50)) == 2
        assert asyncio.run(store.diary.calls("hotline")) == ()


def test_complaints_add_up_for_thirty_days_and_then_the_operator_is_told(store: Rig) -> None:
    bindings(store, 2)
    number, other, alerts = "+12025550000", "+12025550001", list[Alert]()
    complaints = SqlComplaints(store.ledger, most=3, alert=alerts.append)
    counts = [asyncio.run(complaints.add(number, "calls at night from +1 202 555 0123")) for _ in range(2)]
    store.clock.now += WINDOW / 2
    counts += [asyncio.run(complaints.add(one)) for one in (other, number)]
    assert counts == [1, 2, 1, 3]
    assert alerts == [Alert(code="complaints", what=number)]
    assert [(one.number, one.count) for one in asyncio.run(complaints.list())] == [(number, 3), (other, 1)]
    store.clock.now += WINDOW / 2 + 1
    assert asyncio.run(complaints.add(number)) == 2
    with pytest.raises(MaskingRefused, match="no virtual number"):
        asyncio.run(complaints.add("+12025559999"))


def test_a_deliverer_runs_until_it_is_cancelled_and_tells_ends_by_itself(lone: Rig) -> None:
    doors = bindings(lone)

    async def run(url: str) -> None:
        poster = Poster(networks=HERE, context=PLAIN)
        outbox = Outbox(lone.ledger, lone.hooks, taker="one", jitter=lambda: 0.0)
        task = asyncio.create_task(Deliverer(lone.diary, outbox, poster, clock=lone.clock).run())
        await lone.hooks.add("hotline", url, kinds=(Happened.BINDING_CREATED, Happened.BINDING_EXPIRED))
        await doors.create(WANTED)
        lone.clock.now += 1000 + ENDS_EVERY
        async with asyncio.timeout(20):
            while len(server.got) < 2:  # noqa: ASYNC110 - the server has a thread of its own
                await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await poster.close()

    with receiver() as server:
        asyncio.run(run(server.url))
        assert told(server) == [("binding.created", 1), ("binding.expired", 2)]
