"""Phones in processes of their own, and sipp: one SIP library a process is all there is, and a library that aborts
must not take the tests along.
"""

import contextlib
import json
import queue
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Self

import pytest

from ivr.lines.sip_guard import library

TUNED = hasattr(library(), "triageline_guard_install")
tuned_only = pytest.mark.skipif(not TUNED, reason="the packaged SIP library has no native guard, no Opus")
SCENARIOS = Path(__file__).parent / "scenarios"
ROOT = Path(__file__).parents[2]
CALLER = "+12025550142"


class PhoneError(Exception):
    """The phone answered an order with a LineError."""


class Phone:
    """A SipLine in another process. Events are kept in order and each is found once."""

    def __init__(self, **settings: Any) -> None:
        command = [sys.executable, "-m", "tests.sip.phone", json.dumps({"port": 0, **settings})]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.lines: list[str] = []
        self._closed = False
        self._replies: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._events: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.opened = self.wait_for("open", "failed", timeout=20)
        self.port: int = self.opened.get("port", 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> str:
        """Where to call it."""
        return f"sip:phone@127.0.0.1:{self.port}"

    def do(self, what: str, leg: str = "", **arguments: Any) -> Any:
        """Give an order and wait until it was taken. Raises PhoneError."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": what, "leg": leg, **arguments}) + "\n")
        self.process.stdin.flush()
        reply = self._replies.get(timeout=10)
        if "error" in reply:
            raise PhoneError(reply["error"])
        return reply["reply"]

    def dial(self, address: str, **arguments: Any) -> str:
        """Dial; the new leg."""
        return str(self.do("dial", address=address, **arguments))

    def wait_for(self, *names: str, timeout: float = 8, leg: str | None = None) -> dict[str, Any]:
        """The oldest event of these names that was not found before."""
        until = time.monotonic() + timeout
        with self._changed:
            while (found := self._take(names, leg)) is None:
                left = until - time.monotonic()
                came = left > 0 and self._changed.wait(left)
                assert came, f"no {names} in {timeout} s; waiting: {self._events}"
        return found

    def waiting(self, *names: str) -> list[dict[str, Any]]:
        """Events of these names that nobody asked for yet."""
        with self._changed:
            return [event for event in self._events if event["event"] in names]

    def forget(self) -> None:
        """Drop the events that nobody asked for."""
        with self._changed:
            self._events.clear()

    def hears(self, leg: str, hz: int, timeout: float = 4) -> dict[str, Any]:
        """Wait until a tone is heard. The last measurement."""
        until = time.monotonic() + timeout
        while True:
            heard: dict[str, Any] = self.do("heard", leg)
            if abs(heard["hz"] - hz) <= 20 and heard["rms"] > 2000:
                return heard
            assert time.monotonic() < until, f"no tone of {hz} Hz in {timeout} s: {heard}"
            time.sleep(0.05)

    def hears_nothing(self, leg: str, timeout: float = 3) -> None:
        """Wait until it is quiet."""
        until = time.monotonic() + timeout
        while (heard := self.do("heard", leg))["rms"] > 50:
            assert time.monotonic() < until, f"not quiet after {timeout} s: {heard}"
            time.sleep(0.05)

    def close(self) -> None:
        """End of input is the order to hang up and leave. Fails where the process ends in any other way."""
        if self._closed:
            return
        self._closed = True
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            code = self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self._reader.join(timeout=5)
        complaint = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        assert (code, complaint) == (0, ""), complaint

    def _take(self, names: tuple[str, ...], leg: str | None) -> dict[str, Any] | None:
        for place, event in enumerate(self._events):
            if event["event"] in names and leg in (None, event.get("leg")):
                return self._events.pop(place)
        return None

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            said = json.loads(line)
            if "reply" in said:
                self._replies.put(said)
                continue
            with self._changed:
                self._events.append(said)
                self._changed.notify_all()


class Sipp:
    """One sipp scenario running against a port, or waiting on one."""

    def __init__(self, scenario: str, folder: Path, *, target: int | None = None) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        remote = [f"127.0.0.1:{target}"] if target is not None else []
        command = ["sipp", *remote, "-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", "127.0.0.1", "-p", str(port)]
        command += ["-m", "1", "-nostdin", "-timeout", "12s", "-timeout_error", "-trace_err"]
        self.folder = folder
        self.port = port
        self._process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        )

    def finish(self) -> None:
        """Wait for the scenario's end; fails where it did not go as written."""
        _, complaint = self._process.communicate(timeout=20)
        errors = "".join(log.read_text() for log in self.folder.glob("*_errors.log"))
        assert self._process.returncode == 0, f"sipp ended with {self._process.returncode}: {complaint} {errors}"
