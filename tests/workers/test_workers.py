"""Workers that die, freeze or are replaced while callers are in the line."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ivr import signs
from tests.hotline.cli import ROOT
from tests.hotline.running import Hotline
from tests.hotline.softphone import Softphone
from tests.workers.pair import PATIENT, X, both_talk

pytestmark = pytest.mark.sip


@pytest.fixture
def callers() -> Iterator[tuple[Softphone, Softphone]]:
    """Two callers."""
    with Softphone() as first, Softphone() as second:
        yield first, second


SECOND = "+12025550155"
NEXT = "+12025550187"
"""Numbers of further callers: a caller who is called back and calls again is not called back."""


def worker_of(hotline: Hotline, phone: Softphone, others: dict[str, int], user: str = "+12025550142") -> str:
    """Call, and find the worker that has the call."""
    phone.call(hotline.port, user=user)
    phone.await_sound()
    until = time.monotonic() + 5
    while True:
        for one in signs.read_all(hotline.var / "run"):
            if one.calls > others.get(one.name, 0):
                return one.name
        assert time.monotonic() < until, "no worker says that it has the call"
        time.sleep(0.05)


def calls(hotline: Hotline) -> dict[str, int]:
    """Calls in progress by worker, once those of earlier tests have ended: none."""
    until = time.monotonic() + 45  # a leg whose phone is gone without a word ends after 30 s of silence
    while any((found := {one.name: one.calls for one in signs.read_all(hotline.var / "run")}).values()):
        assert time.monotonic() < until, f"calls that nobody makes go on: {found}"
        time.sleep(0.1)
    return found


def still_there(phone: Softphone) -> None:
    """The hotline still reacts to this caller."""
    asked = time.monotonic()
    phone.press("*")
    phone.await_sound(since=asked, timeout=8)
    assert phone.count("BYE") == 0


def answered_soon(hotline: Hotline, seconds: float) -> float:
    """Call again and again until somebody answers; how long that took."""
    began = time.monotonic()
    while True:
        with Softphone() as phone:
            phone.dial(hotline.port, user=NEXT)
            if phone.answered_within(1.0):
                took = time.monotonic() - began
                phone.await_sound()
                return took
        assert time.monotonic() - began < seconds, "no new call is answered"


def test_a_killed_worker_is_replaced_and_its_caller_rung_back(
    hotline: Hotline, callers: tuple[Softphone, Softphone], trunk: Softphone, desk: Softphone
) -> None:
    cut, other = callers
    name = worker_of(hotline, cut, {})
    staying = worker_of(hotline, other, {name: 1}, SECOND)
    assert staying != name, "calls are spread over the workers"
    desk.policy, trunk.policy = "ring", "answer"
    cut.press("0")
    desk.await_request("INVITE")
    killed, wall = time.monotonic(), time.time()
    printed = hotline.kill(name)
    cut.forsake()
    desk.policy = "answer"
    assert answered_soon(hotline, 6) < 6
    rung = trunk.await_request("INVITE", 10)
    assert rung - killed < 10
    trunk.await_sound(timeout=8)
    trunk.press("1")
    desk.await_request("INVITE", since=killed)  # the dead worker had reserved this agent
    desk.await_sound(timeout=8)
    desk.press("1")
    hotline.await_entry_of_any("Bridged", since=wall)
    still_there(other)
    hotline.await_restart(name, printed, timeout=20)
    trunk.hang_up()


def test_a_replaced_worker_cuts_no_call(hotline: Hotline, callers: tuple[Softphone, Softphone]) -> None:
    caller, _ = callers
    name = worker_of(hotline, caller, calls(hotline))
    words = [sys.executable, "-m", "ivr", "workers", "restart", name]
    with subprocess.Popen(words, cwd=ROOT, env=hotline.env, stdout=subprocess.PIPE, text=True) as restart:
        hotline.await_active(2, without=name)
        assert answered_soon(hotline, 4) < 4
        still_there(caller)
        caller.hang_up()
        assert restart.stdout is not None
        told = restart.stdout.read()
        assert restart.wait(40) == 0, told
    assert f"{name} takes no new calls; 1 in progress may end" in told
    assert f"{name} is new" in told


def test_a_frozen_worker_is_killed_and_replaced(
    hotline: Hotline, callers: tuple[Softphone, Softphone], trunk: Softphone
) -> None:
    cut, _ = callers
    trunk.policy = "ring"
    name = worker_of(hotline, cut, calls(hotline))
    printed = len(hotline.lines)
    os.kill(hotline.pids()[name], signal.SIGSTOP)
    cut.forsake()
    hotline.await_line(f"{name} gave no sign of life for 3 s and was killed", 12, printed)
    trunk.await_request("INVITE", 10)
    hotline.await_active(2, without=name)
    hotline.await_restart(name, printed, timeout=20)


def talks_to_the_doctor(hotline: Hotline, patient: Softphone, trunk: Softphone) -> None:
    """A masked call that stands."""
    trunk.policy = "answer"
    patient.call(hotline.port, user=PATIENT, to=X)
    trunk.await_request("INVITE")
    trunk.await_sound()
    trunk.press("1")
    both_talk(patient, trunk)


def records_of_the_cut_call(hotline: Hotline, binding: str) -> list[dict[str, Any]]:
    """Legs that a fault ended."""
    until = time.monotonic() + 8
    while True:
        told = json.loads(hotline.command_line("masking", "records", "--binding", binding, "--json"))
        legs = [one for one in told if one["end"] == "failed"]
        if len(legs) >= 2:
            return legs
        assert time.monotonic() < until, "the call left no records"


def test_two_workers_killed_one_after_the_other(
    hotline: Hotline, callers: tuple[Softphone, Softphone], trunk: Softphone, binding: str
) -> None:
    """Both took calls, and the one that stood by has taken the place of the first when the second dies. A masked call
    that one of them had leaves its records."""
    numbers = ("+12025550161", "+12025550162")
    first, second = callers
    hotline.await_dialogue()  # what loads beside the two new workers would be measured too
    name = worker_of(hotline, first, calls(hotline), numbers[0])
    other = worker_of(hotline, second, {name: 1}, numbers[1])
    assert other != name, "calls are spread over the workers"
    with Softphone() as patient:
        talks_to_the_doctor(hotline, patient, trunk)
        trunk.policy = "busy"
        began, wall = time.monotonic(), time.time()
        hotline.kill(name)
        hotline.kill(other)
        for phone in (first, second, trunk, patient):
            phone.forsake()
    legs = records_of_the_cut_call(hotline, binding)
    assert {one["leg"] for one in legs} == {"a", "b"}
    assert {one["released_by"] for one in legs} == {"us"}
    assert all(wall - 2 < one["ended"] < wall + 2 for one in legs)
    assert all(one["answered"] for one in legs)
    assert answered_soon(hotline, 10) < 10
    for number in numbers:
        trunk.await_message(lambda text, wanted=number: text.startswith(f"INVITE sip:{wanted}@"), "INVITE", 20, began)
