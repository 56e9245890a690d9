"""The web API as a part of the running hotline."""

import time
from pathlib import Path

import httpx
import pytest

from masking.leaks import LeakOracle
from tests.hotline.running import Hotline

pytestmark = pytest.mark.sip
DOCTOR, PATIENT = "+12025550123", "+447700900123"


def test_the_api_is_served_with_tokens_of_the_command_line(hotline: Hotline, tmp_path: Path) -> None:
    address = hotline.await_line("the API is served on", 60).rpartition(" ")[2]
    (tmp_path / "numbers.csv").write_text("number,side\n+12025550110,patient\n+12025550111,doctor\n")
    hotline.command_line("masking", "import", str(tmp_path / "numbers.csv"))
    words = ("tokens", "create", "--name", "clinic", "--scopes", "masking:read,masking:write")
    secret = hotline.command_line(*words).strip()
    with httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
        assert client.get("/healthz").text == "ok"
        assert client.get("/v1/bindings").status_code == 401
        client.headers["Authorization"] = f"Bearer {secret}"
        made = client.post("/v1/bindings", json={"doctor": DOCTOR, "patient": PATIENT})
        assert (made.status_code, made.json()["patient_number"]) == (201, "+12025550110")
        assert "server" not in made.headers
    assert made.json()["id"] in hotline.command_line("masking", "list")
    printed = hotline.kill("console")
    hotline.await_restart("console", printed)
    again = await_address(hotline, other_than=address)
    with httpx.Client(base_url=again, trust_env=False, timeout=30) as client:
        client.headers["Authorization"] = f"Bearer {secret}"
        assert client.get(f"/v1/bindings/{made.json()['id']}").json() == made.json()
    log = (hotline.var / "log/console.log").read_bytes()
    assert b"POST /v1/bindings 201" in log
    assert LeakOracle([DOCTOR, PATIENT]).scan(log) == ()
    assert hotline.command_line("masking", "release", made.json()["id"], "--kill")


def await_address(hotline: Hotline, *, other_than: str, timeout: float = 30.0) -> str:
    """Where the API is after a restart."""
    until = time.monotonic() + timeout
    while True:
        found = [line for line in hotline.lines if "the API is served on" in line]
        address = found[-1].rpartition(" ")[2]
        if address != other_than:
            return address
        assert time.monotonic() < until, "the API does not come back"
        time.sleep(0.1)
