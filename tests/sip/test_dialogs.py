"""What phones and trunks do inside a call: hold, new offers, session timers, races; and what they must not do."""

import re
import time
from collections.abc import Iterator

import pytest

from tests.sip.raw_caller import RawCaller
from tests.sip.support import Phone, tuned_only

pytestmark = pytest.mark.sip


@pytest.fixture
def raw(hotline: Phone) -> Iterator[RawCaller]:
    with RawCaller(hotline.port) as caller:
        yield caller


def _stands(hotline: Phone, raw: RawCaller) -> str:
    raw.call()
    return str(hotline.wait_for("LegAnswered")["leg"])


def _end(hotline: Phone, raw: RawCaller) -> None:
    raw.hang_up()
    assert hotline.wait_for("LegGone")["cause"] == "normal"


@pytest.mark.parametrize(
    ("offer", "answer", "method"),
    [
        ("a=sendonly\r\n", "recvonly", "INVITE"),
        ("a=sendonly\r\n", "recvonly", "UPDATE"),
        ("a=inactive\r\n", "inactive", "INVITE"),
        ("0.0.0.0", "", "INVITE"),
    ],
)
def test_a_call_on_hold_comes_back(hotline: Phone, raw: RawCaller, offer: str, answer: str, method: str) -> None:
    leg = _stands(hotline, raw)
    hotline.do("tone", leg, hz=500, ms=9000)
    assert raw.hears_sound()
    held = raw.sdp(version=2, host=offer) if offer == "0.0.0.0" else raw.sdp(version=2, more=offer)
    assert answer in raw.renegotiate(held, method)
    raw.renegotiate(raw.sdp(version=3), method)
    assert raw.hears_sound()
    raw.say(700, 700)
    hotline.hears(leg, 700)
    _end(hotline, raw)


def test_an_offer_is_given_where_the_new_invite_has_none(hotline: Phone, raw: RawCaller) -> None:
    leg = _stands(hotline, raw)
    raw.send("INVITE")
    assert raw.status("INVITE") == 200
    assert "m=audio" in raw.answer
    raw.send("ACK", raw.sdp(version=2))
    raw.say(700, 700)
    hotline.hears(leg, 700)
    _end(hotline, raw)


def test_an_offer_of_nothing_that_we_have_is_refused_and_the_call_goes_on(hotline: Phone, raw: RawCaller) -> None:
    leg = _stands(hotline, raw)
    port = raw.rtp.getsockname()[1]
    head = raw.sdp(version=2).split("m=audio")[0]
    raw.send("INVITE", f"{head}m=audio {port} RTP/AVP 96\r\na=rtpmap:96 X-NOTHING/8000\r\n")
    assert raw.status("INVITE") in (488, 500)  # the library's choice inside a call
    raw.send("ACK")
    raw.say(700, 700)
    hotline.hears(leg, 700)
    _end(hotline, raw)


@pytest.mark.parametrize("wrong", ["tag", "remote_tag"])
def test_requests_of_another_dialog_leave_the_call_alone(hotline: Phone, raw: RawCaller, wrong: str) -> None:
    leg = _stands(hotline, raw)
    right = getattr(raw, wrong)
    for method in ("INVITE", "UPDATE", "BYE"):
        setattr(raw, wrong, "anothers")
        raw.send(method, raw.sdp(version=9) if method != "BYE" else "")
        assert raw.status(method) == 481
        if method == "INVITE":
            raw.send("ACK")
    setattr(raw, wrong, right)
    raw.say(700, 700)
    hotline.hears(leg, 700)
    _end(hotline, raw)


def test_a_call_cancelled_and_begun_again_in_one_breath(hotline: Phone, raw: RawCaller) -> None:
    hotline.do("on_arrival", policy="ring")
    raw.send("INVITE", raw.sdp())
    hotline.wait_for("LegArrived")
    raw.send("CANCEL")
    assert raw.status("INVITE") == 487
    raw.send("ACK")
    hotline.do("on_arrival", policy="answer")
    raw.remote_tag = ""
    raw.call()
    hotline.wait_for("LegAnswered")
    _end(hotline, raw)


def test_a_cancel_after_the_answer_changes_nothing(hotline: Phone, raw: RawCaller) -> None:
    raw.send("INVITE", raw.sdp())
    assert raw.status("INVITE") == 200
    tag, raw.remote_tag = raw.remote_tag, ""
    raw.send("CANCEL")
    raw.remote_tag = tag
    raw.send("ACK")
    leg = hotline.wait_for("LegAnswered")["leg"]
    raw.say(700, 700)
    hotline.hears(leg, 700)
    _end(hotline, raw)


@pytest.mark.parametrize("refresher", ["uac", "uas"])
def test_session_timers_are_kept(hotline: Phone, raw: RawCaller, refresher: str) -> None:
    timer = f"Supported: timer\r\nSession-Expires: 90;refresher={refresher}\r\nMin-SE: 90\r\n"
    raw.send("INVITE", raw.sdp(), headers=timer)
    assert raw.status("INVITE") == 200
    assert re.search(rf"Session-Expires:\s*90;\s*refresher={refresher}", raw.answer)
    raw.send("ACK")
    hotline.wait_for("LegAnswered")
    raw.send("UPDATE", headers=timer)
    assert raw.status("UPDATE") == 200
    assert "Session-Expires" in raw.answer
    _end(hotline, raw)


def test_too_short_a_session_is_refused_with_the_least_we_take(hotline: Phone, raw: RawCaller) -> None:
    raw.send("INVITE", raw.sdp(), headers="Supported: timer\r\nSession-Expires: 20\r\n")
    assert raw.status("INVITE") == 422
    assert re.search(r"Min-SE:\s*90", raw.answer)
    raw.send("ACK")
    hotline.wait_for("LegArrived")
    hotline.wait_for("answer_failed", "LegGone")  # it was over before, or while, it was answered


def test_reliable_ringing_is_harmless(hotline: Phone, raw: RawCaller) -> None:
    hotline.do("on_arrival", policy="ring")
    raw.send("INVITE", raw.sdp(), headers="Require: 100rel\r\n")
    ringing = raw.provisional(180)
    number = re.search(r"^RSeq:\s*(\d+)", ringing, re.MULTILINE)
    assert number
    cseq = raw.cseq
    raw.send("PRACK", headers=f"RAck: {number.group(1)} {cseq} INVITE\r\n")
    assert raw.status("PRACK") == 200
    hotline.do("answer", hotline.wait_for("LegArrived")["leg"])
    assert raw.status("INVITE") == 200
    raw.send("ACK", cseq=cseq)
    hotline.wait_for("LegAnswered")
    _end(hotline, raw)


def test_early_media_counts_as_ringing_and_is_not_heard(hotline: Phone, raw: RawCaller) -> None:
    leg = hotline.dial(f"sip:desk@127.0.0.1:{raw.sip.getsockname()[1]}", shown="hotline")
    invite = raw.wait_request("INVITE")
    raw.respond(invite, "183 Session Progress", raw.sdp())
    hotline.wait_for("LegRinging", leg=leg)
    found = re.search(r"^m=audio (\d+)", invite, re.MULTILINE)
    assert found
    raw.remote_rtp = int(found.group(1))
    raw.say(900, 400)
    assert hotline.do("heard", leg)["frames"] == 0
    raw.respond(invite, "200 OK", raw.sdp())
    hotline.wait_for("LegAnswered", leg=leg)
    raw.say(700, 700)
    hotline.hears(leg, 700)
    hotline.do("hang_up", leg)
    raw.respond(raw.wait_request("BYE"), "200 OK")
    hotline.wait_for("LegGone")


def test_a_line_that_falls_dead_is_given_up_but_one_on_hold_is_not() -> None:
    with Phone(silence_s=1.0) as hotline, RawCaller(hotline.port) as raw:
        _stands(hotline, raw)
        raw.say(440, 300)
        raw.renegotiate(raw.sdp(version=2, more="a=inactive\r\n"))
        time.sleep(1.6)
        assert hotline.waiting("LegGone") == []
        raw.renegotiate(raw.sdp(version=3))
        assert hotline.wait_for("LegGone", timeout=4)["cause"] == "failed"
        assert raw.wait_request("BYE")


def test_packets_of_unknown_kinds_and_doubles_do_no_harm(hotline: Phone, raw: RawCaller) -> None:
    leg = _stands(hotline, raw)
    raw.say(440, 300)
    for kind in (13, 34, 77, 96, 127):
        raw.stray_packet(kind, bytes(160))
    raw.press(5, marker=False, doubled=True)
    raw.say(700, 800)
    hotline.hears(leg, 700)
    assert hotline.wait_for("KeyPressed")["digit"] == "5"
    assert hotline.waiting("KeyPressed") == []
    _end(hotline, raw)


@tuned_only
@pytest.mark.parametrize("codec", ["opus"])
def test_opus_carries_sound(hotline: Phone, codec: str) -> None:
    with Phone(codecs=[codec]) as phone:
        here = phone.dial(hotline.address)
        there = hotline.wait_for("LegAnswered")["leg"]
        phone.wait_for("LegAnswered")
        phone.do("tone", here, hz=700, ms=2000)
        hotline.hears(there, 700)
        hotline.do("tone", there, hz=1000, ms=2000)
        phone.hears(here, 1000)
        phone.do("hang_up", here)
        hotline.wait_for("LegGone")


def test_codecs_are_offered_in_our_order(hotline: Phone, raw: RawCaller) -> None:
    hotline.dial(f"sip:desk@127.0.0.1:{raw.sip.getsockname()[1]}", shown="hotline")
    invite = raw.wait_request("INVITE")
    names = re.findall(r"^a=rtpmap:\d+ (\w+)", invite, re.MULTILINE)
    assert [name for name in names if name != "telephone"][:3] == ["PCMU", "PCMA", "G722"]
    raw.refuse(invite)
    hotline.wait_for("LegGone")



def test_we_offer_sound_and_nothing_else(hotline: Phone, raw: RawCaller) -> None:
    """Text and video would be streams that nobody here reads."""
    leg = hotline.dial(f"sip:desk@127.0.0.1:{raw.sip.getsockname()[1]}", shown="hotline")
    invite = raw.wait_request("INVITE")
    assert re.findall(r"^m=(\w+)", invite, re.MULTILINE) == ["audio"]
    raw.refuse(invite)
    hotline.wait_for("LegGone", leg=leg)
