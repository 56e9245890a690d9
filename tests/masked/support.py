"""A masked line in a process of its own, and what a test asks of it."""

import json
import subprocess
import sys
import threading
import time
from typing import Any, Self

from tests.hotline.cli import ROOT


class MaskedLine:
    """`tests.masked.line`, until closed."""

    def __init__(self, trunk: int, **settings: Any) -> None:
        command = [sys.executable, "-m", "tests.masked.line", json.dumps({"trunk": trunk, **settings})]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.log = ""
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        opened = self._line()
        self.port, self.binding, self.code = opened["port"], opened["binding"], opened["code"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.process.stdin.close()
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self._reader.join(timeout=5)
            self.process.stdout.close()
            self.process.stderr.close()

    def do(self, what: str, **more: Any) -> Any:
        """An order, and its answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self.process.stdin.flush()
        return self._line()["reply"]

    def records(self, count: int = 2) -> dict[str, dict[str, Any]]:
        """Wait for the records of a call; by leg."""
        found: list[dict[str, Any]] = []
        self.until(lambda: len(self.told()["records"]) >= count)
        found = self.told()["records"][-count:]
        return {one["leg"]: one for one in found}

    def told(self) -> Any:
        """Records and events so far."""
        return self.do("told")

    def idle(self) -> None:
        """Wait until no call is left."""
        self.until(lambda: self.do("calls") == 0)

    def until(self, seen: Any, timeout: float = 8.0) -> None:
        """Wait for something."""
        until = time.monotonic() + timeout
        while not seen():
            assert time.monotonic() < until, f"not in {timeout} s; {self.told()} {self.log[-3000:]}"
            time.sleep(0.05)

    def _line(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log
        return json.loads(line)

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log += line
