"""A masked hotline on Twilio in memory, and calls to it as Twilio makes them."""

import asyncio
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from typing import Any

from masking.clicks_memory import MemoryWishes
from masking.codes import Codes
from masking.memory import MemoryMasking
from masking.memory_desk import MemoryBindings, MemoryDesk, MemoryExchange, MemoryNumbers
from masking.memory_diary import MemoryDiary
from masking.numbers import alias_key
from masking.policy import Policy
from masking.port import (
    Admission,
    Binding,
    Decision,
    Dialled,
    Kind,
    MaskingUnavailable,
    PhoneNumber,
    PreCall,
    Side,
    Verdict,
    VirtualNumber,
    Wanted,
)
from masking.providers.twilio_calls import TwilioCalls
from masking.providers.twilio_gate import TwilioGate
from masking.providers.twilio_hooks import Answer, TwilioHooks
from masking.providers.twilio_words import Spoken
from masking.sms.memory import MemoryTexts
from masking.sms.store import Settled
from records.keys import KeyRing
from tests.contract.desk_rigs import Clock
from tests.fake_twilio import ACCOUNT, TOKEN, form, parts, sid, signature

PUBLIC = "https://hotline.example"
PATIENT, DOCTOR, STRANGER = "+12025550123", "+447700900123", "+12025550199"
HOTLINE = "sip:hotline@198.51.100.7"
SEALER = KeyRing({1: b"k" * 32}).sealer("masking codes")


class BrokenExchange(MemoryExchange):
    """Can be switched off."""

    broken = False

    async def resolve(self, dialled: Dialled) -> Verdict:
        if self.broken:
            raise MaskingUnavailable("down")
        return await super().resolve(dialled)


@dataclass(slots=True)
class Asked:
    """An owner's hook, and limits, that say what they are told."""

    decision: Decision = Decision.CONNECT
    admission: Admission = Admission.ADMITTED
    calls: list[PreCall] = field(default_factory=list)

    async def ask(self, call: PreCall) -> Decision:
        self.calls.append(call)
        return self.decision

    async def admit(self, number: str, caller: str, source: str, *, known: bool) -> Admission:
        return self.admission


class Rig:
    """Everything."""

    def __init__(self, hotline: str = HOTLINE) -> None:
        self.clock = Clock()
        desk = MemoryDesk(clock=self.clock, codes=Codes(SEALER))
        self.masking, self.diary, self.asked = MemoryMasking(), MemoryDiary(), Asked()
        self.bindings, numbers = MemoryBindings(desk), MemoryNumbers(desk)
        self.exchange = BrokenExchange(desk)
        self.wishes = MemoryWishes(self.exchange, self.clock)
        self.texts = MemoryTexts(clock=self.clock)
        self.policy = Policy(region="US")
        asyncio.run(numbers.add(tuple(
            VirtualNumber(number=f"+1202555{150 + at:04d}", side=side, country="US")
            for at, side in enumerate([Side.PATIENT, Side.PATIENT, Side.DOCTOR, Side.DOCTOR])
        )))  # fmt: skip
        own = frozenset(alias_key(one.about.number) for one in desk.lines.values())

        async def ours() -> frozenset[str]:
            return own

        self.calls = TwilioCalls(
            Spoken("en", emergency="911", hotline=hotline), self.masking, self.exchange, self.dial, self.first, ours,
            public=PUBLIC, diary=self.diary, limits=self.asked, intercept=self.asked, wishes=self.wishes,
            clock=self.clock,
        )  # fmt: skip
        self.hooks = TwilioHooks(TwilioGate(ACCOUNT, TOKEN, PUBLIC), self.calls, None)

    async def dial(self, party: str) -> PhoneNumber:
        number = await self.masking.reveal(party, reason="a call", actor="twilio")
        self.policy.check(number)
        return number

    async def first(self, *what: str) -> bool:
        return await self.texts.settle(Settled(marks=(self.texts.mark("twilio", *what),), life=86400.0))

    def bound(self, patient: str = PATIENT, doctor: str = DOCTOR, **more: Any) -> Binding:
        """A pair."""

        async def work() -> Binding:
            ids = [(await self.masking.party(PhoneNumber(one))).id for one in (doctor, patient)]
            fields = {"owner": "clinic", "kind": Kind.PAIR, "doctor": ids[0], "patient": ids[1]} | more
            return await self.bindings.create(Wanted(**fields))

        return asyncio.run(work())

    def ring(self, number: str, sender: str = PATIENT, **more: str) -> ElementTree.Element:
        """A call comes in: the document."""
        fields = {"CallSid": sid("CA"), "From": sender, "To": number, "CallStatus": "ringing", "Direction": "inbound"}
        return self.document(f"{PUBLIC}/twilio/voice", **fields | more)

    def document(self, url: str, **fields: str) -> ElementTree.Element:
        """What a signed request is answered."""
        told = self.post(url, **{"CallSid": sid("CA")} | fields)
        assert told.status == 200, told
        return ElementTree.fromstring(told.body)

    def post(self, url: str, signed: str | None = None, **fields: str) -> Answer:
        """A request."""
        path, query = parts(url)
        given = {"AccountSid": ACCOUNT, "ApiVersion": "2010-04-01"} | fields
        mark = signature(url, given) if signed is None else signed
        body, kind = form(fields), "application/x-www-form-urlencoded"
        return asyncio.run(self.hooks.answer(path, query, body, kind=kind, signature=mark))

    def ends(self) -> list[tuple[str, str]]:
        """Legs and why they ended."""
        return [(one.leg, str(one.end)) for one in self.diary._records.values()]

    def told(self) -> list[str]:
        """Kinds of events."""
        return [str(one.event.kind) for one in self.diary.written]


def said(document: ElementTree.Element) -> str:
    """All that is spoken."""
    return " ".join(one.text or "" for one in document.iter("Say"))


def only(document: ElementTree.Element, name: str) -> ElementTree.Element:
    """The one element of a name."""
    (found,) = document.iter(name)
    return found
