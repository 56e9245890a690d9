"""What strangers are told and what they cost: the guard before the SIP library."""

import re
import socket
import time

import pytest

from tests.sip.raw_caller import RawCaller, rtp_head, tone_payloads
from tests.sip.support import Phone, tuned_only

pytestmark = pytest.mark.sip

ELSEWHERE = "127.0.0.2"


def _next_call_is_fine(hotline: Phone) -> None:
    with RawCaller(hotline.port) as caller:
        caller.call()
        leg = hotline.wait_for("LegAnswered")["leg"]
        caller.hang_up()
        assert hotline.wait_for("LegGone", leg=leg)["cause"] == "normal"


@tuned_only
def test_strangers_cost_nothing_and_learn_nothing() -> None:
    with Phone(peers=["192.0.2.0/24", "127.0.0.3"]) as hotline, RawCaller(hotline.port) as stranger:
        for _ in range(40):
            with RawCaller(hotline.port) as other:
                other.send("INVITE", other.sdp())
        stranger.sip.settimeout(0.3)
        stranger.send("INVITE", stranger.sdp())
        with pytest.raises(TimeoutError):
            stranger.status("INVITE")
        kept = hotline.do("kept_away")
        assert kept["refused"] <= 12
        assert kept["refused"] + kept["silenced"] == 41
        assert hotline.do("free_slots") == hotline.opened["capacity"]
        assert hotline.waiting("LegArrived") == []
        time.sleep(0.5)
        stranger.sip.settimeout(6)
        stranger.send("OPTIONS")
        assert stranger.status("OPTIONS") == 403
        assert not re.search(r"^(Server|User-Agent|Allow|Supported|Warning|Contact):", stranger.answer, re.MULTILINE)


def test_a_phone_that_we_called_may_hang_up_from_any_network() -> None:
    with Phone(peers=["192.0.2.0/24"]) as hotline, RawCaller(hotline.port) as desk:
        leg = hotline.dial(f"sip:desk@127.0.0.1:{desk.sip.getsockname()[1]}", shown="hotline")
        invite = desk.wait_request("INVITE")
        desk.respond(invite, "200 OK", desk.sdp())
        hotline.wait_for("LegAnswered", leg=leg)
        desk.follow(invite)
        desk.hang_up()
        assert hotline.wait_for("LegGone", leg=leg)["cause"] == "normal"


@tuned_only
def test_a_network_that_cannot_be_read_is_one_sentence() -> None:
    with Phone(peers=["2001:db8::/32", "192.0.2.7"]) as hotline:
        assert hotline.port
    wrong = Phone(peers=["10.0.0.0/99"])
    assert "192.0.2.0/24" in wrong.opened["why"]
    wrong.close()


@tuned_only
@pytest.mark.parametrize(
    ("methods", "code"),
    [
        (("MESSAGE", "SUBSCRIBE", "NOTIFY", "PUBLISH", "REGISTER", "REFER"), 405),
        (("FETCH", "INVITED"), 501),
        (("BYE", "UPDATE", "INFO", "PRACK"), 481),
    ],
)
def test_what_no_call_needs_is_refused(hotline: Phone, methods: tuple[str, ...], code: int) -> None:
    for method in methods:
        with RawCaller(hotline.port) as caller:
            caller.send(method)
            assert caller.status(method) == code, method
            assert ("\r\nAllow: " in caller.answer) == (code == 405)


@tuned_only
def test_options_are_answered_plainly(hotline: Phone) -> None:
    with RawCaller(hotline.port) as caller:
        caller.send("OPTIONS")
        assert caller.status("OPTIONS") == 200
        assert "REFER" not in caller.answer
        caller.call()
        assert "replaces" not in caller.answer
        hotline.wait_for("LegAnswered")
        caller.hang_up()
        hotline.wait_for("LegGone")


@tuned_only
def test_one_address_may_begin_only_so_many_calls() -> None:
    with Phone(calls_per_source=2) as hotline:
        codes = []
        callers = [RawCaller(hotline.port) for _ in range(6)]
        for caller in callers:
            caller.send("INVITE", caller.sdp())
            codes.append(caller.status("INVITE"))
            caller.send("ACK")
        assert codes == [200] * 4 + [503] * 2
        for caller, code in zip(callers, codes, strict=True):
            if code == 200:
                caller.hang_up()
            caller.sip.close()
            caller.rtp.close()


def test_calls_never_acknowledged_end_by_themselves() -> None:
    with Phone(ack_wait_s=1.0, request_wait_s=2.0, max_calls=60) as hotline:
        count = min(50, hotline.opened["capacity"] - 1)
        for _ in range(count):
            with RawCaller(hotline.port) as silent:
                silent.send("INVITE", silent.sdp())
        _next_call_is_fine(hotline)
        for _ in range(count):
            assert hotline.wait_for("LegGone")["cause"] == "failed"
        if hotline.do("kept_away") and count == 50:
            until = time.monotonic() + 6
            while hotline.do("free_slots") < hotline.opened["capacity"]:
                assert time.monotonic() < until, "slots of calls without ACK were not given back"
                time.sleep(0.1)


def test_a_caller_whom_nobody_answers_is_sent_away() -> None:
    with Phone(ring_wait_s=0.5) as hotline, RawCaller(hotline.port) as caller:
        hotline.do("on_arrival", policy="ring")
        caller.send("INVITE", caller.sdp())
        assert caller.status("INVITE") == 480
        caller.send("ACK")


@tuned_only
@pytest.mark.parametrize("early", [False, True])
def test_sound_from_a_third_address_is_neither_heard_nor_answered(hotline: Phone, early: bool) -> None:
    with RawCaller(hotline.port) as caller, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sprayer:
        sprayer.bind((ELSEWHERE, 0))
        caller.call()
        leg = hotline.wait_for("LegAnswered")["leg"]
        hotline.do("tone", leg, hz=500, ms=6000)
        if not early:
            caller.say(440, 400)
        before = hotline.do("kept_away")["stray_media"]
        for number, payload in enumerate(tone_payloads(1500, 600)):
            for port in (caller.remote_rtp, caller.remote_rtp + 1):
                sprayer.sendto(rtp_head(number, 160 * number, source=7) + payload, ("127.0.0.1", port))
            time.sleep(0.02)
        assert abs(hotline.do("heard", leg)["hz"] - 1500) > 100 or hotline.do("heard", leg)["rms"] < 100
        sprayer.setblocking(False)
        with pytest.raises(BlockingIOError):
            sprayer.recv(2048)
        assert caller.hears_sound()
        caller.say(700, 800)
        assert abs(hotline.do("heard", leg)["hz"] - 700) <= 20
        assert hotline.do("kept_away")["stray_media"] >= before + 25
        caller.hang_up()
        hotline.wait_for("LegGone")


@tuned_only
def test_a_phone_behind_address_translation_is_found_once(hotline: Phone) -> None:
    with RawCaller(hotline.port) as caller, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
        thief.bind(("127.0.0.1", 0))
        caller.send("INVITE", caller.sdp(host="192.0.2.44", port=4000))
        assert caller.status("INVITE") == 200
        caller.send("ACK")
        leg = hotline.wait_for("LegAnswered")["leg"]
        hotline.do("tone", leg, hz=500, ms=9000)
        caller.say(440, 800)
        assert hotline.hears(leg, 440)
        assert caller.hears_sound()
        for number, payload in enumerate(tone_payloads(1500, 600)):
            head = rtp_head(number, 160 * number, source=7)
            thief.sendto(head + payload, ("127.0.0.1", caller.remote_rtp))
            time.sleep(0.02)
        thief.setblocking(False)
        with pytest.raises(BlockingIOError):
            thief.recv(2048)
        caller.say(440, 600)
        assert hotline.hears(leg, 440)
        caller.hang_up()
        hotline.wait_for("LegGone")


@tuned_only
def test_a_phone_on_this_machine_that_names_its_network_address_is_heard(hotline: Phone) -> None:
    with RawCaller(hotline.port) as desk:
        leg = hotline.dial(f"sip:desk@127.0.0.1:{desk.sip.getsockname()[1]}", shown="hotline")
        invite = desk.wait_request("INVITE")
        found = re.search(r"^m=audio (\d+)", invite, re.MULTILINE)
        assert found is not None
        desk.remote_rtp = int(found.group(1))
        desk.respond(invite, "200 OK", desk.sdp(host="192.0.2.44"))
        hotline.wait_for("LegAnswered", leg=leg)
        desk.follow(invite)
        hotline.do("tone", leg, hz=500, ms=9000)
        desk.say(440, 800)
        assert hotline.hears(leg, 440)
        assert desk.hears_sound()
        desk.hang_up()
        hotline.wait_for("LegGone", leg=leg)
