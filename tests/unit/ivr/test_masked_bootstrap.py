"""Masked calls as a worker opens them: the real vault, bindings, wishes and policy on SQLite."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from config.settings import Masking, Settings
from ivr.bootstrap.masked import MaskedCalls
from ivr.lines.wav import WavLine
from ivr.masked.session import MaskedSession
from ivr.ports import LegArrived
from ivr.worker import Limits, Worker
from masking.desk import Desk, open_desk
from masking.port import Binding, Kind, NumberState, PhoneNumber, Side, VirtualNumber, Wanted, WishState
from records.database import connect
from records.keys import KeyRing
from tests.calls.world import World, make_doors
from tests.masked.world import DOCTOR, DOCTOR_NUMBER, PATIENT, PATIENT_NUMBER, Do, Person

KEYS = KeyRing({1: b"k" * 32})


class Office:
    """A worker with the real room of masking."""

    def __init__(self, desk: Desk, hotline: tuple[str, ...] = ()) -> None:
        self.desk = desk
        self.rung: list[str] = []
        self.line = WavLine(self._phone)
        out = Masking(outbound="sip:{digits}@trunk.example;x", hotline_numbers=hotline)
        settings = Settings().model_copy(update={"masking": out})
        doors = replace(make_doors(World(acts=()), self.line), masking=desk.vault)
        self.masked = MaskedCalls(settings, doors, desk)
        self.sessions: list[MaskedSession] = []
        self.worker = Worker(doors, Limits(callers=4), masked=self._session)

    def _session(self, arrival: LegArrived) -> MaskedSession | None:
        found = self.masked.session(arrival)
        if found is not None:
            assert isinstance(found, MaskedSession)
            self.sessions.append(found)
        return found

    def _phone(self, address: str) -> Person:
        self.rung.append(address)
        return Person("+" + address[4:15], Do(after=1, keys="1"), Do(after=3, hang_up=True))

    async def settle(self) -> None:
        await asyncio.sleep(0.001)
        for session in self.sessions:
            await session.settle()

    async def bind(self) -> Binding:
        numbers = ((PATIENT_NUMBER, Side.PATIENT), (DOCTOR_NUMBER, Side.DOCTOR))
        await self.desk.numbers.add(tuple(VirtualNumber(number=one, side=side, country="US") for one, side in numbers))
        doctor, patient = [(await self.desk.vault.party(PhoneNumber(one))).id for one in (DOCTOR, PATIENT)]
        await self.masked.learn()
        return await self.desk.bindings.create(Wanted(owner="ward", kind=Kind.PAIR, doctor=doctor, patient=patient))


def run(folder: Path, work: Callable[[Office], Awaitable[None]], hotline: tuple[str, ...] = ()) -> None:
    async def go() -> None:
        desk = open_desk(connect(f"sqlite:///{folder}/masking.db"), KEYS.sealer, region="US")
        try:
            await work(Office(desk, hotline))
        finally:
            await asyncio.to_thread(desk.close)

    asyncio.run(go())


@pytest.mark.parametrize("spelt", [PATIENT_NUMBER, PATIENT_NUMBER[1:], PATIENT_NUMBER[2:]])
def test_a_call_to_a_virtual_number_is_masked_whatever_its_spelling(tmp_path: Path, spelt: str) -> None:
    async def work(office: Office) -> None:
        await office.bind()
        arrival = LegArrived(leg="x", caller=None, dialled=spelt)
        assert office.masked.session(arrival) is not None
        await office.desk.numbers.change(PATIENT_NUMBER, NumberState.SUSPENDED)
        await office.masked.learn()
        assert office.masked.session(arrival) is not None, "whoever dials it may not land elsewhere"
        for other in ("hotline", "+12025550199", "", "911"):
            assert office.masked.session(replace(arrival, dialled=other)) is None

    run(tmp_path, work)


def test_the_hotlines_own_number_leads_to_the_hotline_also_when_it_is_in_a_pool(tmp_path: Path) -> None:
    async def work(office: Office) -> None:
        await office.bind()
        arrival = LegArrived(leg="x", caller=None, dialled=PATIENT_NUMBER)
        assert office.masked.session(arrival) is None
        assert office.masked.session(replace(arrival, dialled=DOCTOR_NUMBER)) is not None

    run(tmp_path, work, hotline=(PATIENT_NUMBER,))


def test_a_whole_call_with_records_events_and_audit(tmp_path: Path) -> None:
    async def work(office: Office) -> None:
        made = await office.bind()
        caller = Person(PATIENT)
        office.worker.arrived(office.line.ring(caller, PhoneNumber(PATIENT), made.patient_number))
        assert await office.line.run(office.settle, seconds=40)
        await office.worker.drain(5)
        assert office.rung == [f"sip:{DOCTOR[1:]}@trunk.example;x"]
        assert caller.hears(DOCTOR)
        assert {one.leg for one in await office.desk.diary.calls("ward")} == {"a", "b"}

    run(tmp_path, work)


def test_wishes_are_taken_from_sql(tmp_path: Path) -> None:
    async def work(office: Office) -> None:
        made = await office.bind()
        wishes = office.desk.wishes
        assert wishes is not None
        wish = await wishes.ask(made.id, "ward")
        clicks = office.masked.clicks(office.worker, "me")
        assert clicks is not None
        assert await clicks.look()
        assert (await wishes.get(wish.id, "ward")).state is not WishState.WAITING
        await office.worker.stop()

    run(tmp_path, work)


@pytest.mark.parametrize("spelt", ["+86700123456789012", "86700123456789012", "0700123456789012"])
def test_a_long_number_made_for_masking_is_one_of_ours(tmp_path: Path, spelt: str) -> None:
    """Chinese 700 numbers have seventeen digits, more than E.164 knows."""

    async def work(office: Office) -> None:
        await office.desk.numbers.add((VirtualNumber(number="+86700123456789012", side=Side.PATIENT, country="CN"),))
        await office.masked.learn()
        assert office.masked.session(LegArrived(leg="x", caller=None, dialled=spelt)) is not None

    run(tmp_path, work)
