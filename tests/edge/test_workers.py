"""Several workers behind one address: shared out, replaced when they fail, known again when the edge was restarted."""

import time
from pathlib import Path

import pytest

from tests.edge.rig import PASSWORD, UNREADABLE, FakeWorker, Rig
from tests.edge.wire import SDP, header, status

pytestmark = pytest.mark.sip


def call(rig: Rig, timeout: float = 8) -> str:
    """One call; its answer."""
    with rig.caller() as caller:
        answer = caller.ask("INVITE", body=SDP, timeout=timeout)
        if status(answer) == 200:
            assert status(caller.ask("BYE")) == 200
        return answer


def test_calls_are_shared_out_and_move_on_when_a_worker_cannot_take_them() -> None:
    with Rig() as rig:
        one, two = rig.add("worker-1"), rig.add("worker-2")
        for _ in range(6):
            assert status(call(rig)) == 200
        assert len(one.requests("INVITE")) == len(two.requests("INVITE")) == 3

        one.policy = "full"
        for _ in range(3):
            assert status(call(rig)) == 200
        assert len(two.requests("INVITE")) == 6

        two.policy = "full"
        answer = call(rig)
        assert status(answer) == 503
        assert int(header(answer, "Retry-After")) > 0

        one.policy, two.policy = "answer", "busy"
        one.forget()
        assert sorted(status(call(rig)) for _ in range(2)) == [200, 486]


def test_a_worker_that_does_not_answer_is_passed_over_within_three_seconds() -> None:
    with Rig() as rig:
        one, two = rig.add("worker-1"), rig.add("worker-2")
        one.policy = "dead"
        seconds = []
        for _ in range(3):
            began = time.monotonic()
            assert status(call(rig)) == 200
            seconds.append(time.monotonic() - began)
        assert max(seconds) < 3
        assert min(seconds) < 0.5  # once it is known to be dead it is not asked
        assert len(two.requests("INVITE")) == 3
        one.policy = "answer"
        rig.until(lambda: rig.state(one.port).startswith("A"), 8, "it is not asked again")


def test_a_call_that_no_worker_can_read_keeps_nobody_else_out(rig: Rig, worker: FakeWorker) -> None:
    with rig.caller() as odd:
        assert status(odd.ask("INVITE", f"{UNREADABLE}\r\n", SDP, timeout=12)) == 503
        assert worker.requests("INVITE")
        assert status(call(rig)) == 200
        assert rig.state(worker.port) == "AP"


def test_a_worker_that_is_gone_or_drains_gets_no_new_call_but_its_own_go_on() -> None:
    with Rig() as rig:
        one, two = rig.add("worker-1"), rig.add("worker-2")
        two.policy = "full"
        with rig.caller() as caller:
            assert status(caller.ask("INVITE", body=SDP)) == 200
            two.policy = "answer"
            rig.sign("worker-1", draining=True)
            rig.until(lambda: rig.state(one.port).startswith("D"), 3, "draining is not seen")
            one.forget()
            assert [status(call(rig)) for _ in range(3)] == [200] * 3
            assert one.requests("INVITE") == []
            assert status(caller.ask("BYE")) == 200
            one.await_request("BYE")
        (rig.edge.run / "worker-1.json").unlink()
        rig.until(lambda: not rig.state(one.port), 3, "it is still known")


def test_nobody_takes_calls() -> None:
    with Rig() as rig:
        answer = call(rig)
        assert status(answer) == 503
        assert header(answer, "Retry-After")


def test_the_edge_is_killed_and_knows_everything_again() -> None:
    with Rig() as rig:
        worker = rig.add()
        with rig.caller("127.0.0.5") as phone, rig.caller() as caller:
            assert status(phone.register("nurse-1", PASSWORD)) == 200
            rig.until(lambda: rig.told == ["agents' phones registered: 1 of 2"], 4, "the phone is not counted")
            assert status(caller.ask("INVITE", body=SDP)) == 200
            began = time.monotonic()
            rig.crash()
            rig.until(lambda: status(call(rig, 0.5)) == 200, 8, "no calls after the restart")
            assert time.monotonic() - began < 4
            worker.forget()
            assert status(caller.ask("BYE")) == 200  # a call that began before goes on
            worker.await_request("BYE")
            phone.fresh()
            assert status(phone.ask("INVITE", body=SDP)) == 200  # the phone is known without registering again
            uri = f"sip:nurse-1@{rig.address[0]}:{rig.address[1]}"
            worker.invite(rig.edge.inner, uri)
            rig.until(lambda: phone.receive(0.5).startswith("INVITE sip:nurse-1@"), 4, "the phone is not called")


def test_nothing_secret_is_in_a_file_and_no_caller_in_the_log() -> None:
    with Rig() as rig:
        rig.add()
        with rig.caller(user="+12025550142") as caller:
            assert status(caller.ask("INVITE", body=SDP)) == 200
            caller.send("INVITE sip:+12025550142@x SIP/2.0\r\nFrom: <<+12025550142\r\n\r\n")
            caller.send("\x00\x01+12025550142")
            assert status(caller.ask("BYE")) == 200
        written = "".join(
            file.read_text(encoding="utf-8", errors="replace")
            for file in Path(rig.edge.run).iterdir()
            if file.is_file() and not file.is_socket()
        )
        assert "2025550142" not in written
        for key in rig.keys.values():
            assert key.sha256 not in written
            assert key.md5 not in written
        assert "ERROR" not in rig.log()
