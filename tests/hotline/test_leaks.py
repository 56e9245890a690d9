"""A caller's number, put wherever a SIP message has room for one: it must reach neither the agent nor a disk."""

import time

import pytest

from masking.leaks import LeakOracle
from tests.hotline.conftest import Desks
from tests.hotline.running import Hotline
from tests.hotline.softphone import Softphone

pytestmark = pytest.mark.sip

CANARIES = tuple(f"+1202555017{digit}" for digit in range(8))
USER, NAME, ASSERTED, CONTACT, PARTY, DIVERTED, ORIGIN, SUBJECT = CANARIES


def offer(phone: Softphone) -> str:
    """An offer with numbers in its texts."""
    return (
        phone.sdp()
        .replace("o=- 1 1", f"o={ORIGIN} 1 1")
        .replace("s=-", f"s=call of {SUBJECT}\r\ni={SUBJECT[1:]}\r\np={SUBJECT}\r\ne={SUBJECT[1:]}@example.org")
    )


HEADERS = (
    f'P-Asserted-Identity: "{ASSERTED}" <sip:{ASSERTED}@127.0.0.1>, <tel:{ASSERTED}>\r\n'
    f"P-Preferred-Identity: <sip:{ASSERTED[1:]}@127.0.0.1>\r\n"
    f'Remote-Party-ID: "{PARTY[1:]}" <sip:{PARTY}@127.0.0.1>;party=calling;privacy=off\r\n'
    f"Diversion: <sip:{DIVERTED}@127.0.0.1>;reason=unconditional\r\n"
    f"History-Info: <sip:{DIVERTED[1:]}@127.0.0.1>;index=1\r\n"
    f"User-Agent: phone of {NAME[1:]}\r\n"
    f"Subject: {SUBJECT}\r\n"
    f"Call-Info: <http://127.0.0.1/{SUBJECT[1:]}.vcf>;purpose=card\r\n"
    f"X-Caller: {SUBJECT[1:]}\r\n"
    f"Reply-To: <sip:{CONTACT}@127.0.0.1>\r\n"
)


@pytest.mark.parametrize("plus", ["+", ""])
def test_no_number_reaches_the_agent_or_a_disk(hotline: Hotline, caller: Softphone, desks: Desks, plus: str) -> None:
    oracle = LeakOracle(CANARIES)
    desks.first.policy = "answer"
    sip_user, shown = plus + USER[1:], plus + NAME[1:]
    caller.call(hotline.port, user=sip_user, name=f"{shown} calls", headers=HEADERS, sdp=offer(caller))
    caller.await_sound()
    caller.press("0")
    desks.first.await_sound()
    desks.first.press("1")
    hotline.await_entry("Bridged")
    caller.request("INFO", f"Signal={SUBJECT}\r\n", kind="text/plain")
    time.sleep(0.3)
    caller.hang_up()
    desks.first.await_request("BYE")
    hotline.assert_idle()
    call = hotline.last()[0]
    to_agents = b"\n".join(desks.first.received + desks.second.received)
    printed = "\n".join([
        hotline.command_line("calls", "show", call.call), hotline.command_line("calls", "list"),
        hotline.command_line("callbacks", "list"), *hotline.lines,
    ])  # fmt: skip

    assert {hit.number for hit in oracle.scan(b"\n".join(caller.sent))} == set(range(len(CANARIES))), "a blind oracle"
    assert call.outcome == "bridged"
    assert to_agents.count(b"INVITE sip:nurse-1@") >= 1
    assert oracle.scan(to_agents, "agent") == ()
    assert oracle.scan(printed.encode(), "printed") == ()
    assert oracle.scan_folder(hotline.var) == ()


def test_the_number_can_still_be_called_back(hotline: Hotline, caller: Softphone, desks: Desks) -> None:
    desks.first.policy = "ring"
    caller.call(hotline.port, user=USER, name="somebody")
    caller.await_sound()
    caller.press("5")
    time.sleep(1.0)
    caller.press("1")
    desks.first.await_request("INVITE")
    caller.hang_up()
    hotline.assert_idle()
    owed = f"cb-{hotline.last()[0].call}"
    assert hotline.command_line("callbacks", "number", owed, "--reason", "the caller hung up").strip() == USER
    assert hotline.command_line("callbacks", "done", owed) == "done\n"
    assert owed not in hotline.command_line("callbacks", "list")
    assert LeakOracle([USER]).scan_folder(hotline.var) == ()
