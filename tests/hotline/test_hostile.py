"""Requests and datagrams that no ordinary phone sends to the running hotline: refused, and the calls go on."""

import os
import socket
import time
from pathlib import Path

import pytest

from tests.hotline.conftest import Desks
from tests.hotline.running import Hotline
from tests.hotline.sipp import Sipp
from tests.hotline.softphone import Softphone

pytestmark = pytest.mark.sip

SDP = "Content-Type: application/sdp\r\n"


def goes_on(phone: Softphone) -> None:
    """The call's sound still comes; the menu starts anew, so that there is something to hear."""
    now = time.monotonic()
    phone.press("5")
    phone.await_sound(since=now)


def test_a_transfer_asked_for_by_the_caller_is_refused(hotline: Hotline, caller: Softphone) -> None:
    with Softphone(policy="ring") as elsewhere:
        caller.call(hotline.port)
        target = f"<sip:elsewhere@127.0.0.1:{elsewhere.port}>"
        caller.request("REFER", headers=f"Refer-To: {target}\r\nReferred-By: <sip:+12025550142@127.0.0.1>\r\n")
        assert caller.status("REFER") == 403
        goes_on(caller)
        assert elsewhere.received == []


def test_a_transfer_asked_for_by_the_agent_is_refused(hotline: Hotline, caller: Softphone, desks: Desks) -> None:
    with Softphone(policy="ring") as elsewhere:
        desks.first.policy = "answer"
        caller.call(hotline.port)
        caller.await_sound()
        caller.press("0")
        desks.first.await_sound()
        desks.first.request("REFER", headers=f"Refer-To: <sip:elsewhere@127.0.0.1:{elsewhere.port}>\r\n")
        assert desks.first.status("REFER") == 403
        assert elsewhere.received == []


def test_a_call_may_be_renegotiated(hotline: Hotline, caller: Softphone) -> None:
    caller.call(hotline.port)
    caller.request("INVITE", caller.sdp().replace("o=- 1 1", "o=- 1 2"))
    assert caller.status("INVITE") == 200
    goes_on(caller)


def test_a_call_cannot_be_taken_over(hotline: Hotline, caller: Softphone) -> None:
    caller.call(hotline.port)
    assert caller.dialog is not None
    tags = [part.rpartition("tag=")[2] for part in (caller.dialog.remote, caller.dialog.local)]
    with Softphone() as thief:
        replaces = f"{caller.dialog.call_id};to-tag={tags[0]};from-tag={tags[1]}"
        thief.dial(hotline.port, headers=f"Replaces: {replaces}\r\nRequire: replaces\r\n")
        assert thief.status("INVITE") == 403
    assert caller.count("BYE") == 0
    goes_on(caller)


def test_the_third_caller_is_told_to_come_again_and_the_others_go_on(hotline: Hotline, caller: Softphone) -> None:
    with Softphone() as second, Softphone() as third:
        caller.call(hotline.port)
        second.call(hotline.port)
        third.dial(hotline.port)
        assert third.status("INVITE") == 503
        assert "\r\nRetry-After: " in third.answer_text("INVITE")
        goes_on(caller)
        goes_on(second)
        second.hang_up()
        until = time.monotonic() + 3
        third.dial(hotline.port)
        while third.status("INVITE") != 200:
            assert time.monotonic() < until
            third.dial(hotline.port)
        third.await_sound()


def test_two_bridged_calls_use_every_line_and_one_more_is_refused(
    hotline: Hotline, caller: Softphone, desks: Desks
) -> None:
    desks.first.policy = desks.second.policy = "answer"
    with Softphone() as second, Softphone() as third:
        for phone, desk in ((caller, desks.first), (second, desks.second)):
            phone.call(hotline.port)
            phone.await_sound()
            phone.press("0")
            desk.await_sound()
            desk.press("1")
            hotline.await_entry("Bridged")
        third.dial(hotline.port)
        assert third.status("INVITE") in (486, 503)
        assert caller.count("BYE") == second.count("BYE") == 0


@pytest.mark.parametrize("scenario", ["refer", "renegotiate", "options"])
def test_another_vendors_phone(hotline: Hotline, scenario: str, tmp_path: Path) -> None:
    Sipp(scenario, tmp_path, target=hotline.port).finish()


def test_nonsense_on_the_port_hurts_nobody(hotline: Hotline, caller: Softphone) -> None:
    caller.call(hotline.port)
    worker = hotline.pids()[hotline.worker]
    long = b"A" * 60_000
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for nonsense in (
            b"",
            b"\x00" * 1400,
            b"INVITE",
            b"\r\n\r\n",
            b"INVITE sip:x SIP/2.0\r\n\r\n",
            b"SIP/2.0 200 OK\r\n\r\n",
            b"SIP/2.0 999999999999 \r\nCSeq: -1 X\r\n\r\n",
            b"INVITE sip:\xff\xfe@\x00 SIP/2.0\r\nFrom: \xff\r\nContent-Length: 99999\r\n\r\n",
            b"INVITE sip:" + long + b" SIP/2.0\r\n\r\n",
            broken(caller, "Content-Length: -5"),
            broken(caller, "Content-Length: 99999999999999999999"),
            broken(caller, f"{SDP}Content-Length: 7", "v=0\r\nm="),
            broken(caller, f"{SDP}Content-Length: 44", "v=0\r\no=- 1 1 IN IP4 %n%n%n%n\r\ns=\r\nt=0 0\r\n"),
            *(os.urandom(size) for size in (1, 17, 200, 1400)),
        ):
            stranger.sendto(nonsense, ("127.0.0.1", hotline.port))
    with socket.create_connection(("127.0.0.1", hotline.port)) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + os.urandom(500))
    goes_on(caller)
    with Softphone() as following:
        until = time.monotonic() + 12  # what is whole enough to be answered holds a place until its ACK is overdue
        following.dial(hotline.port)
        while following.status("INVITE") != 200:
            assert time.monotonic() < until
            time.sleep(0.3)
            following.dial(hotline.port)
        following.await_sound()
    assert hotline.pids()[hotline.worker] == worker


def broken(phone: Softphone, headers: str, body: str = "") -> bytes:
    """An INVITE of another call that is right but for some headers and its body."""
    unique = os.urandom(6).hex()
    return (
        "INVITE sip:hotline@127.0.0.1 SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 127.0.0.1:{phone.port};branch=z9hG4bK{unique}\r\nMax-Forwards: 70\r\n"
        f"From: <sip:x@127.0.0.1>;tag=x\r\nTo: <sip:hotline@127.0.0.1>\r\nCall-ID: {unique}\r\n"
        f"CSeq: 1 INVITE\r\nContact: <sip:x@127.0.0.1:{phone.port}>\r\n{headers}\r\n\r\n{body}"
    ).encode()


def test_garbage_in_the_sound_is_no_sound(hotline: Hotline, caller: Softphone) -> None:
    caller.call(hotline.port)
    for size in (0, 1, 11, 12, 13, 200, 1400):
        caller.rtp.sendto(os.urandom(size), ("127.0.0.1", caller.remote_rtp))
    goes_on(caller)
