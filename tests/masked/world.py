"""Masked calls in memory: two people, a pair of virtual numbers, and the worker that joins them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ivr.audio.format import FRAME_BYTES, FRAME_SECONDS
from ivr.lines.wav import Moment, WavLine
from ivr.masked.clicks import Clicks
from ivr.masked.doors import MaskedDoors, OurNumbers
from ivr.masked.ledger import Pairs
from ivr.masked.session import Living, MaskedSession
from ivr.ports import LegArrived
from ivr.session import Session
from ivr.worker import Limits, Worker, new_call_id
from masking.clicks_memory import MemoryWishes
from masking.codes import Codes
from masking.memory import MemoryMasking
from masking.memory_desk import MemoryBindings, MemoryDesk, MemoryExchange, MemoryNumbers
from masking.numbers import normalise, virtual_number
from masking.port import (
    Admission,
    Binding,
    CallRecord,
    Decision,
    Event,
    Exchange,
    Kind,
    LineLeg,
    MaskingUnavailable,
    NumberRefused,
    Party,
    PhoneNumber,
    PreCall,
    Side,
    VirtualNumber,
    Wanted,
)
from tests.calls.world import World, make_doors
from tests.contract.desk_rigs import SEALER, Clock

PATIENT, DOCTOR, STRANGER = "+12025550142", "+12025550143", "+12025550144"
PATIENT_NUMBER, DOCTOR_NUMBER, CASE_NUMBER = "+12025550101", "+12025550102", "+12025550103"


def sound_of(number: str) -> bytes:
    """Twenty milliseconds of one person, told from all others."""
    return bytes([int(number[-2:]), 0]) * (FRAME_BYTES // 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Do:
    """One thing that a person does, so long after the thing before."""

    after: float
    """Seconds; the first counts from the moment at which the phone is answered."""
    keys: str = ""
    hang_up: bool = False
    pcm: bytes = b""
    """Sent instead of the person's own sound, frame by frame."""


class Person:
    """A phone with somebody, or something, at it."""

    def __init__(
        self, number: str, *script: Do, rings: float = 0.4, answers: bool = True, declines: bool = False
    ) -> None:
        self.number, self._script = number, list(script)
        self._rings, self._answers, self._declines = round(rings / FRAME_SECONDS), answers, declines
        self._age = self._since = 0
        self._sending = b""
        self.heard: list[bytes] = []

    def moment(self, heard: bytes | None) -> Moment:
        """20 ms."""
        self._age += 1
        if heard is None:
            due = self._age == self._rings
            return Moment(answer=due and self._answers and not self._declines, hang_up=due and self._declines)
        self.heard.append(heard)
        self._since += 1
        if self._sending:
            frame, self._sending = self._sending[:FRAME_BYTES], self._sending[FRAME_BYTES:]
            return Moment(pcm=frame.ljust(FRAME_BYTES, b"\0"))
        if self._script and self._since >= round(self._script[0].after / FRAME_SECONDS):
            act, self._since = self._script.pop(0), 0
            self._sending = act.pcm
            return Moment(pcm=sound_of(self.number), keys=act.keys, hang_up=act.hang_up)
        return Moment(pcm=sound_of(self.number))

    def hears(self, number: str) -> bool:
        """Whether this person ever heard that one."""
        return sound_of(number) in self.heard

    @property
    def sounds(self) -> int:
        """Frames that were not silent."""
        return sum(1 for frame in self.heard if any(frame))


class Caller(Person):
    """A phone that calls; it does not answer anything."""


@dataclass(slots=True)
class Notebook:
    """Diary of a test."""

    events: list[Event] = field(default_factory=list)
    records: list[CallRecord] = field(default_factory=list)

    async def tell(self, event: Event) -> None:
        self.events.append(event)

    async def record(self, record: CallRecord) -> None:
        self.records.append(record)

    async def calls(self, owner: str, *, binding: str = "", limit: int = 100) -> tuple[CallRecord, ...]:
        return tuple(self.records)


@dataclass(slots=True)
class Hook:
    """An owner's hook."""

    decision: Decision = Decision.CONNECT
    asked: list[PreCall] = field(default_factory=list)

    async def ask(self, call: PreCall) -> Decision:
        self.asked.append(call)
        return self.decision


@dataclass(slots=True)
class Legs:
    """What was kept of legs in case the process dies."""

    told: list[tuple[LineLeg, ...]] = field(default_factory=list)

    async def hold(self, legs: tuple[LineLeg, ...]) -> None:
        self.told.append(legs)

    async def held(self) -> tuple[LineLeg, ...]:
        return self.told[-1] if self.told else ()


@dataclass(slots=True)
class Gate:
    """Limits of a test."""

    answer: Admission = Admission.ADMITTED
    asked: list[tuple[str, str, str, bool]] = field(default_factory=list)

    async def admit(self, number: str, caller: str, source: str, *, known: bool) -> Admission:
        self.asked.append((number, caller, source, known))
        return self.answer


class Masks(MemoryMasking):
    """Knows numbers that stand for a withheld caller, as the vault does; can be lost."""

    lost = sealed = False

    async def reveal(self, party: str, *, reason: str, actor: str) -> PhoneNumber:
        if self.sealed:
            raise MaskingUnavailable("sealed")
        return await super().reveal(party, reason=reason, actor=actor)

    async def party(self, caller: PhoneNumber | None) -> Party:
        if self.lost:
            raise MaskingUnavailable("lost")
        return await super().party(normalise(caller.reveal(), "US") if caller else None)


class House:
    """A worker over a WAV line; make it inside a running loop."""

    def __init__(self, phones: dict[str, Callable[[], Person]] | None = None, **nurses: Any) -> None:
        self.phones = phones or {}
        self.rung: list[str] = []
        self.people: dict[str, Person] = {}
        self.line = WavLine(self._phone)
        self.clock = Clock()
        self.desk = MemoryDesk(clock=self.clock, codes=Codes(SEALER))
        self.masking = Masks()
        self.bindings, self.numbers = MemoryBindings(self.desk), MemoryNumbers(self.desk)
        self.exchange: Exchange = MemoryExchange(self.desk)
        self.diary, self.hook, self.gate, self.legs = Notebook(), Hook(), Gate(), Legs()
        self.wishes = MemoryWishes(self.exchange, self.clock)
        self.refused: set[str] = set()
        self.world = World(acts=(), masking=self.masking)
        self.doors = replace(make_doors(self.world, self.line), clock=self.clock)
        self.sessions: list[Living] = []
        self.pairs, self.ours = Pairs(), OurNumbers(lambda text: virtual_number(text, "US"))
        self.worker = Worker(self.doors, Limits(callers=8), self.sessions.append, self._masked)
        self.wanted: dict[str, str] = {}

    async def furnish(self) -> None:
        """Numbers, parties."""
        numbers = (
            VirtualNumber(number=PATIENT_NUMBER, side=Side.PATIENT, country="US"),
            VirtualNumber(number=DOCTOR_NUMBER, side=Side.DOCTOR, country="US"),
        )
        await self.numbers.add(numbers)
        self.ours.learn(await self.numbers.list())
        for number in (PATIENT, DOCTOR, STRANGER):
            self.wanted[number] = (await self.masking.party(PhoneNumber(number))).id

    async def bind(self, **more: Any) -> Binding:
        """Patient and doctor."""
        wanted: dict[str, Any] = {
            "owner": "ward", "kind": Kind.PAIR, "doctor": self.wanted[DOCTOR], "patient": self.wanted[PATIENT], **more,
        }  # fmt: skip
        return await self.bindings.create(Wanted(**wanted))

    @property
    def masked(self) -> MaskedDoors:
        """As bootstrap makes them."""
        return MaskedDoors(
            exchange=self.exchange, bindings=self.bindings, number=self._number, address=self._address, ours=self.ours,
            diary=self.diary, legs=self.legs, intercept=self.hook, limits=self.gate, wishes=self.wishes,
        )  # fmt: skip

    async def _number(self, party: str) -> PhoneNumber:
        number = await self.masking.reveal(party, reason="masked call", actor="line")
        if number.reveal() in self.refused:
            raise NumberRefused("this number may not be dialled")
        return number

    def _address(self, number: PhoneNumber) -> str | None:
        return f"sip:{number.reveal()}@trunk.example"

    def _phone(self, address: str) -> Person | None:
        number = address.removeprefix("sip:").partition("@")[0]
        self.rung.append(number)
        make = self.phones.get(number)
        if make is None:
            return None
        self.people[number] = make()
        return self.people[number]

    def _masked(self, arrival: LegArrived) -> Living | None:
        if self.ours.find(arrival.dialled) is None:
            return None
        session = MaskedSession(
            self.doors, self.masked, new_call_id(), pairs=self.pairs, arrival=arrival, triage=self._triage
        )
        self.sessions.append(session)
        return session

    def _triage(self, line: Any, arrival: LegArrived, human: bool) -> Session:
        return Session(replace(self.doors, line=line), new_call_id(), arrival, human=human)

    def ring(self, person: Person, dialled: str, **more: Any) -> LegArrived:
        """A person calls."""
        number = PhoneNumber(person.number) if person.number else None
        arrival = replace(self.line.ring(person, number, dialled), **more)
        self.worker.arrived(arrival)
        return arrival

    def clicks(self) -> Clicks:
        """Who carries wishes out."""
        def make(**about: Any) -> Living:
            session = MaskedSession(self.doors, self.masked, pairs=self.pairs, **about)
            self.sessions.append(session)
            return session

        return Clicks(self.masked, taker="me", free=lambda: not self.worker.full, take=self.worker.take, make=make)

    async def settle(self) -> None:
        """All sessions."""
        await asyncio.sleep(0)
        for session in tuple(self.sessions):
            await session.settle()

    async def live(self, seconds: float = 200.0) -> bool:
        """Let time pass until everybody has hung up and everything is written."""
        over = await self.line.run(self.settle, seconds=seconds)
        return over and await self.worker.drain(5)
