# Size: one carrier, asked in every way; each test reads its requests.
"""Texts and click-to-calls over Twilio's REST API, against a Twilio of our own, and its webhooks back to us by HTTP."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import StringIO

import httpx
import pytest
from fastapi import FastAPI

from console.twilio import router
from masking.leaks import LeakOracle
from masking.port import (
    Binding,
    Decision,
    LegEnd,
    MaskingRefused,
    MaskingUnavailable,
    MaskingUnsure,
    PhoneNumber,
    TextOut,
    Wish,
    WishState,
)
from masking.providers.twilio_clicks import BEAT_SECONDS, TwilioClicks
from masking.providers.twilio_gate import TwilioGate
from masking.providers.twilio_hooks import PATHS, TwilioHooks
from masking.providers.twilio_http import TwilioHttp, client
from masking.providers.twilio_texts import TwilioTexts
from masking.redact import Redactor
from masking.sms.post import TextPost
from masking.sms.relay import TextRelay
from masking.sms.words import Say, sentences
from tests.fake_twilio import ACCOUNT, TOKEN, FakeTwilio, in_background, served, sid
from tests.unit.masking.providers.twilio_rigs import DOCTOR, PATIENT, PUBLIC, Rig, only

TO = PhoneNumber(DOCTOR)
TEXT = TextOut(id="text-a", party="party-d", shown="+12025550152", body="10 mg x2, 14 days")
ORACLE = LeakOracle([PATIENT, DOCTOR])


FAKE = FakeTwilio()


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    """Address of a Twilio of our own, one for all."""
    with in_background(FAKE.app()) as address:
        yield address


@pytest.fixture
def fake(base: str) -> FakeTwilio:
    """That one, as new."""
    FAKE.forget()
    return FAKE


@asynccontextmanager
async def texts(base: str, token: str = TOKEN, seconds: float = 10.0) -> AsyncIterator[TwilioTexts]:
    """The carrier at a Twilio of our own."""
    http = TwilioHttp(base=base, seconds=seconds)
    try:
        yield TwilioTexts(client(ACCOUNT, token, http), PUBLIC)
    finally:
        await http.close()


def test_a_text_is_created_with_our_number_and_an_address_for_its_fate(fake: FakeTwilio, base: str) -> None:
    async def run() -> None:
        async with texts(base) as carrier:
            reference = await carrier.send(TEXT, TO)
            (made,) = fake.messages
            assert made.pop("sid") == reference
            del made["created"]
            assert made == {
                "To": DOCTOR, "From": TEXT.shown, "Body": TEXT.body, "ValidityPeriod": "3600",
                "StatusCallback": f"{PUBLIC}/twilio/sms/status?text=text-a",
            }  # fmt: skip

    asyncio.run(run())


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (429, MaskingUnavailable),
        (500, MaskingUnsure),
        (503, MaskingUnsure),
        ("21610", MaskingRefused),
        ("21211", MaskingRefused),
        ("lost", MaskingUnsure),
    ],
)
def test_errors_are_told_apart_and_name_no_number(
    fake: FakeTwilio, base: str, fault: int | str, error: type[Exception]
) -> None:
    async def run() -> None:
        async with texts(base, seconds=0.5) as carrier:
            fake.faults.append(fault)
            with pytest.raises(error) as told:
                await carrier.send(TEXT, TO)
            assert type(told.value) is error
            assert ORACLE.scan(repr((told.value, told.value.__cause__)).encode()) == ()
            assert len(fake.messages) == (fault == "lost")

    asyncio.run(run())


def test_a_wrong_token_and_no_twilio_may_be_tried_again(fake: FakeTwilio, base: str) -> None:
    async def run() -> None:
        async with texts(base, token="wrong") as carrier:
            with pytest.raises(MaskingUnavailable, match="account id and token"):
                await carrier.send(TEXT, TO)
            assert fake.messages == []
        http = TwilioHttp(base="http://127.0.0.1:1")
        with pytest.raises(MaskingUnavailable) as told:
            await TwilioTexts(client(ACCOUNT, TOKEN, http), PUBLIC).send(TEXT, TO)
        assert type(told.value) is MaskingUnavailable
        await http.close()

    asyncio.run(run())


def test_a_text_without_an_answer_is_found_again_by_our_own_number_alone(fake: FakeTwilio, base: str) -> None:
    async def run() -> None:
        async with texts(base, seconds=0.5) as carrier:
            assert await carrier.found(TEXT, TO, 0.0) == ""
            fake.faults.append("lost")
            with pytest.raises(MaskingUnsure):
                await carrier.send(TEXT, TO)
            assert await carrier.found(TEXT, TO, 0.0) == fake.messages[0]["sid"]
            assert await carrier.found(TEXT, PhoneNumber(PATIENT), 0.0) == ""
            assert await carrier.found(TEXT, TO, 32503680000.0) == ""
            assert ORACLE.scan("\n".join(fake.addresses).encode()) == ()
            fake.faults.clear()

    asyncio.run(run())


@dataclass(slots=True)
class Line:
    """Everything on the wire: our console, our relay, their API."""

    rig: Rig
    relay: TextRelay
    post: TextPost
    fake: FakeTwilio
    http: httpx.AsyncClient
    public: str

    async def text(self, body: str, sender: str, to: str, **more: str) -> httpx.Response:
        """Twilio brings a text."""
        fields = {"MessageSid": sid("SM"), "From": sender, "To": to, "Body": body, "NumMedia": "0", "NumSegments": "1"}
        return await self.fake.hook(self.http, f"{self.public}/twilio/sms", fields | more)

    async def status(self, message: dict[str, str], status: str, **more: str) -> httpx.Response:
        """Twilio tells what became of one."""
        fields = {"MessageSid": message["sid"], "MessageStatus": status, "SmsStatus": status} | more
        return await self.fake.hook(self.http, message["StatusCallback"], fields)


@asynccontextmanager
async def line(rig: Rig, fake: FakeTwilio, base: str) -> AsyncIterator[Line]:
    """Both servers."""
    app = FastAPI(openapi_url=None)
    async with served(app) as public, httpx.AsyncClient() as browser:
        http = TwilioHttp(base=base)
        said = sentences("en", emergency="911")
        carrier = TwilioTexts(client(ACCOUNT, TOKEN, http), public)
        post = TextPost(rig.texts, carrier, rig.dial, sentences=said, diary=rig.diary, clock=rig.clock)
        relay = TextRelay(
            rig.texts, rig.masking, rig.exchange, sentences=said, diary=rig.diary, receipts=post.receipt,
            clock=rig.clock,
        )  # fmt: skip
        app.include_router(router(TwilioHooks(TwilioGate(ACCOUNT, TOKEN, public), rig.calls, relay), PATHS))
        try:
            yield Line(rig, relay, post, fake, browser, public)
        finally:
            await http.close()


def test_a_text_goes_all_the_way_and_its_fate_comes_back(fake: FakeTwilio, base: str) -> None:
    rig = Rig()
    pair = rig.bound()
    log = StringIO()
    handler = logging.StreamHandler(log)
    root = logging.getLogger()
    before = root.level

    async def run() -> None:
        async with line(rig, fake, base) as all:
            told = await all.text("my number is 202-555-0123, 10 mg x2", PATIENT, pair.patient_number)
            assert (told.status_code, told.headers["content-type"]) == (200, "text/xml; charset=utf-8")
            await all.post.work()
            (message,) = all.fake.messages
            assert (message["To"], message["From"]) == (DOCTOR, pair.doctor_number)
            assert message["Body"] == "my number is [number hidden], 10 mg x2"
            assert ORACLE.scan(message["StatusCallback"].encode()) == ()
            for status in ("queued", "sent", "delivered", "sent"):
                assert (await all.status(message, status)).status_code == 200
            assert rig.texts.rows[next(iter(rig.texts.rows))].state == "delivered"
            await all.text("see you", DOCTOR, pair.doctor_number)
            await all.post.work()
            assert (await all.status(all.fake.messages[-1], "undelivered", ErrorCode="30003")).status_code == 200
            await all.post.work()
            last = all.fake.messages[-1]
            assert (last["To"], last["Body"]) == (DOCTOR, sentences("en", emergency="911")[Say.UNDELIVERED])

    handler.addFilter(Redactor())
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        asyncio.run(run())
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
    assert ORACLE.scan(log.getvalue().encode()) == ()
    assert [str(one.event.data.get("reason", "")) for one in rig.diary.written] == ["", "", "twilio-30003"]
    assert ORACLE.scan(repr(rig.diary.written).encode()) == ()


def test_webhooks_over_http_demand_the_signature_and_take_a_repetition_once(fake: FakeTwilio, base: str) -> None:
    rig = Rig()
    pair = rig.bound()

    async def run() -> None:
        async with line(rig, fake, base) as all:
            fields = {"MessageSid": sid("SM"), "From": PATIENT, "To": pair.patient_number, "Body": "hi"}
            url = f"{all.public}/twilio/sms"
            assert (await all.http.post(url, data=fields)).status_code == 403
            assert (await all.fake.hook(all.http, url, fields, token="wrong")).status_code == 403
            assert (await all.http.get(url)).status_code == 405
            assert (await all.fake.hook(all.http, url, fields | {"MessageSid": "SM1"})).status_code == 400
            assert (await all.fake.hook(all.http, url, fields | {"NumMedia": "many"})).status_code == 400
            for _ in range(2):
                assert (await all.fake.hook(all.http, url, fields)).status_code == 200
            await all.post.work()
            assert len(all.fake.messages) == 1
            call = {"CallSid": sid("CA"), "From": PATIENT, "To": pair.patient_number}
            voice = f"{all.public}/twilio/voice"
            assert DOCTOR in (await all.fake.hook(all.http, voice, call)).text
            assert (await all.fake.hook(all.http, voice, call)).status_code == 403

    asyncio.run(run())


def test_groups_pictures_and_services_are_known_by_twilios_parameters(fake: FakeTwilio, base: str) -> None:
    rig = Rig()
    pair = rig.bound()
    said = sentences("en", emergency="911")

    async def run() -> None:
        async with line(rig, fake, base) as all:
            await all.text("all", PATIENT, pair.patient_number, OtherRecipients0="+12025550111")
            more = {"NumMedia": "1", "MediaUrl0": "https://example.org/x", "MediaContentType0": "text/x-vcard"}
            await all.text("", PATIENT, pair.patient_number, **more)
            await all.text("You missed a call", "10086", pair.patient_number)
            await all.text("Your bank code is 1234", "MyBank", pair.patient_number)
            await all.post.work()
            assert [(one["To"], one["Body"]) for one in all.fake.messages] == [
                (PATIENT, said[Say.GROUP]),
                (PATIENT, said[Say.MEDIA]),
            ]

    asyncio.run(run())


def asked(rig: Rig, base: str, pair: Binding | None = None) -> Wish:
    """A click-to-call that was asked for and begun."""
    pair = pair or rig.bound()
    wish = asyncio.run(rig.wishes.ask(pair.id, "clinic"))

    async def run() -> None:
        http = TwilioHttp(base=base)
        made = TwilioClicks(
            client(ACCOUNT, TOKEN, http), rig.wishes, rig.exchange, rig.dial, public=PUBLIC, intercept=rig.asked,
            clock=rig.clock,
        )  # fmt: skip
        assert await made.one()
        assert not await made.one()
        rig.clock.now += BEAT_SECONDS * 4
        await made.tend()
        await http.close()

    asyncio.run(run())
    return wish


def state(rig: Rig, wish: Wish) -> tuple[WishState, LegEnd | None]:
    found = asyncio.run(rig.wishes.get(wish.id, "clinic"))
    return found.state, found.end


def test_click_to_call_rings_the_doctor_then_the_patient_and_each_sees_a_number_of_ours(
    fake: FakeTwilio, base: str
) -> None:
    rig = Rig()
    pair = rig.bound()
    wish = asked(rig, base, pair)
    rig.clock.now += 50
    (call,) = fake.calls
    assert (call["To"], call["From"], call["Record"]) == (DOCTOR, pair.doctor_number, "false")
    assert ORACLE.scan((call["Url"] + call["StatusCallback"]).encode()) == ()
    assert state(rig, wish) == (WishState.TAKEN, None)
    press = only(rig.document(call["Url"], CallSid=call["sid"]), "Gather").attrib["action"]
    dial = only(rig.document(press, CallSid=call["sid"], Digits="1"), "Dial")
    assert (only(dial, "Number").text, dial.attrib["callerId"]) == (PATIENT, pair.patient_number)
    assert rig.post(press, CallSid=call["sid"], Digits="1").status == 403
    assert state(rig, wish) == (WishState.FIRST_ANSWERED, None)
    rig.document(only(dial, "Number").attrib["url"] + "&asked=1", Digits="1")
    assert state(rig, wish) == (WishState.CONNECTED, None)
    rig.document(dial.attrib["action"], DialCallStatus="completed", DialCallDuration="9", CallStatus="in-progress")
    rig.document(call["StatusCallback"], CallSid=call["sid"], CallStatus="completed")
    assert state(rig, wish) == (WishState.DONE, LegEnd.COMPLETED)
    assert [one.call for one in rig.diary._records.values()] == [wish.id] * 2


@pytest.mark.parametrize(
    ("status", "end"), [("busy", LegEnd.BUSY), ("no-answer", LegEnd.NO_ANSWER), ("completed", LegEnd.NOT_CONFIRMED)]
)
def test_a_doctor_who_does_not_take_it_ends_the_click_to_call(
    fake: FakeTwilio, base: str, status: str, end: LegEnd
) -> None:
    rig = Rig()
    wish = asked(rig, base)
    rig.document(fake.calls[0]["StatusCallback"], CallSid=fake.calls[0]["sid"], CallStatus=status)
    assert state(rig, wish) == (WishState.FAILED, end)
    assert rig.ends() == [("a", str(end))]


@pytest.mark.parametrize(("fault", "end"), [(500, LegEnd.UNAVAILABLE), ("21211", LegEnd.REFUSED)])
def test_a_doctor_who_cannot_be_called_ends_it_and_is_not_called_twice(
    fake: FakeTwilio, base: str, fault: int | str, end: LegEnd
) -> None:
    rig = Rig()
    fake.faults.append(fault)
    wish = asked(rig, base)
    assert state(rig, wish) == (WishState.FAILED, end)
    assert fake.calls == []


def test_an_owners_hook_stops_a_click_to_call(fake: FakeTwilio, base: str) -> None:
    rig = Rig()
    rig.asked.decision = Decision.OPERATOR
    wish = asked(rig, base)
    assert state(rig, wish) == (WishState.FAILED, LegEnd.INTERCEPTED)
    assert fake.calls == []
