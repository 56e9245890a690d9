"""Phones behind a NAT: they name a private address, and what they send comes from another one."""

import re
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.edge.rig import PASSWORD, FakeWorker, Rig
from tests.edge.test_calls import answer
from tests.edge.wire import SDP, Caller, header, status
from tests.sip.raw_caller import rtp_head, tone_payloads
from tests.sip.support import Phone, tuned_only

pytestmark = pytest.mark.sip

HOME, ROUTER, THIRD = "192.168.44.7", "127.0.0.5", "127.0.0.6"
PRIVATE = SDP.replace("127.0.0.1", HOME)


def address_in(text: str) -> str:
    """Where the SDP says that sound goes."""
    found = re.search(r"^c=IN IP4 (\S+)", text, re.MULTILINE)
    return found.group(1) if found else ""


def behind(rig: Rig, source: str = ROUTER, named: str = f"{HOME}:5062") -> Caller:
    """A phone."""
    return Caller(edge=rig.address, source=source, named=named)


@pytest.mark.parametrize("named", [f"{HOME}:5062", "10.1.2.3:5060", "100.64.0.9:5060"])
def test_the_sound_of_a_phone_behind_a_nat_is_where_its_signalling_is(rig: Rig, worker: FakeWorker, named: str) -> None:
    sdp = SDP.replace("127.0.0.1", named.partition(":")[0])
    with behind(rig, named=named) as phone:
        assert status(phone.register("nurse-1", PASSWORD)) == 200
        phone.fresh()
        assert status(phone.ask("INVITE", body=sdp)) == 200
        came = worker.await_request("INVITE")
        assert address_in(came) == ROUTER
        assert "m=audio 30000 " in came
        assert int(header(came, "Content-Length")) == len(came.partition("\r\n\r\n")[2])
        for method in ("INVITE", "UPDATE"):
            worker.forget()
            assert status(phone.ask(method, body=sdp)) == 200
            assert address_in(worker.await_request(method)) == ROUTER
        worker.forget()
        phone.ask("INVITE", body=sdp.replace(f"c=IN IP4 {named.partition(':')[0]}", "c=IN IP4 0.0.0.0"))
        assert address_in(worker.await_request("INVITE")) == "0.0.0.0", "on hold"
        assert status(phone.ask("BYE")) == 200
        phone.fresh()
        phone.register("nurse-1", PASSWORD, expires=0)


@pytest.mark.parametrize(
    ("named", "sdp"),
    [
        ("", PRIVATE),
        (f"{HOME}:5062", SDP.replace("127.0.0.1", "203.0.113.9")),
        (f"{HOME}:5062", SDP.replace("127.0.0.1", ROUTER)),
    ],
    ids=["a PBX whose sound is elsewhere", "a phone that knows its public address", "a phone that learnt it"],
)
def test_who_names_truly_where_its_sound_is_keeps_it(rig: Rig, worker: FakeWorker, named: str, sdp: str) -> None:
    with behind(rig, named=named) as phone:
        assert status(phone.register("nurse-1", PASSWORD)) == 200
        phone.fresh()
        assert status(phone.ask("INVITE", body=sdp)) == 200
        assert address_in(worker.await_request("INVITE")) == address_in(sdp)
        assert status(phone.ask("BYE")) == 200
        phone.fresh()
        phone.register("nurse-1", PASSWORD, expires=0)


def test_a_phone_that_learnt_its_public_address_for_its_contact_alone(rig: Rig, worker: FakeWorker) -> None:
    """As linphone does: Contact by what `received` told, Via and SDP as before. Its answers show no sign of the NAT."""
    with behind(rig) as phone:
        contact = f"<sip:nurse-1@{ROUTER}:{phone.port}>"
        own = f"Contact: <sip:nurse-1@{HOME}:5062>\r\n"
        phone.user = "nurse-1"
        challenge = phone.ask("REGISTER", "Expires: 60\r\n", to="nurse-1")
        proof = phone.proof(challenge, "nurse-1", PASSWORD, "SHA-256")
        asking = phone.text("REGISTER", f"Expires: 60\r\n{proof}", to="nurse-1")
        phone.send(asking.replace(own, f"Contact: {contact}\r\n"))
        assert status(phone.final("REGISTER")) == 200
        seen: list[str] = []
        ringing = threading.Thread(target=lambda: seen.append(_answers(phone, contact)))
        ringing.start()
        found = worker.dial(rig.edge.inner, f"sip:nurse-1@{rig.address[0]}:{rig.address[1]}")
        ringing.join(timeout=5)
        assert status(found) == 200
        assert address_in(found) == ROUTER
        assert seen[0].startswith("INVITE")
        phone.fresh()
        phone.register("nurse-1", PASSWORD, expires=0)


def _answers(phone: Caller, contact: str = "", sdp: str = PRIVATE) -> str:
    invite = phone.receive(4)
    while invite and not invite.startswith("INVITE"):
        invite = phone.receive(4)
    answer(phone, invite, 200, contact=contact or f"<sip:desk@{HOME}:5062>", sdp=sdp)
    return invite


def test_the_way_to_a_phone_behind_a_nat_is_kept_open() -> None:
    with Rig(limits={"PING_SECONDS": 1}) as rig, behind(rig) as phone, rig.caller("127.0.0.8") as near:
        assert status(near.register("nurse-2", PASSWORD)) == 200
        assert status(phone.register("nurse-1", PASSWORD)) == 200
        rig.until(lambda: kept_open(phone), 6, "nothing is sent to keep the way open")
        assert not kept_open(near), "who is not behind a NAT needs nothing"
        rig.until(lambda: "agents' phones registered: 2 of 2" in rig.told, 5, "the phones are not seen")
        rig.crash()
        rig.await_fed()
        kept_open(phone)
        rig.until(lambda: kept_open(phone), 6, "a proxy that was killed forgets the NAT")


def kept_open(phone: Caller) -> bool:
    """Whether anything came meanwhile to keep the way open."""
    before = phone.kept_open
    assert phone.receive(0.5) == ""
    return phone.kept_open > before


# Sound, with a real worker ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def house() -> Iterator[tuple[Rig, Phone]]:
    """An edge with a SIP line behind it."""
    with Rig() as rig, Phone(proxy=f"sip:127.0.0.1:{rig.edge.inner}") as line:
        rig.know("worker-1", line.port)
        line.do("on_arrival", policy="answer")
        yield rig, line


class Media:
    """RTP of a phone behind a NAT: the port that its SDP names is not the one that the NAT gave it."""

    def __init__(self, source: str) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((source, 0))
        self.sock.settimeout(4)
        self.sent = 0
        self.stream = self.sock.getsockname()[1]

    def say(self, hz: int, ms: int, port: int) -> None:
        """A tone at the pace of speech."""
        for payload in tone_payloads(hz, ms):
            self.sock.sendto(rtp_head(self.sent, 160 * self.sent, source=self.stream) + payload, ("127.0.0.1", port))
            self.sent += 1
            time.sleep(0.02)

    def heard(self) -> bool:
        """Whether sound came here."""
        try:
            return any(set(self.sock.recv(2048)[12:]) - {0x7F, 0xFF, 0x7E, 0xFE} for _ in range(50))
        except TimeoutError:
            return False


def sound_both_ways(line: Phone, leg: str, worker_sdp: str) -> None:
    """The phone is heard and hears; somebody else's sound, before and after, is nothing."""
    found = re.search(r"^m=audio (\d+)", worker_sdp, re.MULTILINE)
    assert found is not None
    port = int(found.group(1))
    phone, third = Media(ROUTER), Media(THIRD)
    with phone.sock, third.sock:
        line.do("tone", leg, hz=500, ms=9000)
        before = line.do("kept_away")["stray_media"]
        third.say(1500, 400, port)
        phone.say(440, 800, port)
        line.hears(leg, 440)
        assert phone.heard()
        third.say(1500, 400, port)
        assert line.do("kept_away")["stray_media"] >= before + 40
        third.sock.settimeout(0.1)
        assert not third.heard()
        phone.say(700, 600, port)
        line.hears(leg, 700)


@tuned_only
def test_sound_of_a_registered_phone_that_calls(house: tuple[Rig, Phone]) -> None:
    rig, line = house
    with behind(rig) as phone:
        assert status(phone.register("nurse-1", PASSWORD)) == 200
        phone.fresh()
        answered = phone.ask("INVITE", body=PRIVATE)
        assert status(answered) == 200
        leg = line.wait_for("LegAnswered")["leg"]
        sound_both_ways(line, leg, answered)
        line.do("hang_up", leg)
        assert phone.receive(3).startswith("BYE"), "although its Contact cannot be reached"


@tuned_only
def test_sound_of_a_registered_phone_that_is_called(house: tuple[Rig, Phone]) -> None:
    rig, line = house
    with behind(rig) as phone:
        assert status(phone.register("nurse-2", PASSWORD)) == 200
        leg = line.dial(f"sip:nurse-2@{rig.address[0]}:{rig.address[1]}", shown="hotline")
        invite = _answers(phone)
        line.wait_for("LegAnswered", leg=leg)
        sound_both_ways(line, leg, invite)
        line.do("hang_up", leg)
