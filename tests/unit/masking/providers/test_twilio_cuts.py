"""A binding that is ended with its calls: those on Twilio end as well, also after a restart."""

import asyncio
import xml.etree.ElementTree as ElementTree
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from masking.carried import Carried, TwilioAccount, Words
from masking.desk import Desk, open_desk
from masking.leaks import LeakOracle
from masking.port import Binding, Kind, PhoneNumber, Side, VirtualNumber, Wanted
from records.database import connect
from records.keys import KeyRing
from tests.fake_twilio import ACCOUNT, TOKEN, FakeTwilio, form, in_background, parts, served, sid, signature

PATIENT, DOCTOR, PUBLIC = "+12025550123", "+447700900123", "https://hotline.example"
KEYS = KeyRing({1: b"k" * 32})


@dataclass(slots=True)
class Line:
    """A desk, and the process that Twilio talks to."""

    desk: Desk
    fake: FakeTwilio
    carried: Carried
    pair: Binding

    async def hook(self, url: str, **fields: str) -> ElementTree.Element:
        """A signed request: the document."""
        given = {"AccountSid": ACCOUNT, "ApiVersion": "2010-04-01"} | fields
        kind, mark = "application/x-www-form-urlencoded", signature(url, given)
        assert self.carried.hooks is not None
        told = await self.carried.hooks.answer(*parts(url), form(fields), kind=kind, signature=mark)
        assert told.status == 200, told
        return ElementTree.fromstring(told.body)

    async def connected(self, *, joined: bool = True) -> tuple[str, str]:
        """A patient's call: Twilio's id of it, and where its end is told."""
        call = sid("CA")
        document = await self.hook(f"{PUBLIC}/twilio/voice", CallSid=call, From=PATIENT, To=self.pair.patient_number)
        (number,), (dial,) = document.iter("Number"), document.iter("Dial")
        if joined:
            await self.hook(number.attrib["url"] + "&asked=1", CallSid=sid("CA"), Digits="1")
        return call, dial.attrib["action"]

    async def killed(self) -> None:
        """The owner ends it, with its calls."""
        await self.desk.bindings.close(self.pair.id, "clinic", kill=True)

    async def look(self) -> bool:
        """What the process does every second."""
        assert self.carried.cuts is not None
        return await self.carried.cuts.look()

    async def ends(self) -> set[tuple[str, str, str, bool]]:
        """Legs: why they ended, by whom, whether they were joined."""
        kept = await self.desk.diary.calls("clinic")
        assert LeakOracle([PATIENT, DOCTOR]).scan(repr(kept).encode()) == ()
        return {(one.leg, str(one.end), one.released_by, one.answered is not None) for one in kept}


FAKE = FakeTwilio()


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with in_background(FAKE.app()) as address:
        yield address


@pytest.fixture
def run(base: str, tmp_path: Path) -> Iterator[Callable[[Callable[[Line], Coroutine[object, object, None]]], None]]:
    """Runs something on a new line."""
    FAKE.forget()
    desk = open_desk(connect(f"sqlite:///{tmp_path}/vault.db"), KEYS.sealer, region="US", patience=30)

    async def work(body: Callable[[Line], Coroutine[object, object, None]]) -> None:
        async with carried(desk, base) as opened:
            await body(Line(desk, FAKE, opened, await bound(desk)))

    yield lambda body: asyncio.run(work(body))
    desk.close()


@asynccontextmanager
async def carried(desk: Desk, base: str) -> AsyncIterator[Carried]:
    """The process, at an address of Twilio's."""
    twilio = TwilioAccount(account=ACCOUNT, token=TOKEN, public=PUBLIC, api=base)
    opened = Carried(desk, KEYS.sealer, Words(language="en", emergency="911"), texts="off", twilio=twilio)
    try:
        yield opened
    finally:
        await opened.close()


async def bound(desk: Desk) -> Binding:
    """A pair."""
    sides = zip(("+12025550150", "+12025550151"), (Side.PATIENT, Side.DOCTOR), strict=True)
    await desk.numbers.add(tuple(VirtualNumber(number=number, side=side, country="US") for number, side in sides))
    doctor, patient = [(await desk.vault.party(PhoneNumber(one))).id for one in (DOCTOR, PATIENT)]
    return await desk.bindings.create(Wanted(owner="clinic", kind=Kind.PAIR, doctor=doctor, patient=patient))


Run = Callable[[Callable[[Line], Coroutine[object, object, None]]], None]


@pytest.mark.parametrize("joined", [True, False])
def test_a_call_in_progress_is_cut_once_and_recorded_as_killed(run: Run, *, joined: bool) -> None:
    async def body(line: Line) -> None:
        call, action = await line.connected(joined=joined)
        assert await line.look()
        assert line.fake.ended == []
        await line.killed()
        assert await line.look()
        assert line.fake.ended == [call]
        ends = {("a", "killed", "us", joined), ("b", "killed", "us", joined)}
        assert await line.ends() == ends
        assert not await line.look()
        done = await line.hook(action, DialCallStatus="completed", DialCallDuration="9", CallStatus="completed")
        assert [one.tag for one in done] == ["Hangup"]
        assert await line.ends() == ends

    run(body)


def test_the_process_itself_begins_to_watch_with_the_first_call(run: Run) -> None:
    async def body(line: Line) -> None:
        fake = FakeTwilio()
        async with served(fake.app()) as near, carried(line.desk, near) as line.carried:
            running = asyncio.create_task(line.carried.run())
            await asyncio.sleep(0)
            call, _ = await line.connected()
            await line.killed()
            async with asyncio.timeout(60):
                await fake.news.wait()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            assert fake.ended == [call]

    run(body)


def test_a_new_process_cuts_what_the_one_before_had_connected(run: Run, base: str) -> None:
    async def body(line: Line) -> None:
        call, action = await line.connected()
        await line.killed()
        async with carried(line.desk, base) as after:
            line.carried = after
            await line.look()
            assert line.fake.ended == [call]
            await line.hook(action, DialCallStatus="completed", DialCallDuration="9", CallStatus="completed")
        assert {end for _, end, *_ in await line.ends()} == {"killed"}

    run(body)


@pytest.mark.parametrize("fault", [503, 429])
def test_where_twilio_fails_it_is_tried_again_and_its_own_news_counts(run: Run, fault: int) -> None:
    async def body(line: Line) -> None:
        call, action = await line.connected()
        await line.killed()
        line.fake.faults.append(fault)
        assert await line.look()
        assert (line.fake.ended, await line.ends()) == ([], set())
        assert await line.look()
        assert line.fake.ended == [call]

    run(body)


def test_the_end_that_twilio_tells_first_is_a_killed_one_too(run: Run) -> None:
    async def body(line: Line) -> None:
        call, action = await line.connected()
        await line.killed()
        line.fake.faults.append(503)
        await line.look()
        await line.hook(action, DialCallStatus="completed", DialCallDuration="9", CallStatus="completed")
        assert await line.ends() == {("a", "killed", "us", True), ("b", "killed", "us", True)}
        assert not await line.look()

    run(body)


def test_a_call_that_twilio_knows_no_more_is_forgotten(run: Run) -> None:
    async def body(line: Line) -> None:
        call, _ = await line.connected()
        line.fake.ended.append(call)
        await line.killed()
        assert await line.look()
        assert not await line.look()

    run(body)


def test_a_binding_that_ends_otherwise_leaves_its_calls(run: Run) -> None:
    async def body(line: Line) -> None:
        _, action = await line.connected()
        await line.desk.bindings.close(line.pair.id, "clinic")
        assert await line.look()
        assert line.fake.ended == []
        await line.hook(action, DialCallStatus="completed", DialCallDuration="9", CallStatus="in-progress")
        assert {end for _, end, *_ in await line.ends()} == {"completed"}
        assert not await line.look()

    run(body)


def test_a_doctors_ringing_phone_is_cut_and_the_wish_has_failed(run: Run) -> None:
    async def body(line: Line) -> None:
        assert line.carried.clicks is not None
        assert line.desk.wishes is not None
        wish = await line.desk.wishes.ask(line.pair.id, "clinic")
        assert await line.carried.clicks.one()
        await line.killed()
        await line.look()
        (made,) = line.fake.calls
        assert line.fake.ended == [made["sid"]]
        assert await line.ends() == {("a", "killed", "us", False)}
        after = await line.desk.wishes.get(wish.id, "clinic")
        assert (str(after.state), str(after.end)) == ("failed", "killed")

    run(body)
