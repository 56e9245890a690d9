"""One hotline with two workers and a spare, for all tests of this folder."""

import json
import time
from collections.abc import Iterator

import pytest

from tests.hotline.running import Hotline
from tests.hotline.softphone import Softphone
from tests.workers.pair import DOCTOR, PATIENT, X, Y


@pytest.fixture(scope="session")
def trunk() -> Iterator[Softphone]:
    """Where callers' numbers are dialled."""
    with Softphone() as phone:
        yield phone


@pytest.fixture(scope="session")
def desk() -> Iterator[Softphone]:
    """The agent's phone."""
    with Softphone() as phone:
        yield phone


@pytest.fixture(scope="session")
def running(trunk: Softphone, desk: Softphone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hotline]:
    """The hotline."""
    trunks = tmp_path_factory.mktemp("trunks") / "trunks.toml"
    place = f"127.0.0.1:{trunk.port}"
    trunks.write_text(f'[[trunk]]\nid = "out"\nnetworks = ["127.0.0.9"]\naddress = "{place}"\n', encoding="utf-8")
    more = {
        "HOTLINE__WORKERS": "2", "HOTLINE__CALLERS": "10", "SIP__OUTBOUND": f"sip:{{number}}@{place}",
        "PATHS__TRUNKS": str(trunks),
    }  # fmt: skip
    with Hotline({"nurse-1": desk.port}, drain=4, more=more) as hotline:
        hotline.await_active(2)
        yield hotline.await_calls()
        assert hotline.stop() == 0


@pytest.fixture
def hotline(running: Hotline, trunk: Softphone, desk: Softphone) -> Iterator[Hotline]:
    """The same with two workers that take calls, one that stands by, and phones that are free."""
    for phone in (trunk, desk):
        phone.policy = "busy"
        phone.forget()
    running.await_active(2)
    running.await_spare()
    yield running
    running.await_active(2)


@pytest.fixture(scope="session")
def binding(running: Hotline) -> str:
    """A patient and a doctor, bound by the command line."""
    numbers = running.var / "numbers.csv"
    numbers.write_text(f"number,side\n{X},patient\n{Y},doctor\n", encoding="utf-8")
    running.command_line("masking", "import", str(numbers))
    made = running.command_line("masking", "bind", "--doctor", DOCTOR, "--patient", PATIENT, "--json")
    assert (json.loads(made)["patient_number"], json.loads(made)["doctor_number"]) == (X, Y)
    time.sleep(1.2)  # a worker reads the list of our numbers once a second
    return str(json.loads(made)["id"])
