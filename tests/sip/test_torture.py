"""Torture and mutated messages at a running line: it lives, the next good call is fine, memory stays flat."""

import socket
import time

import pytest

from tests.sip.raw_caller import RawCaller
from tests.sip.support import TUNED, Phone
from tests.sip.torture import mutations, torture

pytestmark = pytest.mark.sip

COUNT = 3000 if TUNED else 400
"""The packaged build has four call slots, and a mutated INVITE may hold one until its ACK is overdue."""


def _next_call_is_fine(hotline: Phone) -> None:
    hotline.do("on_arrival", policy="answer")
    until = time.monotonic() + 40
    while True:
        with RawCaller(hotline.port, user="+12025550177") as caller:
            caller.send("INVITE", caller.sdp())
            code = caller.status("INVITE")
            caller.send("ACK")
            if code == 200:
                caller.say(700, 200)
                caller.hang_up()
                return
        assert time.monotonic() < until, code
        time.sleep(0.2)


def _line() -> Phone:
    return Phone(ack_wait_s=0.3, request_wait_s=1.0, refusals_per_source=0)


def test_torture_messages_one_by_one() -> None:
    with _line() as hotline, RawCaller(hotline.port) as good:
        good.call()
        leg = hotline.wait_for("LegAnswered")["leg"]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for text in torture():
                stranger.sendto(text.encode("utf-8", "replace"), ("127.0.0.1", hotline.port))
                time.sleep(0.01)
                assert hotline.process.poll() is None
        with socket.create_connection(("127.0.0.1", hotline.port)) as stream:
            stream.sendall("".join(torture()[:4]).encode())
        good.say(700, 700)
        hotline.hears(leg, 700)
        good.hang_up()
        _next_call_is_fine(hotline)


def test_mutated_messages_leave_the_line_alive_and_small() -> None:
    with _line() as hotline, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        hotline.do("on_arrival", policy="486")
        before = 0
        for number, packet in enumerate(mutations(4475, COUNT)):
            stranger.sendto(packet, ("127.0.0.1", hotline.port))
            if number % 10 == 0:
                time.sleep(0.005)
            if number == COUNT // 3:
                before = hotline.do("memory")
        assert hotline.process.poll() is None
        for packet in mutations(3261, 60):
            with socket.create_connection(("127.0.0.1", hotline.port), timeout=3) as stream:
                stream.sendall(packet)
        _next_call_is_fine(hotline)
        assert hotline.do("memory") - before < 25_000_000
