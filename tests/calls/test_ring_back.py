"""Callers of a process that died: rung back as whole calls, the most urgent first, by exactly one process."""

# Size: one house with a dead process, and everything that can come of its callers

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from ivr.call.state import State
from ivr.lifeline import Earlier
from ivr.lines.wav import FarEnd, Moment, WavLine
from ivr.ringback import CUT_OFF, RingBacks, Trunk
from ivr.session import Session
from ivr.worker import Limits, Worker, new_call_id
from masking.memory import MemoryMasking
from masking.port import PhoneNumber
from records.memory import MemoryCallbacks, MemoryJournal, MemoryLifelines
from records.port import Entry, Lifeline
from tests.calls.people import TAKES, Act, Caller, NursePhone, after, during, hangs_up, presses, says
from tests.calls.world import World, make_doors

NUMBER = "+12025550142"
OTHER = "+12025550187"
DEAD = "worker-9.dead"
LEAVES = hangs_up(during(State.BRIDGED, 1))


class Rung:
    """A caller's phone that we call: it rings, and is picked up or not."""

    def __init__(self, caller: Caller, *, rings: float = 0.5, answers: bool = True, declines: bool = False) -> None:
        self.caller = caller
        self._due = round(rings / 0.02)
        self._answers, self._declines = answers, declines
        self._age = 0

    def moment(self, heard: bytes | None) -> Moment:
        """20 ms."""
        self._age += 1
        if heard is not None:
            return self.caller.moment(heard)
        due = self._age == self._due
        return Moment(answer=due and self._answers, hang_up=due and self._declines)


@dataclass
class House:
    """A process that takes over from a dead one, and the phones around it."""

    folder: Path
    template: str = "sip:{number}@127.0.0.1:5099"
    nurses: tuple[str, ...] = ("nurse",)
    dialled: list[str] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    phones: dict[str, Callable[[], FarEnd]] = field(default_factory=dict)
    acts: tuple[Act, ...] = ()
    taken: list[NursePhone] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        (self.folder / DEAD).touch()
        self.line = WavLine(self._phone)
        self.lines, self.callbacks, self.journal = MemoryLifelines(), MemoryCallbacks(), MemoryJournal()
        self.masking = MemoryMasking()
        world = World(
            acts=self.acts, nurses=dict.fromkeys(self.nurses, (TAKES,)), journal=self.journal,
            callbacks=self.callbacks, masking=self.masking,
        )  # fmt: skip
        doors = replace(make_doors(world, self.line), lifelines=self.lines, keeper="worker-1.me")
        self.worker = Worker(doors, Limits(callers=4), self.sessions.append)
        self.rings = self.sweeper()

    def sweeper(self, keeper: str = "worker-1.me") -> RingBacks:
        """Who looks after cut calls, in a process of this name."""
        self.freed: list[str] = []

        async def freed(worker: str) -> None:
            self.freed.append(worker)

        return RingBacks(
            replace(self.worker._doors, keeper=keeper), Trunk(template=self.template, allowed=lambda number: True),
            lives=self.folder, take=self.worker.take, free_agents=freed, new_id=new_call_id, pauses=(0.0, 0.0, 0.0),
            ring_seconds=0.3,
        )  # fmt: skip

    def _phone(self, address: str) -> FarEnd | None:
        name = address.removeprefix("sip:").partition("@")[0]
        self.dialled.append(name)
        if name in self.nurses:
            self.taken.append(NursePhone(TAKES, self.state))
            return self.taken[-1]
        make = self.phones.get(name)
        return make() if make else None

    def state(self) -> State:
        """Where the newest call is."""
        return self.sessions[-1].call.state if self.sessions else State.NEW

    def caller(self, *acts: Act) -> Caller:
        """A caller who does this in the newest call."""
        made = Caller(acts)
        made.look = self.state
        return made

    async def lose(self, call: str, number: str | None = NUMBER, **more: int | bool | float) -> None:
        """A call of the dead process."""
        party = await self.masking.party(PhoneNumber(number) if number else None)
        line = Lifeline(call=call, party=party.id, reachable=party.reachable, keeper=DEAD, at=time.time())
        await self.lines.hold(replace(line, **more))  # type: ignore[arg-type]
        await self.journal.append(Entry(call=call, at=1.0, kind="CallArrived", data={}))

    async def settle(self) -> None:
        """Everything in flight."""
        await asyncio.sleep(0)
        for session in self.sessions:
            await session.settle()

    async def look(self) -> None:
        """Find the dead, and let everything come to its end."""
        await self.rings.look()
        await self.finish()

    async def finish(self) -> None:
        """Let calls and tries end."""
        async with asyncio.timeout(30):
            while self.rings.busy or self.worker.calls:
                await self.line.run(self.settle, seconds=0.2)
                await asyncio.sleep(0.002)

    async def said(self, session: int = -1) -> list[str]:
        """Keys of what a call's caller was told."""
        entries = await self.journal.read(self.sessions[session].id)
        return [str(key) for one in entries if one.kind == "Said" for key in one.data["keys"]]  # type: ignore[union-attr]

    async def outcomes(self, call: str) -> list[str]:
        """What came of each try, as the cut call's journal has it."""
        return [str(one.data["outcome"]) for one in await self.journal.read(call) if one.kind == "RungBack"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "lives"


def test_in_danger_the_phones_of_agents_ring_as_soon_as_somebody_picks_up(folder: Path) -> None:
    async def run() -> None:
        house = House(folder)
        house.phones[NUMBER] = lambda: Rung(house.caller(LEAVES))
        await house.lose("cut", urgency=2, human=True)
        await house.look()
        assert house.dialled == [NUMBER, "nurse"]
        assert (await house.said())[:2] == ["call.cut_off", "call.human_coming"]
        assert house.sessions[0].call.bridged
        assert house.taken[0].heard_caller
        assert house.freed == [DEAD], "agents whom the dead process held can be rung"
        assert await house.outcomes("cut") == ["met"]
        assert await house.lines.lost(()) == ()
        assert await house.callbacks.open() == ()
        outcomes = {one.call: one.outcome for one in await house.journal.list()}
        assert outcomes == {"cut": CUT_OFF, house.sessions[0].id: "bridged"}
        assert house.masking.revealed[0][1] == "ring-back"

    asyncio.run(run())
    assert list(folder.iterdir()) == [], "the dead one is buried"


@pytest.mark.parametrize(("answer", "human"), [(presses("1"), True), (says("yes"), True), (presses("0"), False)])
def test_who_was_on_the_way_to_a_human_says_yes_and_is(folder: Path, answer: Act, human: bool) -> None:
    async def run() -> None:
        house = House(folder, acts=(answer,))
        house.phones[NUMBER] = lambda: Rung(house.caller(answer, LEAVES))
        await house.lose("cut", human=human)
        await house.look()
        assert (await house.said())[:2] == ["call.cut_off", "call.cut_off_confirm"]
        assert house.sessions[0].call.bridged
        assert await house.outcomes("cut") == ["met"]

    _ = answer.audio
    asyncio.run(run())


def test_any_other_caller_goes_on_with_the_conversation(folder: Path) -> None:
    async def run() -> None:
        house = House(folder)
        house.phones[NUMBER] = lambda: Rung(house.caller(presses("1"), hangs_up(during(State.LISTENING, 1))))
        await house.lose("cut")
        await house.look()
        assert await house.said() == ["call.cut_off", "call.cut_off_confirm", "ask.complaint"]
        assert await house.outcomes("cut") == ["met"]
        assert house.dialled == [NUMBER]

    asyncio.run(run())


def test_words_of_danger_need_no_confirmation(folder: Path) -> None:
    pain = says("i have chest pain")

    async def run() -> None:
        house = House(folder, acts=(pain,))
        house.phones[NUMBER] = lambda: Rung(house.caller(pain, LEAVES))
        await house.lose("cut")
        await house.look()
        assert house.sessions[0].call.bridged

    _ = pain.audio
    asyncio.run(run())


def test_a_voicemail_is_left_and_tried_again_and_a_human_is_told_in_the_end(folder: Path) -> None:
    async def run() -> None:
        house = House(folder)
        house.phones[NUMBER] = lambda: Rung(house.caller())
        await house.lose("cut")
        await house.look()
        assert house.dialled == [NUMBER] * 3
        assert await house.said() == ["call.cut_off", "call.cut_off_confirm"] * 2
        assert await house.outcomes("cut") == ["missed"] * 3
        assert [(one.call, one.urgency) for one in await house.callbacks.open()] == [("cut", 0)]
        assert {one.outcome for one in await house.journal.list()} == {CUT_OFF, "not_reached"}
        assert await house.lines.lost(()) == ()

    asyncio.run(run())


def test_who_hangs_up_while_being_asked_is_rung_again(folder: Path) -> None:
    async def run() -> None:
        house = House(folder)
        house.phones[NUMBER] = lambda: Rung(house.caller(hangs_up(during(State.RETURNING, 1))))
        await house.lose("cut")
        await house.look()
        assert house.dialled == [NUMBER] * 3
        assert await house.outcomes("cut") == ["missed"] * 3
        assert len(await house.callbacks.open()) == 1
        assert [session.call.state for session in house.sessions] == [State.ENDED] * 3

    asyncio.run(run())


def test_somebody_else_is_not_called_again(folder: Path) -> None:
    async def run() -> None:
        house = House(folder)
        house.phones[NUMBER] = lambda: Rung(house.caller(presses("2")))
        await house.lose("cut")
        await house.look()
        assert house.dialled == [NUMBER]
        assert await house.outcomes("cut") == ["denied"]
        assert len(await house.callbacks.open()) == 1

    asyncio.run(run())


@pytest.mark.parametrize("phone", ["rings on", "declines", "is not there"])
def test_who_cannot_be_reached_is_tried_three_times(folder: Path, phone: str) -> None:
    async def run() -> None:
        house = House(folder)
        if phone != "is not there":
            house.phones[NUMBER] = lambda: Rung(house.caller(), answers=False, declines=phone == "declines")
        await house.lose("cut", urgency=2)
        await house.look()
        assert await house.outcomes("cut") == ["missed"] * 3
        assert [(one.call, one.urgency) for one in await house.callbacks.open()] == [("cut", 2)]
        assert house.sessions == []

    asyncio.run(run())


def test_the_most_urgent_are_rung_first(folder: Path) -> None:
    async def run() -> None:
        house = House(folder)
        await house.lose("plain", "+12025550101", at=time.time() - 9)
        await house.lose("asked", "+12025550102", human=True)
        await house.lose("urgent", "+12025550103", urgency=2, human=True)
        await house.look()
        assert house.dialled[:3] == ["+12025550103", "+12025550102", "+12025550101"]
        assert [one.call for one in await house.callbacks.open()][0] == "urgent"

    asyncio.run(run())


def test_without_a_way_out_they_are_owed_a_callback(folder: Path) -> None:
    async def run() -> None:
        house = House(folder, template="")
        await house.lose("plain")
        await house.lose("urgent", OTHER, urgency=2)
        await house.look()
        assert house.dialled == []
        assert [one.call for one in await house.callbacks.open()] == ["urgent", "plain"]

    asyncio.run(run())


def test_who_showed_no_number_is_only_closed_in_the_records(folder: Path) -> None:
    async def run() -> None:
        house = House(folder)
        await house.lose("cut", None)
        await house.look()
        assert house.dialled == []
        assert await house.callbacks.open() == ()
        assert await house.lines.lost(()) == ()
        assert (await house.journal.list())[0].outcome == CUT_OFF

    asyncio.run(run())


def test_after_a_long_outage_no_machine_rings(folder: Path) -> None:
    async def run() -> None:
        house = House(folder)
        (folder / DEAD).unlink()  # the whole machine was down
        await house.lose("cut", at=time.time() - 3600)
        await house.look()
        assert house.dialled == []
        assert len(await house.callbacks.open()) == 1

    asyncio.run(run())


def test_of_two_processes_one_rings(folder: Path) -> None:
    async def run() -> None:
        house = House(folder)
        house.phones[NUMBER] = lambda: Rung(house.caller(presses("1"), hangs_up(during(State.LISTENING, 1))))
        await house.lose("cut")
        other = house.sweeper("worker-2.other")
        await asyncio.gather(house.rings.look(), other.look())
        async with asyncio.timeout(20):
            while house.rings.busy or other.busy or house.worker.calls:
                await house.line.run(house.settle, seconds=0.2)
                await asyncio.sleep(0.002)
        assert house.dialled == [NUMBER]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("lost", "first", "rung"),
    [(False, ["call.cut_off_again", "call.greeting"], []), (True, ["call.cut_off", "call.human_coming"], ["nurse"])],
)
def test_a_caller_who_calls_again_goes_on_and_the_ringing_stops(
    folder: Path, lost: bool, first: list[str], rung: list[str]
) -> None:
    async def run() -> None:
        house = House(folder)
        house.phones[NUMBER] = lambda: Rung(house.caller(), answers=False)
        await house.lose("cut", human=lost)
        await house.rings.look()
        while not house.dialled:  # noqa: ASYNC110 - the line has no such event
            await asyncio.sleep(0.001)
        caller = house.caller(hangs_up(after(8)))
        house.worker.arrived(house.line.ring(caller, PhoneNumber(NUMBER)))
        await house.finish()
        assert (await house.said())[:2] == first
        assert house.dialled == [NUMBER, *rung]
        assert await house.outcomes("cut") in (["returned"], ["missed"])
        assert await house.callbacks.open() == ()
        assert await house.lines.lost(()) == ()

    asyncio.run(run())


def test_a_call_holds_its_line_while_it_lasts(folder: Path) -> None:
    async def run() -> None:
        house = House(folder)
        held: list[tuple[int, bool]] = []

        async def settle() -> None:
            await house.settle()
            held.extend((one.urgency, one.human) for one in await house.lines.lost(()) if not one.cut)

        caller = house.caller(presses("0"), LEAVES)
        house.worker.arrived(house.line.ring(caller, PhoneNumber(NUMBER)))
        assert await house.line.run(settle, seconds=60)
        await house.finish()
        assert list(dict.fromkeys(held)) == [(0, False), (0, True)]
        assert await house.lines.lost(()) == ()

    asyncio.run(run())


def test_no_number_is_logged(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        house = House(folder)
        house.phones[NUMBER] = lambda: Rung(house.caller(LEAVES))
        await house.lose("cut", urgency=2)
        await house.lose("other", OTHER)
        await house.look()

    with caplog.at_level(logging.DEBUG):
        asyncio.run(run())
    assert caplog.records
    assert "2025550" not in caplog.text


def test_the_urgency_of_a_cut_call_is_kept_where_it_is_cut_again() -> None:
    from dialogs.port import Level
    from ivr.call.state import Call
    from ivr.lifeline import earlier, wanted_line

    first = Lifeline(call="a", party="p", reachable=True, keeper="k", urgency=2, human=True)
    known = earlier(first, rung_back=True)
    assert known == Earlier(call="a", level=Level.EMERGENCY, rung_back=True)
    rung = Call(state=State.RETURNING, earlier="a", earlier_level=Level.EMERGENCY, met=False)
    assert wanted_line(rung) is None, "until the caller is met, the cut call itself is what is held"
    assert wanted_line(replace(rung, met=True)) == (2, True)
    assert wanted_line(replace(rung, met=True, state=State.CLOSING)) is None
