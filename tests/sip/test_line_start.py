"""Starting and ending the line, and what it must never say aloud."""

import asyncio

import pytest

from ivr.lines.sip import SipLine
from ivr.lines.sip_settings import SipSettings
from ivr.ports import LegArrived, LineError
from tests.sip.raw_caller import RawCaller
from tests.sip.support import CALLER, Phone

pytestmark = pytest.mark.sip


def _ignore(_: LegArrived) -> None:
    return


async def _why_not(settings: SipSettings) -> str:
    line = SipLine(settings)
    try:
        await line.start(_ignore)
    except LineError as error:
        return str(error)
    await line.close()
    return ""


def test_a_port_in_use_is_one_sentence(hotline: Phone) -> None:
    why = asyncio.run(_why_not(SipSettings(port=hotline.port)))
    assert why == f"SIP port {hotline.port} on 127.0.0.1 is in use by another program"


def test_an_address_of_another_machine_is_one_sentence() -> None:
    why = asyncio.run(_why_not(SipSettings(bind="192.0.2.9", port=0, allow_old_build=True)))
    assert why == "192.0.2.9 is not an address of this machine"


def test_an_unknown_codec_is_one_sentence() -> None:
    assert "G999" in asyncio.run(_why_not(SipSettings(port=0, codecs=("PCMU", "G999"))))


def test_a_line_opens_again_after_it_was_closed() -> None:
    assert asyncio.run(_why_not(SipSettings(port=0))) == ""
    assert asyncio.run(_why_not(SipSettings(port=0))) == ""


def test_one_process_has_one_line() -> None:
    async def both() -> str:
        line = SipLine(SipSettings(port=0))
        await line.start(_ignore)
        try:
            return await _why_not(SipSettings(port=0))
        finally:
            await line.close()

    assert "already" in asyncio.run(both())


def test_the_build_says_how_many_calls_it_holds(hotline: Phone) -> None:
    assert hotline.opened["capacity"] >= 4
    assert hotline.opened["version"].count(".") >= 1


def test_closing_ends_the_calls() -> None:
    with Phone() as hotline, RawCaller(hotline.port) as caller:
        caller.call()
        hotline.wait_for("LegAnswered")
        hotline.close()
        assert caller.wait_request("BYE")


def test_no_number_is_printed() -> None:
    with Phone() as hotline:
        with RawCaller(hotline.port) as caller:
            caller.call()
            hotline.wait_for("LegAnswered")
            caller.hang_up()
            hotline.wait_for("LegGone")
        hotline.close()
        said = [line for line in hotline.lines if CALLER in line]
    assert len(said) == 1
    assert "LegArrived" in said[0]
