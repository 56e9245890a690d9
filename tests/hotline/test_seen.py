"""What can be seen of a running hotline: figures, the live table, log lines of one call."""

import json
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from masking.leaks import LeakOracle
from tests.hotline.cli import run_cli
from tests.hotline.running import Hotline
from tests.hotline.softphone import Softphone

pytestmark = pytest.mark.sip

NUMBER = "+12025550142"
UP, WORKERS = 9464, (9465, 9466)


def scrape(hotline: Hotline, port: int) -> str:
    """The figures of one process, which may still be starting where another test has killed it."""
    until = time.monotonic() + 30
    while True:
        try:
            address = f"http://{hotline.env['TRIAGELINE_METRICS__BIND']}:{port}/metrics"
            with urllib.request.urlopen(address, timeout=5) as page:
                return str(page.read().decode())
        except urllib.error.URLError:
            assert time.monotonic() < until
            time.sleep(0.2)


def value(hotline: Hotline, name: str, ports: tuple[int, ...] = WORKERS, **labels: str) -> float:
    """A figure, added up over processes as Prometheus would."""
    return sum(
        sample.value
        for port in ports
        for family in text_string_to_metric_families(scrape(hotline, port))
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def await_value(hotline: Hotline, name: str, wanted: float, ports: tuple[int, ...] = WORKERS, **labels: str) -> None:
    until = time.monotonic() + 15
    while (found := value(hotline, name, ports, **labels)) != wanted:
        assert time.monotonic() < until, f"{name} is {found}"
        time.sleep(0.1)


def test_a_call_is_seen_while_it_lasts_and_counted_after(hotline: Hotline, caller: Softphone) -> None:
    gone = value(hotline, "triageline_calls_total", outcome="hung_up")
    await_value(hotline, "triageline_workers", 1, (UP,))
    caller.call(hotline.port, user=NUMBER)
    caller.await_sound()
    await_value(hotline, "triageline_legs", 1)
    seen = await_row(hotline)
    (call,) = [call for worker in seen["workers"] for call in worker["calls"]]
    assert call["state"] in ("greeting", "asking", "listening")
    assert [worker["state"] for worker in seen["workers"]].count("taking") == 1
    assert {agent["id"] for agent in seen["agents"]} == {"nurse-1", "nurse-2", "nurse-3", "nurse-4"}
    assert value(hotline, "triageline_live_calls") == 1
    shown = hotline.command_line("top", "--once")
    assert call["call"] in shown
    shown += "".join(scrape(hotline, port) for port in (UP, *WORKERS)) + json.dumps(seen)
    caller.hang_up()
    await_value(hotline, "triageline_calls_total", gone + 1, outcome="hung_up")
    await_value(hotline, "triageline_legs", 0)
    lines = hotline.command_line("logs", "--call", call["call"])
    assert f"call {call['call']} begins" in lines
    assert all(call["call"] in line for line in lines.splitlines())
    assert LeakOracle([NUMBER]).scan((shown + lines).encode()) == ()


def await_row(hotline: Hotline) -> dict[str, Any]:
    """The live table as soon as it has a call."""
    until = time.monotonic() + 10
    while True:
        seen: dict[str, Any] = json.loads(hotline.command_line("top", "--json"))
        if any(worker["calls"] for worker in seen["workers"]):
            return seen
        assert time.monotonic() < until, seen
        time.sleep(0.2)


def test_a_pipe_gets_one_look(hotline: Hotline) -> None:
    done = run_cli(hotline.env, "top")
    assert done.returncode == 0
    assert "worker-1" in done.stdout
    assert "\x1b" not in done.stdout
