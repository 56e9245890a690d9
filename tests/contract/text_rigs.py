"""A relay of texts over every store, with a carrier that does what it is told."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text as sql

from masking.ledger import Ledger
from masking.memory import MemoryMasking
from masking.port import (
    Admission,
    Binding,
    CallRecord,
    Event,
    Kind,
    PhoneNumber,
    Side,
    TextIn,
    TextOut,
    VirtualNumber,
    Wanted,
)
from masking.sms.memory import MemoryTexts
from masking.sms.post import TextPost
from masking.sms.relay import TextRelay
from masking.sms.store import Texts
from masking.sms.store_sql import SqlTexts
from masking.sms.words import sentences
from records.database import connect
from records.keys import KeyRing
from tests.contract.desk_rigs import Clock, Desk, desk
from tests.postgres import Postgres

PATIENT, DOCTOR, OTHER, STRANGER = "+12025550123", "+447700900123", "+447700900456", "+12025550199"
SEALER = KeyRing({1: b"k" * 32}).sealer("masking texts")
SAID = sentences("en", emergency="911", hotline="+12025550100")


@dataclass(slots=True)
class FakeCarrier:
    """Remembers what it was given."""

    name: str = "fake"
    sent: list[tuple[TextOut, str]] = field(default_factory=list)
    troubles: deque[Exception] = field(default_factory=deque)
    """What the next attempts end with."""
    lost_answers: bool = False
    """Whether a trouble comes after the text was taken."""
    hold: asyncio.Event | None = None
    """What the next attempts wait for."""
    held: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when one waits."""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set with every text."""

    async def send(self, text: TextOut, to: PhoneNumber) -> str:
        if self.hold is not None:
            self.held.set()
            await self.hold.wait()
        trouble = self.troubles.popleft() if self.troubles else None
        if trouble is None or self.lost_answers:
            self.sent.append((text, to.reveal()))
            self.news.set()
        if trouble is not None:
            raise trouble
        return f"ref-{len(self.sent)}"

    async def found(self, text: TextOut, to: PhoneNumber, since: float) -> str:
        return next((f"ref-{at}" for at, (one, _) in enumerate(self.sent, 1) if one.id == text.id), "")

    def to(self, number: str) -> list[str]:
        """The words that one phone got."""
        return [text.body for text, to in self.sent if to == number]


@dataclass(slots=True)
class FakeDiary:
    """Keeps events in a list."""

    events: list[Event] = field(default_factory=list)

    async def tell(self, event: Event) -> None:
        self.events.append(event)

    async def record(self, record: CallRecord) -> None:
        raise NotImplementedError

    async def calls(self, owner: str, *, binding: str = "", limit: int = 100) -> tuple[CallRecord, ...]:
        raise NotImplementedError


@dataclass(slots=True)
class FakeLimits:
    """Says what it is told to say."""

    answer: Admission = Admission.ADMITTED
    asked: list[tuple[str, str, str, bool]] = field(default_factory=list)

    async def admit(self, number: str, caller: str, source: str, *, known: bool) -> Admission:
        self.asked.append((number, caller, source, known))
        return self.answer


@dataclass(slots=True, kw_only=True)
class Rig:
    """Everything of one store."""

    desk: Desk
    texts: Texts
    masking: MemoryMasking
    relay: TextRelay
    post: TextPost
    carrier: FakeCarrier
    diary: FakeDiary
    limits: FakeLimits
    clock: Clock
    ids: int = 0

    def run(self, *texts: TextIn) -> None:
        """Receive, then send all that is due."""

        async def work() -> None:
            for one in texts:
                await self.relay.received(one)
            await self.post.work()

        asyncio.run(work())

    def text(self, body: str, *, sender: str | None = PATIENT, to: str = "", **more: object) -> TextIn:
        """A text of a fresh id."""
        self.ids += 1
        fields: dict[str, object] = {"provider": "fake", "id": f"in-{self.ids}", "number": to, "body": body}
        fields["sender"] = PhoneNumber(sender) if sender else None
        return TextIn(**(fields | more))  # type: ignore[arg-type]

    def bound(self, patient: str = PATIENT, doctor: str = DOCTOR, **more: object) -> Binding:
        """A pair."""

        async def work() -> Binding:
            ids = [(await self.masking.party(PhoneNumber(one))).id for one in (doctor, patient)]
            fields: dict[str, object] = {"owner": "hotline", "kind": Kind.PAIR, "doctor": ids[0], "patient": ids[1]}
            return await self.desk.bindings.create(Wanted(**(fields | more)))  # type: ignore[arg-type]

        return asyncio.run(work())

    def party(self, number: str) -> str:
        """Its id."""
        return asyncio.run(self.masking.party(PhoneNumber(number))).id


@contextmanager
def rig(kind: str, folder: Path, postgres: Postgres) -> Iterator[Rig]:
    """A relay over a store."""
    clock = Clock()
    with desk(kind, folder, postgres, clock=clock) as opened:
        ledger: Ledger | None = None
        if kind != "memory":
            ledger = Ledger(_engine(kind, folder, postgres), patience=60, clock=clock)
        texts: Texts = MemoryTexts(clock=clock) if ledger is None else SqlTexts(ledger, SEALER)
        yield _rig(opened, texts, clock)
        if ledger is not None:
            ledger.close()


def _engine(kind: str, folder: Path, postgres: Postgres):  # type: ignore[no-untyped-def]
    if kind == "sqlite":
        return connect(f"sqlite:///{folder}/masking.db")
    engine = connect(postgres.url)
    with engine.begin() as db:
        db.execute(sql("TRUNCATE masking_texts, masking_text_parts, masking_text_stops, masking_text_marks"))
    return engine


def _rig(opened: Desk, texts: Texts, clock: Clock) -> Rig:
    masking, carrier, diary, limits = MemoryMasking(), FakeCarrier(), FakeDiary(), FakeLimits()

    async def dial(party: str) -> PhoneNumber:
        return await masking.reveal(party, reason="a text", actor="relay")

    post = TextPost(texts, carrier, dial, sentences=SAID, diary=diary, clock=clock)
    relay = TextRelay(
        texts, masking, opened.exchange, sentences=SAID, diary=diary, limits=limits, clock=clock,
        danger=lambda words: "breathe" in words, receipts=post.receipt,
    )  # fmt: skip
    numbers = tuple(
        VirtualNumber(number=f"+1202555{150 + at:04d}", side=side, country="US")
        for at, side in enumerate([Side.PATIENT] * 3 + [Side.DOCTOR] * 3)
    )
    asyncio.run(opened.numbers.add(numbers))
    return Rig(
        desk=opened, texts=texts, masking=masking, relay=relay, post=post, carrier=carrier, diary=diary,
        limits=limits, clock=clock,
    )  # fmt: skip
