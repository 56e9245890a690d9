"""Torture messages at a running edge with a real worker, and at a worker alone. `python -m tests.edge.test_rfc4475`
writes docs/torture.md; the test compares."""

import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.edge.rig import Rig
from tests.sip.rfc4475 import CASES, EDGE_DIFFERS, SILENCE, TAKEN, WORKER_DIFFERS, Case, as_expected, table
from tests.sip.support import Phone, tuned_only

pytestmark = pytest.mark.sip

PAGE = Path(__file__).resolve().parents[2] / "docs/torture.md"
_QUIET_SECONDS = 1.2
_BUSY = "486"
"""What the call machine says here to a call that reached it."""


def outcomes(target: tuple[str, int]) -> dict[str, str]:
    """Send every message from a socket of its own; what came of each."""
    with ExitStack() as held:
        socks = {case.name: held.enter_context(_sent(case, target)) for case in CASES}
        found = dict.fromkeys(socks, SILENCE)
        until = time.monotonic() + _QUIET_SECONDS
        while time.monotonic() < until:
            for name, sock in socks.items():
                if (code := _final(sock)) and found[name] == SILENCE:
                    found[name] = TAKEN if code == _BUSY else code
                    until = time.monotonic() + _QUIET_SECONDS
            time.sleep(0.02)
    return found


def _sent(case: Case, target: tuple[str, int]) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.setblocking(False)
    sock.sendto(case.build(sock.getsockname()[1]).encode(), target)
    time.sleep(0.01)
    return sock


def _final(sock: socket.socket) -> str:
    """A final status that came just now; an INVITE's is repeated for a while, since nobody acknowledges it."""
    try:
        text = sock.recv(65_535).decode(errors="replace")
    except BlockingIOError:
        return ""
    return text[8:11] if text.startswith("SIP/2.0 ") and text[8] >= "2" else ""


def measured() -> tuple[dict[str, str], dict[str, str]]:
    """At the edge, and at a worker alone."""
    with Rig() as rig, Phone(proxy=f"sip:127.0.0.1:{rig.edge.inner}") as line, Phone(refusals_per_source=0) as alone:
        rig.know("worker-1", line.port)
        for phone in (line, alone):
            phone.do("on_arrival", policy=_BUSY)
        found = outcomes(rig.address), outcomes(("127.0.0.1", alone.port))
        with rig.caller() as caller:
            assert caller.ask("OPTIONS").startswith("SIP/2.0 200")
        return found


@tuned_only
def test_torture_messages_end_as_the_rfc_says_or_as_the_page_explains() -> None:
    edge, worker = measured()
    for found, differs in ((edge, EDGE_DIFFERS), (worker, WORKER_DIFFERS)):
        wrong = {case.name: found[case.name] for case in CASES if not as_expected(case, found[case.name])}
        assert wrong.keys() == differs.keys(), wrong
        assert {name for name, code in wrong.items() if code.startswith("5")} == set(), "nothing breaks"
    assert PAGE.read_text(encoding="utf-8") == table(edge, worker), "run python -m tests.edge.test_rfc4475"


if __name__ == "__main__":
    PAGE.write_text(table(*measured()), encoding="utf-8")
    print(f"written: {PAGE}")
