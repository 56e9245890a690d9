# Size: one line and one carrier for all; each case needs the same telephones
"""Masked calls over real SIP and RTP: two telephones of plain sockets, which keep every byte that reached them."""

import contextlib
import re
import socket
import struct
import time
from collections.abc import Iterator

import numpy as np
import pytest

from ivr.audio.convert import alaw_decode, mulaw_decode, mulaw_encode
from masking.leaks import LeakOracle
from scripts.phones.carrier import Carrier
from tests.hotline.softphone import Softphone
from tests.hotline.softphone_media import tone
from tests.masked.identity import described, headers
from tests.masked.support import MaskedLine
from tests.masked.world import DOCTOR, DOCTOR_NUMBER, PATIENT, PATIENT_NUMBER

pytestmark = pytest.mark.sip

_LINEAR = [np.frombuffer(decode(bytes(range(256))), dtype="<i2").astype(int) for decode in (mulaw_decode, alaw_decode)]
TO_ALAW = bytes(int(np.abs(_LINEAR[1] - one).argmin()) for one in _LINEAR[0])
"""The nearest A-law byte of each mu-law byte."""


@pytest.fixture(scope="module")
def trunk() -> Iterator[Softphone]:
    """Whoever is called through the trunk."""
    with Softphone(policy="ring") as phone:
        yield phone


@pytest.fixture(scope="module")
def carrier(trunk: Softphone) -> Iterator[Carrier]:
    """The trunk: whoever is called answers at the same phone, until a test moves one of them."""
    with Carrier({DOCTOR: trunk.port, PATIENT: trunk.port}) as found:
        yield found


@pytest.fixture(scope="module")
def shared(carrier: Carrier) -> Iterator[MaskedLine]:
    """The line under test."""
    with MaskedLine(carrier.port, binding={"with_code": True}) as line:
        yield line


@pytest.fixture
def line(shared: MaskedLine, trunk: Softphone) -> Iterator[MaskedLine]:
    """The line, which must be without calls before and after each test."""
    trunk.policy = "answer"
    trunk.forget()
    shared.do("forget")
    yield shared
    trunk.forget()
    shared.idle()


@pytest.fixture
def caller() -> Iterator[Softphone]:
    """A phone that calls."""
    with Softphone() as phone:
        yield phone


def take_it(callee: Softphone) -> None:
    """Listen, and press 1."""
    callee.await_sound()
    callee.press("1")


def both_talk(one: Softphone, other: Softphone) -> None:
    """Each hears the other."""
    one.say(tone(700, 2))
    other.await_tone(700)
    other.say(tone(1000, 2))
    one.await_tone(1000)


@pytest.mark.parametrize("way", ["to the doctor", "to the patient"])
def test_both_sides_reach_each_other(line: MaskedLine, caller: Softphone, trunk: Softphone, way: str) -> None:
    to_doctor = way == "to the doctor"
    me, them = (PATIENT, DOCTOR) if to_doctor else (DOCTOR, PATIENT)
    mine, theirs = (PATIENT_NUMBER, DOCTOR_NUMBER) if to_doctor else (DOCTOR_NUMBER, PATIENT_NUMBER)
    caller.call(line.port, user=me, to=mine)
    caller.await_tone(425)
    trunk.await_request("INVITE")
    take_it(trunk)
    both_talk(caller, trunk)
    invite = next(text for _, text in trunk.messages if text.startswith("INVITE"))
    assert invite.startswith(f"INVITE sip:{them}@")
    assert f"<sip:{theirs}@" in invite
    caller.hang_up()
    trunk.await_request("BYE")
    records = line.records()
    assert {one["end"] for one in records.values()} == {"completed"}
    assert LeakOracle([me]).scan(b"\n".join(trunk.received)) == ()
    assert LeakOracle([them]).scan(b"\n".join(caller.received)) == ()


def connected(line: MaskedLine, caller: Softphone, callee: Softphone, **more: str) -> None:
    """A patient's call that stands."""
    caller.call(line.port, **{"user": PATIENT, "to": PATIENT_NUMBER, **more})
    callee.await_request("INVITE")
    take_it(callee)
    both_talk(caller, callee)


def test_thirty_headers_and_a_token_of_the_caller_do_not_cross(
    line: MaskedLine, caller: Softphone, trunk: Softphone
) -> None:
    with reports_of(trunk) as reports, reports_of(caller) as mine:
        named(line, caller, trunk, mine)
        packets = received(reports)
    assert packets, "no RTCP came"
    oracle = LeakOracle([PATIENT])
    assert oracle.scan(b"\n".join(packets)) == ()
    assert len({hit.spelling for hit in oracle.scan(b"\n".join(caller.sent))}) > 1, "a blind oracle"
    assert oracle.scan(b"\n".join(trunk.received)) == ()
    invite = next(text for _, text in trunk.messages if text.startswith("INVITE"))
    assert names(invite) <= {
        "via", "max-forwards", "from", "to", "contact", "call-id", "cseq", "allow", "supported", "session-expires",
        "min-se", "user-agent", "content-type", "content-length", "route",
    }  # fmt: skip
    body = invite.partition("\r\n\r\n")[2]
    assert {one[:2] for one in body.splitlines()} <= {"v=", "o=", "s=", "b=", "c=", "t=", "m=", "a="}
    assert re.search(r"^o=- ", body, re.MULTILINE)
    assert "candidate" not in body
    assert oracle.scan(line.log.encode()) == ()


def named(line: MaskedLine, caller: Softphone, trunk: Softphone, mine: socket.socket) -> None:
    """A call whose caller writes its number wherever there is room."""
    connected(
        line, caller, trunk, headers=headers(PATIENT), sdp=described(caller.sdp(), PATIENT), name=f"{PATIENT} calls"
    )
    mine.sendto(report(PATIENT), ("127.0.0.1", caller.remote_rtp + 1))
    for method in ("INFO", "MESSAGE", "NOTIFY", "OPTIONS"):
        caller.request(method, f"call {PATIENT} back", kind="text/plain", headers=headers(PATIENT))
        assert caller.status(method) in (200, 405, 415, 481, 489, 500, 501), "answered here"
    for held in ("a=inactive\r\n", "a=sendonly\r\n", ""):
        caller.request("INVITE", described(caller.sdp(), PATIENT) + held, headers=headers(PATIENT))
        assert caller.status("INVITE") == 200
    both_talk(caller, trunk)
    caller.hang_up()
    trunk.await_request("BYE")


def reports_of(phone: Softphone) -> socket.socket:
    """The phone's socket for RTCP: beside that for RTP."""
    found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    found.bind(("127.0.0.1", phone.rtp.getsockname()[1] + 1))
    found.settimeout(0.5)
    return found


def received(reports: socket.socket) -> list[bytes]:
    """All that came."""
    found = []
    with contextlib.suppress(TimeoutError):
        while True:
            found.append(reports.recv(2048))
    return found


def report(number: str) -> bytes:
    """A receiver report, and a description of the source with name, phone and note (RFC 3550, sections 6.4.2, 6.5)."""
    items = b"".join(bytes([kind, len(number)]) + number.encode() for kind in (1, 2, 4, 7)) + b"\0"
    body = struct.pack("!I", 0x5EED) + items + b"\0" * (-len(items) % 4)
    return struct.pack("!BBHI", 0x80, 201, 1, 0x5EED) + struct.pack("!BBH", 0x81, 202, len(body) // 4) + body


def test_nothing_of_the_callee_comes_back(line: MaskedLine, caller: Softphone, trunk: Softphone) -> None:
    """In 183, 200, re-INVITE and UPDATE the other side says who it is, and in early media it speaks its number."""
    trunk.policy = "silent"
    mine, body = headers(DOCTOR), described(trunk.sdp(), DOCTOR)
    caller.dial(line.port, user=PATIENT, to=PATIENT_NUMBER)
    trunk.await_request("INVITE")
    trunk._answer(trunk._invite, 183, body, headers=mine)
    trunk.connect(trunk._invite)
    trunk.say(tone(1800, 1.5))
    caller.await_tone(425)
    time.sleep(1.5)
    trunk._answer(trunk._invite, 200, body, headers=mine)
    take_it(trunk)
    both_talk(caller, trunk)
    trunk.request("INVITE", body, headers=mine)
    assert trunk.status("INVITE") == 200
    trunk.request("UPDATE", body, headers=mine)
    trunk.request("INFO", f"I am {DOCTOR}", kind="text/plain", headers=mine)
    time.sleep(0.3)
    trunk.hang_up()
    caller.await_request("BYE")
    assert LeakOracle([DOCTOR]).scan(b"\n".join(trunk.sent)) != ()
    assert LeakOracle([DOCTOR]).scan(b"\n".join(caller.received)) == ()
    assert not heard_tone(caller, 1800), "early media crossed"
    assert LeakOracle([DOCTOR]).scan(line.log.encode()) == ()


def test_a_callee_who_sends_us_elsewhere_is_unreachable(
    line: MaskedLine, caller: Softphone, trunk: Softphone
) -> None:
    elsewhere = "+12025550177"
    trunk.policy, trunk.moved_to = "moved", f"sip:{elsewhere}@127.0.0.1:{trunk.port}"
    caller.call(line.port, user=PATIENT, to=PATIENT_NUMBER)
    trunk.await_request("INVITE")
    line.until(lambda: line.do("calls") == 1)
    time.sleep(0.5)
    assert trunk.count("INVITE") == 1, "a redirection was followed"
    caller.await_sound()
    caller.hang_up()
    assert line.records()["b"]["end"] in ("unreachable", "failed")
    assert LeakOracle([elsewhere]).scan(b"\n".join(caller.received)) == ()


def test_nobody_is_put_through_by_asking(line: MaskedLine, caller: Softphone, trunk: Softphone) -> None:
    connected(line, caller, trunk)
    trunk.request("REFER", headers=f"Refer-To: <sip:+19005550199@127.0.0.1:{trunk.port}>\r\nReferred-By: <sip:x@y>\r\n")
    assert trunk.status("REFER") in (403, 603)
    both_talk(caller, trunk)
    assert trunk.count("INVITE") == 1
    caller.hang_up()
    trunk.await_request("BYE")


def names(text: str) -> set[str]:
    """Names of a message's headers."""
    head = text.partition("\r\n\r\n")[0]
    return {one.partition(":")[0].strip().lower() for one in head.split("\r\n")[1:]}


def heard_tone(phone: Softphone, hz: int) -> bool:
    """Whether this frequency was ever the strongest of a quarter second."""
    pcm = np.frombuffer(mulaw_decode(b"".join(payload for _, payload in phone.heard)), dtype="<i2").astype(float)
    for at in range(0, len(pcm) - 2000, 1000):
        part = pcm[at : at + 2000]
        if np.abs(part).max() > 500:
            strongest = np.argmax(np.abs(np.fft.rfft(part * np.hanning(2000)))) * 4
            if abs(strongest - hz) < 30:
                return True
    return False


def test_a_voicemail_is_never_joined(line: MaskedLine, caller: Softphone, trunk: Softphone) -> None:
    """It answers, speaks and presses nothing; then it hangs up."""
    caller.call(line.port, user=PATIENT, to=PATIENT_NUMBER)
    trunk.await_request("INVITE")
    trunk.say(tone(1800, 1.2))
    time.sleep(1.3)
    trunk.hang_up()
    time.sleep(0.4)
    caller.hang_up()
    assert line.records()["b"]["end"] == "not_confirmed"
    assert not heard_tone(caller, 1800)


@pytest.mark.parametrize("by", ["tone", "T.38"])
def test_a_fax_that_answers_is_hung_up(line: MaskedLine, caller: Softphone, trunk: Softphone, by: str) -> None:
    caller.call(line.port, user=PATIENT, to=PATIENT_NUMBER)
    trunk.await_request("INVITE")
    if by == "tone":
        trunk.say(tone(2100, 3))
    else:
        trunk.await_sound()
        head = trunk.sdp().replace("o=- 1 1", "o=- 1 2").partition("m=audio")[0]
        trunk.request("INVITE", f"{head}m=image 40000 udptl t38\r\na=T38FaxVersion:0\r\n")
        assert trunk.status("INVITE") in (415, 488, 606)
    trunk.await_request("BYE")
    caller.hang_up()
    assert line.records()["b"]["end"] == "fax"


def test_a_code_lets_a_doctor_in_from_any_phone(line: MaskedLine, caller: Softphone, trunk: Softphone) -> None:
    caller.call(line.port, user="anonymous", to=DOCTOR_NUMBER)
    caller.await_sound()
    for key in line.code + "#":
        caller.press(key)
        time.sleep(0.15)
    caller.await_sound(since=time.monotonic())
    caller.press("1")
    invited = trunk.await_request("INVITE")
    take_it(trunk)
    both_talk(caller, trunk)
    caller.hang_up()
    trunk.await_request("BYE")
    records = line.records()
    assert records["a"]["by_code"]
    assert records["b"]["party"] == "patient"
    assert records["a"]["party"] == ""
    assert line.code not in line.log
    assert all(at >= invited for at, _ in trunk.heard), "the keys were pressed before the other side was called"


def test_click_to_call_rings_the_doctor_and_then_the_patient(
    line: MaskedLine, caller: Softphone, trunk: Softphone, carrier: Carrier
) -> None:
    """Each sees only the number that it may dial itself."""
    doctor, patient = trunk, caller
    patient.policy = "answer"
    carrier.move(PATIENT, patient.port)
    wish = line.do("click")
    doctor.await_request("INVITE")
    assert patient.count("INVITE") == 0, "the patient rang before the doctor was there"
    take_it(doctor)
    patient.await_request("INVITE")
    assert line.do("wish", id=wish)[0] == "first_answered"
    doctor.await_tone(425)
    take_it(patient)
    both_talk(doctor, patient)
    assert line.do("wish", id=wish) == ["connected", None]
    shown = [next(text for _, text in one.messages if text.startswith("INVITE")) for one in (doctor, patient)]
    assert f"<sip:{DOCTOR_NUMBER}@" in shown[0]
    assert f"<sip:{PATIENT_NUMBER}@" in shown[1]
    patient.hang_up()
    doctor.await_request("BYE")
    records = line.records()
    assert (records["a"]["party"], records["b"]["party"]) == ("doctor", "patient")
    assert (records["a"]["call"], records["a"]["released_by"]) == (wish, "callee")
    line.until(lambda: line.do("wish", id=wish) == ["done", "completed"])
    carrier.move(PATIENT, trunk.port)
    assert LeakOracle([PATIENT]).scan(b"\n".join(doctor.received)) == ()
    assert LeakOracle([DOCTOR]).scan(b"\n".join(patient.received)) == ()


def test_both_hear_a_tone_before_the_longest_duration_is_over(
    line: MaskedLine, caller: Softphone, trunk: Softphone
) -> None:
    line.do("set", seconds=3.0)
    caller.call(line.port, user=PATIENT, to=PATIENT_NUMBER)
    trunk.await_request("INVITE")
    take_it(trunk)
    for phone in (caller, trunk):
        phone.await_request("BYE")
        assert heard_tone(phone, 1400)
    line.do("set", seconds=0.0)
    assert {one["end"] for one in line.records().values()} == {"time_up"}


class Switching(Softphone):
    """A telephone that goes over to A-law in the middle of a call."""

    alaw = False
    others = 0
    """Packets in another codec that came after it went over."""

    def sdp(self) -> str:
        """What it wants from now on."""
        text = super().sdp()
        return text.replace("RTP/AVP 0 ", "RTP/AVP 8 ").replace("o=- 1 1", "o=- 1 2") if self.alaw else text

    def hear(self, packet: bytes, now: float) -> None:
        """As mu-law, whichever it is."""
        if packet[1] & 0x7F == 8:
            coded = mulaw_encode(alaw_decode(packet[12:]))
            super().hear(packet[:1] + bytes([packet[1] & 0x80]) + packet[2:12] + coded, now)
        else:
            self.others += self.alaw and len(self.heard) > 0 and packet[1] & 0x7F == 0
            super().hear(packet, now)

    def _rtp(self, kind: int, payload: bytes, *, advance: int) -> None:
        switched = self.alaw and kind == 0
        super()._rtp(8 if switched else kind, payload.translate(TO_ALAW) if switched else payload, advance=advance)


def test_a_leg_that_changes_its_codec_is_still_heard(line: MaskedLine, trunk: Softphone) -> None:
    """PCMU to PCMA by re-INVITE, with the caller's number wherever there is room; the other leg sees none of it."""
    with Switching() as caller:
        connected(line, caller, trunk)
        before = trunk.count("INVITE")
        caller.alaw = True
        caller.request("INVITE", described(caller.sdp(), PATIENT), headers=headers(PATIENT))
        assert caller.status("INVITE") == 200
        assert re.search(r"^m=audio \d+ RTP/AVP 8", caller.answer_text("INVITE"), re.MULTILINE)
        time.sleep(0.3)  # what was under way in the old codec arrives
        caller.heard.clear()
        caller.others = 0
        trunk.heard.clear()
        both_talk(caller, trunk)
        assert caller.others == 0, "it still hears mu-law"
        assert trunk.count("INVITE") == before
        caller.hang_up()
        trunk.await_request("BYE")
        assert {one["end"] for one in line.records().values()} == {"completed"}
        assert len(LeakOracle([PATIENT]).scan(b"\n".join(caller.sent))) > 1, "a blind oracle"
        assert LeakOracle([PATIENT]).scan(b"\n".join(trunk.received)) == ()
        assert LeakOracle([DOCTOR]).scan(b"\n".join(caller.received)) == ()
        assert LeakOracle([PATIENT, DOCTOR]).scan(line.log.encode()) == ()


def test_after_its_end_a_caller_is_told_and_the_hotline_takes_over(
    line: MaskedLine, caller: Softphone, trunk: Softphone
) -> None:
    day = 24 * 3600 + 1.0
    line.do("later", seconds=day)
    caller.call(line.port, user=PATIENT, to=PATIENT_NUMBER)
    caller.await_sound()
    assert line.do("triage") == [], "the announcement comes first"
    caller.press("1")
    line.until(lambda: "call.greeting" in line.do("triage"))
    caller.await_sound(since=time.monotonic())
    assert caller.count("BYE") == 0
    (record,) = line.records(1).values()
    assert (record["leg"], record["end"]) == ("a", "expired")
    assert trunk.count("INVITE") == 0, "nobody is rung through a binding that has ended"
    caller.hang_up()
    line.do("later", seconds=-day)


def test_a_killed_binding_ends_its_call(line: MaskedLine, caller: Softphone, trunk: Softphone) -> None:
    """The last test: the binding is gone after it."""
    connected(line, caller, trunk)
    killed = time.monotonic()
    line.do("close", kill=True)
    for phone in (caller, trunk):
        assert phone.await_request("BYE") - killed < 2.5
    assert {one["end"] for one in line.records().values()} == {"killed"}
