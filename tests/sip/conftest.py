"""Two phones that live as long as the SIP tests: the one under test and one that calls it."""

import time
from collections.abc import Iterator

import pytest

from tests.sip.support import Phone


@pytest.fixture(scope="session")
def shared_hotline() -> Iterator[Phone]:
    """The line under test."""
    with Phone(ack_wait_s=1.0, refusals_per_source=200) as phone:
        yield phone


@pytest.fixture(scope="session")
def shared_caller() -> Iterator[Phone]:
    """A phone that calls it."""
    with Phone() as phone:
        yield phone


@pytest.fixture
def hotline(shared_hotline: Phone) -> Iterator[Phone]:
    """The line under test, answering; it must be without calls again after each test."""
    shared_hotline.do("on_arrival", policy="answer")
    yield shared_hotline
    _assert_idle(shared_hotline)


@pytest.fixture
def caller(shared_caller: Phone) -> Iterator[Phone]:
    """A phone that calls; it must be without calls again after each test."""
    yield shared_caller
    _assert_idle(shared_caller)


def _assert_idle(phone: Phone) -> None:
    """Every event was looked for, and every call slot is free again; a failed test leaves its calls to nobody."""
    missed = phone.waiting("LegGone", "KeyPressed", "LegAnswered")
    phone.do("hang_up_all")
    until = time.monotonic() + 3
    while phone.do("free_slots") < phone.opened["capacity"]:
        happened = [line for line in phone.lines if "event" in line][-8:]
        assert time.monotonic() < until, f"a call slot was not given back: {happened}"
        time.sleep(0.02)
    phone.forget()
    assert missed == []
