"""Whose number a call shows: what the edge tells the worker, and what the worker makes of it (RFC 3325)."""

from collections.abc import Iterator

import pytest

from ivr.edge.trunks import Trunk
from ivr.lines.sip_text import read_invite
from tests.edge.rig import PASSWORD, FakeWorker, Rig
from tests.edge.wire import SDP, header, headers

pytestmark = pytest.mark.sip

TRUSTED = Trunk(id="carrier", networks=("127.0.0.7/32",), trust_identity=True)
OTHER = Trunk(id="pbx", networks=("127.0.0.8/32",))
DOCTOR, STRANGER = "+12025550143", "+12025550144"
ANONYMOUS = "anonymous"


@pytest.mark.parametrize(
    ("source", "shown", "asserted", "caller", "suspect", "named"),
    [
        ("127.0.0.7", ANONYMOUS, f"<sip:{DOCTOR}@c.example>", DOCTOR, False, "carrier"),
        ("127.0.0.7", ANONYMOUS, f'"x" <sip:{DOCTOR};verstat=TN-Validation-Passed@c>', DOCTOR, False, "carrier"),
        ("127.0.0.7", STRANGER, f"<tel:{DOCTOR}>", DOCTOR, False, "carrier"),
        ("127.0.0.7", ANONYMOUS, f"<sip:{DOCTOR};verstat=TN-Validation-Failed@c>", DOCTOR, True, "carrier"),
        ("127.0.0.7", STRANGER, "", STRANGER, False, "carrier"),
        ("127.0.0.8", ANONYMOUS, f"<sip:{DOCTOR}@c>", None, True, "pbx"),
        ("127.0.0.8", STRANGER, f"<sip:{DOCTOR}@c>", STRANGER, True, "pbx"),
        ("127.0.0.8", STRANGER, f"<sip:{STRANGER[1:]}@c>", STRANGER, False, "pbx"),
        ("127.0.0.1", STRANGER, f"<sip:{DOCTOR}@c>", STRANGER, True, "127.0.0.1"),
        ("127.0.0.1", f"{DOCTOR};verstat=TN-Validation-Failed", "", DOCTOR, True, "127.0.0.1"),
    ],
)
def test_who_calls(
    identity: Rig, source: str, shown: str, asserted: str, caller: str | None, suspect: bool, named: str
) -> None:
    worker = identity.workers["worker-1"]
    worker.forget()
    more = f"P-Asserted-Identity: {asserted}\r\nPrivacy: id\r\n" if asserted else ""
    with identity.caller(source=source, user=shown) as phone:
        phone.ask("INVITE", more + FORGED, SDP)
    came = worker.await_request("INVITE")
    assert len(headers(came, "X-Triageline-Source")) == 1
    assert header(came, "P-Asserted-Identity") == ""
    facts = read_invite(came, source="127.0.0.1", edge=True)
    assert (facts.caller.reveal() if facts.caller else None, facts.suspect, facts.source) == (caller, suspect, named)


FORGED = "X-Triageline-Source: trunk carrier 1\r\nX-Triageline-Asserted: <sip:+12025550199@x>\r\n"


@pytest.fixture(scope="module")
def identity() -> Iterator[Rig]:
    """An edge with two trunks."""
    with Rig(trunks=(TRUSTED, OTHER)) as rig:
        rig.add()
        yield rig


def test_the_next_worker_is_told_as_well() -> None:
    """Where the first is full; and it is told once."""
    with Rig(trunks=(TRUSTED,)) as rig:
        workers = [rig.add(name, "full") for name in ("worker-1", "worker-2")]
        with rig.caller(source="127.0.0.7", user=ANONYMOUS) as phone:
            phone.ask("INVITE", f"P-Asserted-Identity: <sip:{DOCTOR}@c>\r\n", SDP)
        for worker in workers:
            came = worker.await_request("INVITE")
            assert headers(came, "X-Triageline-Source") == ["trunk carrier 1"]
            assert headers(came, "X-Triageline-Asserted") == [f"<sip:{DOCTOR}@c>"]


def test_a_registered_phone_dials_a_virtual_number_as_nobody_with_a_number(rig: Rig, worker: FakeWorker) -> None:
    """A doctor's case number: the code says who it is."""
    with rig.caller() as phone:
        phone.register("nurse-1", PASSWORD)
        phone.fresh()
        phone.ask("INVITE", body=SDP, to="+12025550102")
    facts = read_invite(worker.await_request("INVITE"), edge=True)
    assert (facts.caller, facts.dialled, facts.suspect, facts.source) == (None, "+12025550102", False, "nurse-1")
