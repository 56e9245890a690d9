"""Masked calls through the whole hotline: edge, several workers, SQL, command line."""

import json
import time

import pytest

from masking.leaks import LeakOracle
from tests.hotline.running import Hotline
from tests.hotline.softphone import Softphone
from tests.masked.identity import headers
from tests.workers.pair import DOCTOR, PATIENT, X, Y, both_talk

pytestmark = pytest.mark.sip


def test_a_patient_reaches_the_doctor_and_neither_is_seen(hotline: Hotline, trunk: Softphone, binding: str) -> None:
    trunk.policy = "answer"
    with Softphone() as caller:
        caller.call(hotline.port, user=PATIENT, to=X, name=f"{PATIENT} calls", headers=headers(PATIENT))
        trunk.await_request("INVITE")
        trunk.await_sound()
        trunk.press("1")
        both_talk(caller, trunk)
        caller.hang_up()
        trunk.await_request("BYE")
        assert LeakOracle([PATIENT]).scan(b"\n".join(trunk.received)) == ()
        assert LeakOracle([DOCTOR]).scan(b"\n".join(caller.received)) == ()
    until = time.monotonic() + 5
    while not (told := json.loads(hotline.command_line("masking", "records", "--json"))):
        assert time.monotonic() < until, "no record"
        time.sleep(0.1)
    assert {one["end"] for one in told} == {"completed"}
    assert LeakOracle([PATIENT, DOCTOR]).scan_folder(hotline.var) == ()


def test_a_click_rings_the_doctor_first(hotline: Hotline, trunk: Softphone, binding: str) -> None:
    """Both numbers are at one phone here, which is busy when the patient is called."""
    trunk.policy = "answer"
    wish = json.loads(hotline.command_line("masking", "call", binding, "--json"))
    assert wish["state"] == "waiting"
    trunk.await_request("INVITE")
    assert f"<sip:{Y}@" in next(text for _, text in trunk.messages if text.startswith("INVITE"))
    trunk.await_sound()
    trunk.policy = "busy"
    trunk.press("1")
    trunk.await_message(lambda text: f"<sip:{X}@" in text, "call to the patient", 6)
    trunk.hang_up()
