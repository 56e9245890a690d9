"""`triageline check` on masking and Twilio: one sentence each, and what to do."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.places import Places, places, prepare
from config.settings import Console, Masking, Paths, Settings, Sip
from ivr.bootstrap import checks
from ivr.bootstrap.doors import open_masking
from masking.port import Side, VirtualNumber
from records.keys import keys_from_folder

PUBLIC = "https://calls.hospital.example"


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    before = dict(os.environ)
    for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"):
        os.environ.pop(name, None)
    yield
    os.environ.clear()
    os.environ.update(before)


def with_masking(var: Path, **masking: object) -> Settings:
    """Settings with these of masking."""
    update = {"paths": Paths(var=var), "sip": Sip(outbound=""), "masking": Masking.model_validate(masking)}
    return Settings().model_copy(update=update)


def fill(settings: Settings, where: Places) -> None:
    """A number of each side."""
    desk = open_masking(settings, where, keys_from_folder(where.keys))
    sides = zip(("+12025550110", "+12025550111"), (Side.PATIENT, Side.DOCTOR), strict=True)
    asyncio.run(desk.numbers.add(tuple(VirtualNumber(number=one, side=side, country="US") for one, side in sides)))
    desk.close()


def test_numbers_and_the_way_to_the_other_side(tmp_path: Path) -> None:
    settings = with_masking(tmp_path)
    where = places(settings)
    prepare(where)
    assert checks.masking(settings, where) == checks.good(checks.NO_NUMBERS)
    fill(settings, where)
    assert "set masking.outbound" in checks.masking(settings, where).text
    found = checks.masking(with_masking(tmp_path, outbound="sip:{number}@trunk.example"), where)
    told = "1 that patients dial, 1 that doctors dial, the other side is called through a trunk"
    assert found == checks.good(told)
    assert checks.masking(with_masking(tmp_path, twilio_public_url=PUBLIC), where).ok


def test_a_database_that_cannot_be_reached_is_named_without_its_address(tmp_path: Path) -> None:
    settings = with_masking(tmp_path, database="postgresql+psycopg://triageline:secret@127.0.0.1:1/masking")
    where = places(settings)
    prepare(where)
    found = checks.masking(settings, where)
    assert not found.ok
    assert found.text.endswith("look at masking.database")
    assert "secret" not in found.text


def test_what_twilio_lacks_is_told(tmp_path: Path) -> None:
    off = with_masking(tmp_path)
    where = places(off)
    assert checks.twilio(off, where) == checks.good("off")
    assert "twilio_public_url is empty" in checks.twilio(with_masking(tmp_path, provider="twilio"), where).text
    public = with_masking(tmp_path, provider="twilio", twilio_public_url=PUBLIC)
    assert "TWILIO_ACCOUNT_SID" in checks.twilio(public, where).text
    os.environ |= {"TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "none"}
    assert checks.twilio(public, where) == checks.good(f"answered at {PUBLIC}/twilio/")
    silent = public.model_copy(update={"console": Console(enabled=False)})
    assert "console.enabled" in checks.twilio(silent, where).text
