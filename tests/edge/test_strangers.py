"""Those whom the edge does not know: refused without a hint, then not heard, and nobody else is hurt."""

import secrets
import threading
import time
from contextlib import ExitStack

import pytest

from ivr.edge.trunks import Trunk
from tests.edge.rig import FakeWorker, Rig
from tests.edge.wire import SDP, Caller, names, status

pytestmark = pytest.mark.sip


def test_a_stranger_is_refused_barely_and_then_not_at_all(rig: Rig, worker: FakeWorker) -> None:
    with rig.caller("127.0.0.2") as stranger:
        answers = []
        for method in ("INVITE", "OPTIONS", "MESSAGE", "FOO", "INVITE", "OPTIONS"):
            stranger.fresh()
            answers.append(stranger.ask(method, body=SDP if method == "INVITE" else "", timeout=0.4))
        assert [status(one) for one in answers] == [403, 403, 403, 403, 0, 0]
        assert names(answers[0]) <= {"via", "from", "to", "call-id", "cseq", "content-length"}
    assert worker.requests("INVITE") == worker.requests("OPTIONS") == []


def test_a_flood_is_ignored_and_hurts_nobody(rig: Rig, worker: FakeWorker) -> None:
    stop = threading.Event()

    def flood() -> None:
        with rig.caller("127.0.0.3") as attacker:
            until = time.monotonic() + 4
            while not stop.is_set() and time.monotonic() < until:
                for _ in range(20):
                    attacker.fresh()
                    attacker.send(attacker.text("INVITE", body=SDP))
                time.sleep(0.1)  # about 200 a second

    attack = threading.Thread(target=flood)
    attack.start()
    try:
        seconds = []
        for _ in range(20):
            with rig.caller() as caller:
                began = time.monotonic()
                assert status(caller.ask("INVITE", body=SDP)) == 200
                seconds.append(time.monotonic() - began)
                assert status(caller.ask("BYE")) == 200
    finally:
        stop.set()
        attack.join()
    assert sorted(seconds)[18] < 0.3
    assert rig.rpc("htable.get", "banned", "127.0.0.3")
    assert all("127.0.0.3" not in text for text in worker.requests("INVITE"))
    with rig.caller("127.0.0.3") as attacker:
        assert attacker.ask("OPTIONS", timeout=0.3) == attacker.ask("REGISTER", to="nurse-1", timeout=0.3) == ""


def test_strangers_that_never_repeat_take_no_memory(rig: Rig) -> None:
    """All of them together may make only so many requests a second; what is above is forgotten at once."""
    before = rig.rpc("core.shmmem")["used"]
    for number in range(3000):
        source = f"127.{1 + number % 200}.{number // 200}.7"
        with Caller(edge=rig.address, source=source) as one:
            one.send(one.text("INVITE", body=SDP))
    time.sleep(0.3)
    assert rig.rpc("core.shmmem")["used"] - before < 2_000_000
    with rig.caller() as caller:
        assert status(caller.ask("OPTIONS")) == 200


def test_trunks_may_call_and_have_their_own_limit() -> None:
    trunks = (Trunk(id="one", networks=("127.0.3.0/24",), calls=2), Trunk(id="two", networks=("127.0.4.1/32",)))
    with Rig(trunks=trunks) as rig:
        worker = rig.add()
        with rig.caller("127.0.3.9") as trunk, rig.caller("127.0.4.1") as other, rig.caller("127.0.4.2") as stranger:
            found = []
            for _ in range(3):
                trunk.fresh()
                found.append(status(trunk.ask("INVITE", body=SDP)))
            assert found == [200, 200, 503]
            assert status(other.ask("INVITE", body=SDP)) == 200
            assert status(stranger.ask("INVITE", body=SDP)) == 403
        assert len(worker.requests("INVITE")) == 3


def test_a_trunk_is_called_at_its_address() -> None:
    with Caller(edge=("127.0.0.1", 1), source="127.0.3.9") as trunk:
        place = Trunk(id="one", networks=("127.0.3.0/24",), host="127.0.3.9", port=trunk.port)
        with Rig(trunks=(place,)) as rig:
            worker = rig.add()
            worker.invite(rig.edge.inner, f"sip:+12025550142@127.0.3.9:{trunk.port}")
            assert trunk.receive(4).startswith(f"INVITE sip:+12025550142@127.0.3.9:{trunk.port}")


# TCP ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [2000, 5, -3, "12, 400", "99999999999", "x"])
def test_no_request_is_read_out_of_anothers_body(rig: Rig, worker: FakeWorker, length: object) -> None:
    """A Content-Length that lies: the hidden request must never be taken for one."""
    hidden = "z9hG4bKhidden" + secrets.token_hex(4)
    with rig.caller(kind="TCP") as caller:
        inner = caller.text("OPTIONS").replace(caller.branch, hidden)
        caller.send(caller.text("INVITE", body=SDP + inner, length=f"Content-Length: {length}"))
        deadline = time.monotonic() + 1.5
        while time.monotonic() < deadline and caller.receive(max(0.05, deadline - time.monotonic())):
            continue
        assert not any(hidden in text and "OPTIONS" in text for text in caller.came)
    with rig.caller() as good:
        assert status(good.ask("OPTIONS")) == 200


def test_what_is_not_sound_is_told_to_those_who_are_known(rig: Rig, worker: FakeWorker) -> None:
    with rig.caller() as caller, rig.caller("127.0.0.9") as stranger:
        for sent in ("INVITE", "REGISTER"):
            for right, wrong in ((f"CSeq: 1 {sent}", f"CSeq: 9 {sent}X"), ("Content-Length: 0", "Content-Length: 999")):
                caller.fresh()
                changed = caller.text(sent).replace(right, wrong)
                caller.send(changed)
                assert status(caller.receive(4)) == 400, changed
                if sent == "REGISTER":
                    stranger.send(changed.replace(caller.source, stranger.source))
        assert stranger.receive(0.5) == ""
        assert worker.requests("INVITE") == []
        caller.fresh()
        text = caller.text("INVITE", body=SDP)
        caller.send(text + "what follows is no part of it")
        assert status(caller.final("INVITE")) == 200


def test_a_doubled_length_is_no_way_in_either(rig: Rig) -> None:
    hidden = "z9hG4bKhidden" + secrets.token_hex(4)
    for first, second in ((0, 400), (400, 0), (len(SDP), 0)):
        with rig.caller(kind="TCP") as caller:
            inner = caller.text("OPTIONS").replace(caller.branch, hidden)
            lengths = f"Content-Length: {first}\r\nl: {second}" if first else f"l: {first}\r\nContent-Length: {second}"
            caller.send(caller.text("INVITE", body=SDP + inner, length=lengths))
            deadline = time.monotonic() + 1
            while time.monotonic() < deadline and caller.receive(max(0.05, deadline - time.monotonic())):
                continue
            assert not any(hidden in text and "200 OK" in text for text in caller.came)


def test_connections_that_say_nothing_or_dribble_are_closed(rig: Rig, worker: FakeWorker) -> None:
    with ExitStack() as stack:
        dribbling = [stack.enter_context(rig.caller("127.0.0.4", "TCP")) for _ in range(60)]
        stop = threading.Event()

        def dribble() -> None:
            text = dribbling[0].text("INVITE", body=SDP)
            for letter in text[:40]:
                if stop.wait(0.5):
                    return
                for one in dribbling:
                    try:
                        one.send(letter)
                    except OSError:
                        continue

        trickle = threading.Thread(target=dribble)
        trickle.start()
        try:
            with rig.caller(kind="TCP") as good:
                assert status(good.ask("INVITE", body=SDP)) == 200
                rig.until(lambda: len(rig.rpc("core.tcp_list")) <= 21, 8, "too many connections of one address stay")
                rig.until(lambda: len(rig.rpc("core.tcp_list")) == 1, 15, "dribbled connections stay")
                assert status(good.ask("BYE")) == 200
        finally:
            stop.set()
            trickle.join()
