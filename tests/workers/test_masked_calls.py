"""Masked calls through the whole hotline: edge, several workers, SQL, command line."""

import json
import time

import pytest

from masking.leaks import LeakOracle
from tests.hotline.running import Hotline
from tests.hotline.softphone import Softphone
from tests.hotline.softphone_media import tone
from tests.masked.identity import headers

pytestmark = pytest.mark.sip

PATIENT, DOCTOR = "+12025550142", "+12025550143"
X, Y = "+12025550101", "+12025550102"


@pytest.fixture(scope="module")
def binding(running: Hotline) -> str:
    """A patient and a doctor, bound by the command line."""
    numbers = running.var / "numbers.csv"
    numbers.write_text(f"number,side\n{X},patient\n{Y},doctor\n", encoding="utf-8")
    running.command_line("masking", "import", str(numbers))
    made = running.command_line("masking", "bind", "--doctor", DOCTOR, "--patient", PATIENT, "--json")
    assert (json.loads(made)["patient_number"], json.loads(made)["doctor_number"]) == (X, Y)
    time.sleep(1.2)  # a worker reads the list of our numbers once a second
    return str(json.loads(made)["id"])


def both_talk(one: Softphone, other: Softphone) -> None:
    """Each hears the other."""
    one.say(tone(700, 2))
    other.await_tone(700)
    other.say(tone(1000, 2))
    one.await_tone(1000)


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
