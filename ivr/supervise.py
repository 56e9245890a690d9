"""Keeps the parts of the hotline running: writes a supervisord configuration, starts it, tells what happens to them.

supervisord restarts what dies and stops everything in reverse order; this module only watches and tells.
"""

import asyncio
import contextlib
import ctypes
import os
import shlex
import signal
import subprocess
import sys
import xmlrpc.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

POLL_SECONDS = 0.5
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2): no part outlives a killed parent


class SuperviseError(Exception):
    """The parts could not be started; one sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One process of the hotline."""

    name: str
    """Short name, shown to the operator."""
    argv: tuple[str, ...]
    """Command."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables added to the environment; secrets go by `secrets`."""
    order: int
    """Started in this order, stopped in the reverse."""
    stop_seconds: float = 10.0
    """How long it may take to end by itself."""
    folder: str = ""
    """Working folder; empty for the supervisor's own."""
    group: str = ""
    """Parts of one group stop together; others one after the other."""


def configuration(parts: tuple[Part, ...], run: Path, log: Path) -> str:
    """The text of supervisord's configuration file."""
    head = f"""[supervisord]
logfile = {log}/supervisor.log
logfile_maxbytes = 5MB
pidfile = {run}/supervisor.pid
childlogdir = {log}
nodaemon = true
umask = 077

[unix_http_server]
file = {run}/supervisor.sock
chmod = 0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""
    groups = {part.group: part.order for part in parts if part.group}
    grouped = "".join(_group(name, order, parts) for name, order in groups.items())
    return head + "".join(_program(part, log) for part in parts) + grouped


def _group(name: str, order: int, parts: tuple[Part, ...]) -> str:
    members = ",".join(part.name for part in parts if part.group == name)
    return f"\n[group:{name}]\nprograms = {members}\npriority = {order}\n"


def _program(part: Part, log: Path) -> str:
    env = ",".join(f'{name}="{_escape(value)}"' for name, value in sorted(part.env.items()))
    folder = f"directory = {_escape(part.folder)}\n" if part.folder else ""
    return f"""
[program:{part.name}]
{folder}command = {_escape(shlex.join(part.argv))}
environment = {env}
priority = {part.order}
autostart = true
autorestart = true
startsecs = 2
startretries = 1000000
stopsignal = TERM
stopwaitsecs = {int(part.stop_seconds)}
stopasgroup = false
killasgroup = true
redirect_stderr = true
stdout_logfile = {log}/{part.name}.log
stdout_logfile_maxbytes = 5MB
stdout_logfile_backups = 2
"""


def _escape(text: str) -> str:
    """Percent signs are expansions there."""
    return text.replace("%", "%%")


class Supervisor:
    """The running parts."""

    def __init__(self, parts: tuple[Part, ...], run: Path, log: Path, secrets: Mapping[str, str]) -> None:
        """`secrets` are environment variables that must not be written to a file."""
        self._parts = parts
        self._run = run
        self._log = log
        self._secrets = secrets
        self._process: subprocess.Popen[bytes] | None = None
        self._pids: dict[str, int] = {}
        self._states: dict[str, str] = {}

    def start(self) -> None:
        """Start everything. Raises SuperviseError."""
        file = self._run / "supervisor.conf"
        file.write_text(configuration(self._parts, self._run, self._log), encoding="utf-8")
        with (self._log / "supervisor.out").open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-n", "-c", str(file)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self._secrets},
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    async def watch(self, tell: Callable[[str], None], until: asyncio.Event) -> None:
        """Tell every change until the event is set. Raises SuperviseError when the supervisor itself is gone."""
        while not until.is_set():
            if self._process is None or self._process.poll() is not None:
                raise SuperviseError(f"the process supervisor ended; see {self._log}/supervisor.out")
            for line in self._changes(await asyncio.to_thread(self._status)):
                tell(line)
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await until.wait()
            except TimeoutError:
                continue

    def _changes(self, status: list[dict[str, Any]]) -> list[str]:
        lines = []
        for one in status:
            name, state, pid = str(one["name"]), str(one["statename"]), int(one["pid"])
            before, last = self._states.get(name, ""), self._pids.get(name, 0)
            if pid and last and pid != last:
                lines.append(f"{name} died and was restarted")
            elif state in ("BACKOFF", "EXITED", "FATAL") and before not in ("BACKOFF", "EXITED", "FATAL"):
                lines.append(f"{name} stopped by itself; starting it again (log: {self._log}/{name}.log)")
            self._states[name] = state
            self._pids[name] = pid or last
        return lines

    def _status(self) -> list[dict[str, Any]]:
        transport = SupervisorTransport(None, None, f"unix://{self._run}/supervisor.sock")
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        try:
            found: Any = proxy.supervisor.getAllProcessInfo()
        except (OSError, xmlrpc.client.Error):
            return []  # not up yet, or going down
        finally:
            transport.close()
        return list(found)

    @property
    def pids(self) -> Mapping[str, int]:
        """Process id of every part, as last looked up."""
        return self._pids

    def kill(self, name: str, pid: int) -> bool:
        """End a part of ours at once; it is started again. False where this is not its process (any more)."""
        if self._pids.get(name) != pid or self._states.get(name) not in ("RUNNING", "STARTING"):
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return True

    async def stop(self) -> bool:
        """Stop everything, last started first; True where all went by themselves."""
        if self._process is None or self._process.poll() is not None:
            return True
        self._process.send_signal(signal.SIGTERM)
        longest = sum(part.stop_seconds for part in self._parts) + 10
        try:
            await asyncio.to_thread(self._process.wait, longest)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return False
        return True


def _die_with_parent() -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_DEATH_SIGNAL, signal.SIGTERM)
