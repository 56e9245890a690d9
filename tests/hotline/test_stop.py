"""Ctrl-C with calls in progress, on a hotline of its own."""

import signal
import time

import pytest

from tests.hotline.conftest import Desks
from tests.hotline.running import Hotline
from tests.hotline.softphone import Softphone

pytestmark = pytest.mark.sip

DRAIN = 4


def test_calls_may_end_and_no_other_is_taken(desks: Desks) -> None:
    with Hotline(desks.ports, drain=DRAIN) as hotline, Softphone() as leaving, Softphone() as staying:
        hotline.await_calls()
        port = hotline.port
        for phone in (leaving, staying):
            phone.call(port)
            phone.await_sound()
        hotline.process.send_signal(signal.SIGINT)
        hotline.await_line("stopping", 3)
        leaving.hang_up()  # so that there is room for one more
        refused = await_refusal(port)
        asked = time.monotonic()
        staying.press("5")
        staying.await_sound(since=asked)
        assert staying.count("BYE") == 0
        assert DRAIN - 1.5 < staying.await_request("BYE", DRAIN + 6) - refused < DRAIN + 3
        assert hotline.stop(30) == 0
        assert "stopped" in hotline.lines[-1]


def await_refusal(port: int) -> float:
    """Call until calls are refused; when they were."""
    until = time.monotonic() + 3
    while True:
        with Softphone() as late:
            late.dial(port)
            if late.status("INVITE") == 503:
                return time.monotonic()
        assert time.monotonic() < until, "new calls are still taken"
