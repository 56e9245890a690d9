"""Texts and Twilio on a real desk: what lies on the disk, and what is said where something is missing."""

import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from config.places import Places, places, prepare
from config.settings import Settings, load
from console.carrying import carrying
from console.twilio import router
from masking.carried import Carried, TwilioAccount, Words
from masking.desk import Desk, open_desk
from masking.leaks import LeakOracle
from masking.port import Kind, MaskingUnavailable, PhoneNumber, Side, VirtualNumber, Wanted
from masking.providers.twilio_hooks import PATHS
from masking.redact import Redactor
from masking.schema import texts
from records.database import connect
from records.keys import KeyRing
from tests.fake_twilio import ACCOUNT, TOKEN, FakeTwilio, served, sid

PATIENT, DOCTOR = "+12025550123", "+447700900123"
NUMBERS = ("+12025550150", "+12025550151")
KEYS = KeyRing({1: b"k" * 32})
ORACLE = LeakOracle([PATIENT, DOCTOR])


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = open_desk(connect(f"sqlite:///{tmp_path}/vault.db"), KEYS.sealer, region="US")
    yield opened
    opened.close()


async def bound(desk: Desk) -> tuple[str, str]:
    """A pair's numbers: the patient's, the doctor's."""
    sides = zip(NUMBERS, (Side.PATIENT, Side.DOCTOR), strict=True)
    await desk.numbers.add(tuple(VirtualNumber(number=number, side=side, country="US") for number, side in sides))
    doctor, patient = [(await desk.vault.party(PhoneNumber(one))).id for one in (DOCTOR, PATIENT)]
    made = await desk.bindings.create(Wanted(owner="clinic", kind=Kind.PAIR, doctor=doctor, patient=patient))
    return made.patient_number, made.doctor_number


@contextmanager
def logged() -> Iterator[StringIO]:
    """All that is logged meanwhile, as the process would write it."""
    log, root = StringIO(), logging.getLogger()
    handler, before = logging.StreamHandler(log), root.level
    handler.addFilter(Redactor())
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield log
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


async def carry(desk: Desk) -> None:
    """A text that goes, one that has to wait, and a call."""
    fake, app = FakeTwilio(), FastAPI(openapi_url=None)
    async with served(fake.app()) as base, served(app) as public, httpx.AsyncClient() as browser:
        twilio = TwilioAccount(account=ACCOUNT, token=TOKEN, public=public, api=base)
        said = Words(language="en", emergency="911", danger=lambda text: "breathe" in text)
        carried = Carried(desk, KEYS.sealer, said, texts="twilio", twilio=twilio)
        assert carried.hooks is not None
        app.include_router(router(carried.hooks, PATHS))
        await carried.open()
        running = asyncio.create_task(carried.run())
        dialled, _ = await bound(desk)
        words = "leg-rash unmistakable 202 555 0123"
        fields = {"MessageSid": sid("SM"), "From": PATIENT, "To": dialled, "Body": words}
        assert (await fake.hook(browser, f"{public}/twilio/sms", fields)).status_code == 200
        async with asyncio.timeout(20):
            await fake.news.wait()
        fake.faults.extend([503] * 50)
        late = fields | {"MessageSid": sid("SM"), "Body": "waiting unmistakable, I can not breathe"}
        assert (await fake.hook(browser, f"{public}/twilio/sms", late)).status_code == 200
        voice = {"CallSid": sid("CA"), "From": PATIENT, "To": dialled}
        assert DOCTOR in (await fake.hook(browser, f"{public}/twilio/voice", voice)).text
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await carried.close()
        assert fake.messages[0]["Body"] == "leg-rash unmistakable [number hidden]"


def test_no_number_and_no_word_lies_on_the_disk_or_in_the_log(desk: Desk, tmp_path: Path) -> None:
    with logged() as log:
        asyncio.run(carry(desk))
    query = select(texts.c.state, texts.c.body)
    kept = asyncio.run(desk.ledger.read(lambda db: db.execute(query).all()))
    assert {(row.state == "sent", row.body is None) for row in kept} == {(True, True), (False, False)}
    assert ORACLE.scan(log.getvalue().encode()) == ()
    assert "unmistakable" not in log.getvalue()
    assert TOKEN not in log.getvalue()
    assert ORACLE.scan_folder(tmp_path) == ()
    for file in tmp_path.iterdir():
        assert b"unmistakable" not in file.read_bytes()


@pytest.fixture
def environment() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def told(folder: Path, desk: Desk, masking: str) -> str:
    """The sentence about settings that do not fit together; "" where they do."""
    file = folder / "mine.toml"
    file.write_text(f'[paths]\nvar = "{folder}/var"\n[masking]\n{masking}\n', encoding="utf-8")
    settings: Settings = load(file)
    where: Places = places(settings)
    prepare(where)

    async def run() -> str:
        try:
            async with carrying(settings, where, desk, KEYS) as carried:
                return "" if carried.hooks is None else "twilio"
        except MaskingUnavailable as refused:
            return str(refused)

    return asyncio.run(run())


def test_what_is_missing_is_said_in_one_sentence(environment: None, desk: Desk, tmp_path: Path) -> None:
    for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"):
        os.environ.pop(name, None)
    assert told(tmp_path, desk, "") == ""
    assert "masking.twilio_public_url is empty" in told(tmp_path, desk, 'texts = "twilio"')
    public = 'twilio_public_url = "https://hotline.example"'
    assert "TWILIO_ACCOUNT_SID" in told(tmp_path, desk, public)
    assert "sip.edge" in told(tmp_path, desk, 'texts = "sip"')
    (tmp_path / "var/run").mkdir(parents=True, exist_ok=True)
    (tmp_path / "var/run/edge.json").write_text('{"inner": 25061}', encoding="utf-8")
    assert "masking.outbound" in told(tmp_path, desk, 'texts = "sip"')
    outbound = 'outbound = "sip:{number}@trunk.example:5060"'
    assert told(tmp_path, desk, f'texts = "sip"\nsip_texts_port = 25977\n{outbound}') == ""
    os.environ |= {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN}
    assert told(tmp_path, desk, f'texts = "twilio"\n{public}') == "twilio"
