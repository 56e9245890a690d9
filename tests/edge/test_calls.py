"""Calls through a real edge: to the worker, within the call, and out to phones."""

import threading
import time

import pytest

from tests.edge.rig import PASSWORD, FakeWorker, Rig
from tests.edge.wire import SDP, Caller, header, headers, names, status

pytestmark = pytest.mark.sip

HOSTILE = (
    "X-Caller-Verified: yes\r\nX-Bypass : yes\r\nP-Asserted-Identity: <sip:+12025550199@example.org>\r\n"
    "P-Preferred-Identity: <sip:+12025550199@example.org>\r\nRemote-Party-ID: <sip:+12025550199@example.org>\r\n"
    "Diversion: <sip:+12025550199@example.org>\r\nHistory-Info: <sip:+12025550199@example.org>\r\n"
    "Subject: +12025550199\r\nX-Triageline-Source: trunk pbx 1\r\nX-Triageline-Asserted: <sip:+12025550198@x>\r\n"
)
HARMLESS = {
    "record-route", "route", "via", "max-forwards", "from", "to", "call-id", "cseq", "contact", "content-type",
    "content-length", "retry-after",
}  # fmt: skip


def test_a_call_and_everything_within_it(rig: Rig, worker: FakeWorker) -> None:
    with rig.caller() as caller:
        assert status(caller.ask("INVITE", body=SDP)) == 200
        worker.await_request("ACK")
        for method in ("INVITE", "UPDATE", "INFO", "BYE"):
            worker.forget()
            assert status(caller.ask(method, body=SDP if method in ("INVITE", "UPDATE") else "")) == 200
            worker.await_request(method)


def test_headers_that_nobody_needs_are_taken_off(rig: Rig, worker: FakeWorker) -> None:
    with rig.caller() as caller:
        assert status(caller.ask("INVITE", HOSTILE, SDP)) == 200
        came = worker.await_request("INVITE")
        assert names(came) <= HARMLESS | {"x-triageline-source", "x-triageline-asserted"}
        assert header(came, "X-Triageline-Source") == "peer 127.0.0.1 0"
        assert headers(came, "X-Triageline-Asserted") == ["<sip:+12025550199@example.org>"]
        assert came.count("12025550199") == 1, "whose number a peer asserts is told to the worker, which judges it"
        caller.ask("UPDATE", HOSTILE, SDP)
        assert "12025550199" not in worker.await_request("UPDATE")


def test_a_call_that_is_given_up_reaches_the_same_worker(rig: Rig, worker: FakeWorker) -> None:
    worker.policy = "ring"
    with rig.caller() as caller:
        caller.send(caller.text("INVITE", body=SDP))
        invite = worker.await_request("INVITE")
        caller.send(caller.text("CANCEL"))
        assert status(caller.final("CANCEL")) == 200
        assert header(worker.await_request("CANCEL"), "Call-ID") == header(invite, "Call-ID")


def test_a_repeated_invite_is_one_call(rig: Rig, worker: FakeWorker) -> None:
    worker.policy = "ring"
    with rig.caller() as caller:
        text = caller.text("INVITE", body=SDP)
        for _ in range(5):
            caller.send(text)
            time.sleep(0.05)
        worker.await_request("INVITE")
        time.sleep(0.3)
        assert len(worker.requests("INVITE")) == 1
        caller.send(caller.text("CANCEL"))
        assert status(caller.final("CANCEL")) == 200


def test_a_made_up_route_leads_nowhere(rig: Rig, worker: FakeWorker) -> None:
    with rig.caller() as caller, rig.caller("127.0.0.9") as victim:
        assert status(caller.ask("INVITE", body=SDP)) == 200
        edge = f"{rig.address[0]}:{rig.address[1]}"
        caller.routes = (f"<sip:{edge};lr>", f"<sip:127.0.0.9:{victim.port};lr>")
        assert status(caller.ask("INFO")) == 481
        caller.routes, caller.target = (f"<sip:{edge};lr>",), f"sip:x@127.0.0.9:{victim.port}"
        assert status(caller.ask("INFO")) == 481
        assert victim.receive(0.3) == ""
        caller.routes = ()
        assert status(caller.ask("INFO", f"Route: <sip:127.0.0.9:{victim.port};lr>\r\n")) in (403, 481)
        assert victim.receive(0.3) == ""


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("OPTIONS", 200), ("MESSAGE", 405), ("SUBSCRIBE", 405), ("NOTIFY", 405), ("PUBLISH", 405), ("REFER", 403),
        ("BYE", 481), ("INFO", 481), ("UPDATE", 481), ("FOO", 501), ("PRACK", 481),
    ],
)  # fmt: skip
def test_methods_outside_a_call(rig: Rig, worker: FakeWorker, method: str, code: int) -> None:
    with rig.caller() as caller:
        answer = caller.ask(method)
        assert status(answer) == code
        assert not names(answer) & {"server", "user-agent", "warning"}
    assert worker.requests(method) == []


@pytest.mark.parametrize(("method", "code"), [("REFER", 403), ("MESSAGE", 405), ("SUBSCRIBE", 405), ("NOTIFY", 405)])
def test_methods_within_a_call(rig: Rig, worker: FakeWorker, method: str, code: int) -> None:
    with rig.caller() as caller:
        assert status(caller.ask("INVITE", body=SDP)) == 200
        assert status(caller.ask(method, "Refer-To: <sip:+12025550199@example.org>\r\n")) == code
        assert worker.requests(method) == []


def test_too_many_streams_and_too_long_messages(rig: Rig, worker: FakeWorker) -> None:
    with rig.caller() as caller:
        assert status(caller.ask("INVITE", body=SDP + "m=audio 30002 RTP/AVP 0\r\n" * 9)) == 488
        caller.fresh()
        assert status(caller.ask("INVITE", f"User-Agent: {'x' * 4000}\r\n", SDP)) == 513
        caller.fresh()
        caller.send(caller.text("INVITE", body=SDP).replace("Max-Forwards: 70", "Max-Forwards: 0"))
        assert status(caller.final("INVITE")) == 483
    assert all(len(text) < 4000 for text in worker.requests("INVITE"))


# Out ----------------------------------------------------------------------------------------------------------------


def answering(phone: Caller, more: str = "") -> str:
    """Let a phone take the next call; the INVITE that it saw."""
    invite = phone.receive(4)
    while invite and not invite.startswith("INVITE"):
        invite = phone.receive(4)
    assert invite, "the phone does not ring"
    answer(phone, invite, 200, more)
    return invite


def answer(
    phone: Caller, request: str, code: int, more: str = "", *,
    contact: str = "<sip:desk@192.168.77.7:5060>", sdp: str = SDP,
) -> None:  # fmt: skip
    """A phone's answer."""
    copied = ("Via:", "Record-Route:", "From:", "To:", "Call-ID:", "CSeq:")
    kept = [line for line in request.split("\r\n") if line.startswith(copied)]
    lines = "\r\n".join(line + ";tag=phone" if line.startswith("To:") else line for line in kept)
    phone.send(
        f"SIP/2.0 {code} Whatever\r\n{lines}\r\nContact: {contact}\r\n{more}"
        f"Content-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n\r\n{sdp}"
    )


def test_a_worker_calls_a_registered_phone(rig: Rig, worker: FakeWorker) -> None:
    with rig.caller("127.0.0.5") as phone:
        assert status(phone.register("nurse-1", PASSWORD)) == 200
        seen: list[str] = []
        ringing = threading.Thread(target=lambda: seen.append(answering(phone, HOSTILE)))
        ringing.start()
        uri = f"sip:nurse-1@{rig.address[0]}:{rig.address[1]}"
        found = worker.dial(rig.edge.inner, uri, HOSTILE)
        ringing.join(timeout=5)
        assert status(found) == 200
        assert "12025550199" not in found + seen[0]
        assert names(seen[0]) <= HARMLESS
        assert phone.receive(3).startswith("ACK")  # although its Contact is an address that cannot be reached
        assert status(phone.register("nurse-1", PASSWORD, expires=0)) == 200
        assert status(worker.dial(rig.edge.inner, uri)) == 480


def test_a_phone_that_is_not_there_is_told_at_once(rig: Rig, worker: FakeWorker) -> None:
    began = time.monotonic()
    assert status(worker.dial(rig.edge.inner, f"sip:nurse-2@{rig.address[0]}:{rig.address[1]}")) == 480
    assert time.monotonic() - began < 1


def test_a_worker_calls_nobody_else(rig: Rig, worker: FakeWorker) -> None:
    with rig.caller("127.0.0.9") as stranger:
        assert status(worker.dial(rig.edge.inner, f"sip:x@127.0.0.9:{stranger.port}")) == 403
        assert stranger.receive(0.3) == ""


def test_only_workers_may_use_their_entrance(rig: Rig) -> None:
    with Caller(edge=("127.0.0.1", rig.edge.inner)) as other:
        assert other.ask("INVITE", body=SDP, timeout=0.7) == ""
        assert other.ask("OPTIONS", timeout=0.3) == ""


def test_a_fixed_phone_is_called_where_it_is_and_may_hang_up() -> None:
    desk = Caller(edge=("127.0.0.1", 1), source="127.0.0.6")
    with desk, Rig(desks=(f"sip:desk@127.0.0.6:{desk.port}",)) as rig:
        desk.edge = rig.address
        worker = rig.add()
        seen: list[str] = []
        ringing = threading.Thread(target=lambda: seen.append(answering(desk)))
        ringing.start()
        assert status(worker.dial(rig.edge.inner, f"sip:desk@127.0.0.6:{desk.port}")) == 200
        ringing.join(timeout=5)
        assert desk.receive(3).startswith("ACK")
        routes = "".join(f"Route: {one}\r\n" for one in headers(seen[0], "Record-Route"))
        target = header(seen[0], "Contact").strip("<>")
        desk.send(
            f"BYE {target} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.6:{desk.port};branch=z9hG4bKend\r\n{routes}"
            f"Max-Forwards: 70\r\nFrom: {header(seen[0], 'To')};tag=phone\r\nTo: {header(seen[0], 'From')}\r\n"
            f"Call-ID: {header(seen[0], 'Call-ID')}\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n"
        )
        worker.await_request("BYE")
        assert status(desk.receive(3)) == 200
