"""Phones that register: who may, how they prove it, and what guessing gets."""

import statistics
import time

import pytest

from ivr.edge.digest import phone_key
from tests.edge.rig import PASSWORD, FakeWorker, Rig
from tests.edge.wire import SDP, Caller, header, headers, names, status

pytestmark = pytest.mark.sip


@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
def test_the_right_password(rig: Rig, algorithm: str) -> None:
    with rig.caller("127.0.0.5") as phone:
        assert status(phone.register("nurse-1", PASSWORD, algorithm=algorithm, expires=3600)) == 200
        answer = phone.came[-1]
        assert "expires=600" in header(answer, "Contact")
        assert not names(answer) & {"server", "user-agent"}
        assert status(phone.register("nurse-1", PASSWORD, algorithm=algorithm, expires=0)) == 200


def test_the_better_algorithm_is_offered_first_and_the_other_alone_to_those_who_do_not_take_it(rig: Rig) -> None:
    with rig.caller("127.0.0.5", user="nurse-1") as phone:
        both = headers(phone.ask("REGISTER", to="nurse-1"), "WWW-Authenticate")
        assert ["SHA-256" in one for one in both] == [True, False]
        assert ["MD5" in one for one in headers(phone.ask("REGISTER", to="nurse-1"), "WWW-Authenticate")] == [True]


def test_md5_can_be_switched_off() -> None:
    with Rig(md5=False) as rig, rig.caller("127.0.0.5") as phone:
        assert status(phone.register("nurse-1", PASSWORD, algorithm="MD5")) == 401
        phone.fresh()
        assert status(phone.register("nurse-1", PASSWORD)) == 200


def test_nobody_learns_whether_an_agent_exists() -> None:
    """The same answer, in the same time, for a wrong password and for an unknown agent."""
    with Rig() as rig:
        shapes, seconds = {}, {}
        for user in ("nurse-1", "nobody-1"):
            times = []
            for _ in range(9):
                with rig.caller("127.0.0.1") as phone:
                    rig.rpc("htable.flush", "guesses")
                    challenge = phone.ask("REGISTER", to=user)
                    proof = phone.proof(challenge, user, "wrong-password-here", "SHA-256")
                    began = time.perf_counter()
                    answer = phone.ask("REGISTER", proof, to=user)
                    times.append(time.perf_counter() - began)
                    assert status(answer) == 401
            shapes[user] = [line.partition(":")[0] for line in answer.split("\r\n")], "stale" in answer
            seconds[user] = statistics.median(times)
        assert shapes["nurse-1"] == shapes["nobody-1"]
        assert abs(seconds["nurse-1"] - seconds["nobody-1"]) < 0.02


def test_a_proof_counts_once(rig: Rig) -> None:
    with rig.caller("127.0.0.5", user="nurse-1") as phone:
        proof = phone.proof(phone.ask("REGISTER", to="nurse-1"), "nurse-1", PASSWORD, "SHA-256")
        assert status(phone.ask("REGISTER", proof, to="nurse-1")) == 200
        phone.fresh()
        assert status(phone.register("nurse-1", PASSWORD, expires=0)) == 200
    with rig.caller("127.0.0.8", user="nurse-1") as thief:
        answer = thief.ask("REGISTER", proof, to="nurse-1")
        assert status(answer) == 401
        assert "stale=true" in answer
        made_up = proof.replace('nonce="', 'nonce="1')
        assert status(thief.ask("REGISTER", made_up, to="nurse-1")) == 401


def test_nobody_registers_for_somebody_else(rig: Rig) -> None:
    with rig.caller("127.0.0.5", user="nurse-2") as phone:
        proof = phone.proof(phone.ask("REGISTER", to="nurse-2"), "nurse-1", PASSWORD, "SHA-256")
        assert status(phone.ask("REGISTER", proof, to="nurse-2")) == 403


@pytest.mark.parametrize("broken", ["nc=00000001", "qop=auth", 'cnonce="', 'response="', "Digest ", 'uri="'])
def test_incomplete_proofs(rig: Rig, broken: str) -> None:
    with rig.caller(user="nurse-1") as phone:
        proof = phone.proof(phone.ask("REGISTER", to="nurse-1"), "nurse-1", PASSWORD, "SHA-256")
        assert status(phone.ask("REGISTER", proof.replace(broken, "x"), to="nurse-1")) in (400, 401)
    rig.rpc("htable.flush", "guesses")


def test_a_registered_phone_may_call_under_its_own_name(rig: Rig, worker: FakeWorker) -> None:
    with rig.caller("127.0.0.5") as phone:
        assert status(phone.ask("INVITE", body=SDP)) == 403
        phone.fresh()
        assert status(phone.register("nurse-1", PASSWORD)) == 200
        phone.fresh()
        assert status(phone.ask("INVITE", body=SDP)) == 200
        assert status(phone.ask("BYE")) == 200
        phone.fresh()
        phone.user = "+12025550142"
        assert status(phone.ask("INVITE", body=SDP)) == 403
        phone.fresh()
        assert status(phone.register("nurse-1", PASSWORD, expires=0)) == 200
    assert len(worker.requests("INVITE")) == 1


def test_a_phone_may_call_at_the_moment_at_which_it_is_registered(rig: Rig, worker: FakeWorker) -> None:
    """Another process of the proxy reads the call than the one that is busy with the registration."""
    for _ in range(8):
        with rig.caller("127.0.0.5", user="nurse-1") as phone:
            proof = phone.proof(phone.ask("REGISTER", to="nurse-1"), "nurse-1", PASSWORD, "SHA-256")
            phone.send(phone.text("REGISTER", proof, to="nurse-1"))
            assert status(phone.receive(4)) == 200
            phone.fresh()
            assert status(phone.ask("INVITE", body=SDP)) == 200
            assert status(phone.ask("BYE")) == 200
            phone.fresh()
            phone.register("nurse-1", PASSWORD, expires=0)
            time.sleep(0.3)  # below the rate at which strangers are ignored


def test_calls_of_one_phone_are_limited(rig: Rig, worker: FakeWorker) -> None:
    with rig.caller("127.0.0.5", user="nurse-2") as phone:
        assert status(phone.register("nurse-2", PASSWORD)) == 200
        calls = []
        for _ in range(4):
            phone.fresh()
            assert status(phone.ask("INVITE", body=SDP)) == 200
            calls.append((phone.call_id, phone.tag, phone.remote, phone.target, phone.routes, phone.cseq))
        phone.fresh()
        refused = phone.ask("INVITE", body=SDP)
        assert status(refused) == 503
        assert header(refused, "Retry-After")
        for phone.call_id, phone.tag, phone.remote, phone.target, phone.routes, phone.cseq in calls:
            assert status(phone.ask("BYE")) == 200
        phone.fresh()
        assert status(phone.ask("INVITE", body=SDP)) == 200
        assert status(phone.ask("BYE")) == 200
        phone.fresh()
        phone.register("nurse-2", PASSWORD, expires=0)


def test_guessing_from_one_place_ends_in_silence() -> None:
    with Rig() as rig, rig.caller("127.0.0.5") as phone, rig.caller("127.0.0.7") as guesser:
        assert status(phone.register("nurse-1", PASSWORD)) == 200
        for number in range(11):
            guesser.fresh()
            assert status(guesser.register("nurse-1", f"wrong-password-{number}")) == 401
            time.sleep(0.3)  # below the rate at which strangers are ignored
        guesser.fresh()
        assert guesser.ask("REGISTER", to="nurse-1", timeout=0.5) == ""
        assert status(phone.register("nurse-1", PASSWORD)) == 200


def test_guessing_from_many_places_does_not_lock_the_phone_out() -> None:
    with Rig() as rig:
        with rig.caller("127.0.0.5") as phone:
            assert status(phone.register("nurse-1", PASSWORD)) == 200
        for number in range(25):
            with rig.caller(f"127.0.1.{number + 1}") as guesser:
                assert status(guesser.register("nurse-1", "wrong-password-here")) == 401
        with rig.caller("127.0.2.1") as elsewhere:
            assert status(elsewhere.register("nurse-1", PASSWORD)) == 401
        with rig.caller("127.0.0.5") as phone:
            assert status(phone.register("nurse-1", PASSWORD)) == 200


def test_contacts_of_one_agent_are_limited(rig: Rig) -> None:
    phones = [Caller(edge=rig.address, source="127.0.0.5") for _ in range(6)]
    try:
        found = [status(phone.register("nurse-2", PASSWORD)) for phone in phones]
        assert found[:5] == [200] * 5
        assert found[5] == 503
        phones[5].fresh()
        time.sleep(0.2)  # one more that knows the password is taken for registered until its refusal is all written
        assert status(phones[5].ask("INVITE", body=SDP)) == 403
        for phone in phones[:5]:
            phone.fresh()
            assert status(phone.register("nurse-2", PASSWORD, expires=0)) == 200
    finally:
        for phone in phones:
            phone.sock.close()


def test_a_new_password_counts_at_once_and_a_removed_one_no_more() -> None:
    with Rig() as rig, rig.caller("127.0.0.5") as phone:
        rig.keys["nurse-1"] = phone_key("nurse-1", "another-long-password")

        def outcome() -> int:
            time.sleep(0.4)  # below the rate at which strangers are ignored
            phone.fresh()
            return status(phone.register("nurse-1", "another-long-password"))

        rig.until(lambda: outcome() == 200, 6, "the new one is not known")
        del rig.keys["nurse-1"]
        rig.until(lambda: outcome() == 401, 6, "the removed one is still good")
