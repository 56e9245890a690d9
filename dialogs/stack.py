"""A dialogue of one's own, beside the hotline's: a private Redis, the action server and Rasa, on loopback.

For replays, which must not make live callers wait, and for tests.
"""

import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import httpx

from dialogs.processes import ProcessSpec, RasaPlace, actions_process, rasa_process, redis_process
from dialogs.train import TrainingFailed, train

PATIENCE = 120.0
"""Seconds; Rasa takes a quarter of a minute on an idle machine."""
TELL_SECONDS = 5.0
"""How often whoever waits for the start is told that it goes on."""


def _silent(line: str) -> None:
    return None


class StackFailed(RuntimeError):
    """The private dialogue did not come up."""

    def __init__(self, what: str, log: str = "") -> None:
        super().__init__(f"{what}: {log}" if log else what)
        self.what = what
        """What happened, without the end of the log."""


class RasaStack:
    """Redis, action server and Rasa. `start` waits until all answer; `stop` ends what it started, by pid."""

    def __init__(
        self,
        root: Path,
        redis_program: str,
        *,
        niceness: int = 0,
        patience: float = PATIENCE,
        tell: Callable[[str], None] = _silent,
    ) -> None:
        """`root`: the program's folder. `niceness`: how much everything else goes first, 0 to 19. `patience`: longest
        wait, in seconds, until each answers. `tell`: hears how the start goes on."""
        self._patience = patience
        self._tell = tell
        self._redis_program = redis_program
        self._niceness = niceness
        self._folder = Path(tempfile.mkdtemp(prefix="tl-"))
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self._logs: list[IO[bytes]] = []
        self.specs: dict[str, ProcessSpec] = {}
        self.place = RasaPlace(
            root=root,
            rasa_port=free_port(),
            actions_port=free_port(),
            redis_socket=self._folder / "redis.sock",
            rasa_token=secrets.token_urlsafe(24),
            actions_token=secrets.token_urlsafe(24),
            main_python=root / ".venv/bin/python",
            rasa_python=root / ".venv-rasa/bin/python",
        )
        self.start_seconds = 0.0

    @property
    def url(self) -> str:
        """Base address for RasaDialogue."""
        return self.place.rasa_url

    @property
    def token(self) -> str:
        """Token for RasaDialogue."""
        return self.place.rasa_token

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name: "redis", "actions", "rasa"."""
        return {name: process.pid for name, process in self.running.items()}

    @property
    def logs(self) -> Path:
        """Folder with one log a process."""
        return self._folder

    def start(self) -> Self:
        """Train if needed, start everything, wait until it answers. Raises StackFailed where a part dies."""
        try:
            train(self.place.root, self.place.rasa_python, tell=self._tell)
            began = time.monotonic()
            self.spawn(redis_process(self._redis_program, self.place.redis_socket, self._folder))
            self.spawn(actions_process(self.place))
            self.spawn(rasa_process(self.place))
            self.wait(self.place.actions_health)
            self.wait(self.place.rasa_health)
        except (TrainingFailed, OSError) as error:
            self.stop()
            raise StackFailed(f"it cannot be started ({error})") from error
        except BaseException:  # also Ctrl-C: no process may be left behind; it goes on upwards
            self.stop()
            raise
        self.start_seconds = time.monotonic() - began
        return self

    def spawn(self, spec: ProcessSpec) -> None:
        """Start one process with its own log."""
        log = (self._folder / f"{spec.name}.log").open("ab")
        self._logs.append(log)
        self.specs[spec.name] = spec
        argv = ("nice", "-n", str(self._niceness), *spec.argv) if self._niceness else spec.argv
        self.running[spec.name] = subprocess.Popen(
            argv, env=dict(spec.env), cwd=spec.cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )

    def wait(self, url: str) -> None:
        """Until the address answers 200. Raises StackFailed with the end of the logs."""
        began = time.monotonic()
        until, news = began + self._patience, began + TELL_SECONDS
        while time.monotonic() < until:
            if time.monotonic() > news:
                self._tell(f"the dialogue is loading: {time.monotonic() - began:.0f} s")
                news += TELL_SECONDS
            dead = [name for name, process in self.running.items() if process.poll() is not None]
            if dead:
                raise StackFailed(f"{dead[0]} ended", self.tail(dead[0]))
            try:
                if httpx.get(url, timeout=2, trust_env=False).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
        raise StackFailed(f"no answer from {url} in {self._patience:.0f} s", self.tail("rasa"))

    def tail(self, name: str) -> str:
        """The last lines of a log."""
        return (self._folder / f"{name}.log").read_text(errors="replace")[-1500:]

    def stop(self) -> None:
        """End all and remove the folder."""
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.clear()
        for log in self._logs:
            log.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def free_port() -> int:
    """A TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
