"""The whole hotline as an operator starts it, in a folder of its own, and what can be seen of it from outside."""

# Size: one handle on a running hotline: what tests of many folders ask of it

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xmlrpc.client
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from supervisor.xmlrpc import SupervisorTransport

from asr_models.bundled import unpack
from asr_models.catalog import read
from ivr import signs
from records import database
from records.journal_sql import SqlJournal
from records.keys import keys_from_folder
from records.port import CallLine, Entry
from records.store import Store
from routing.agents import load_agents
from routing.service import RedisBook
from routing.store import AgentStore
from tests.hotline.cli import ROOT, SHARED, cli_here, environment, write_agents
from tests.hotline.softphone import Softphone
from tests.hotline.system import command_line, listens, marked_processes, udp_ports

READY = "ready: the dialogue answers"


class Hotline:
    """`triageline up`, until stopped."""

    def __init__(
        self,
        agents: dict[str, int],
        *,
        port: int = 0,
        drain: int = 6,
        more: Mapping[str, str] = MappingProxyType({}),
        registering: tuple[str, ...] = (),
    ) -> None:
        """`port`: 0 lets the worker choose. `drain`: seconds that calls in progress get at the end. `more`: settings
        by the names of their variables, without the prefix. `registering`: agents whose phones register."""
        unpack(read(), SHARED / "models")
        self.var = Path(tempfile.mkdtemp(prefix="tl-"))
        write_agents(self.var, agents, registering)
        self.env = environment(
            self.var,
            TRIAGELINE_SIP__PORT=str(port),
            TRIAGELINE_HOTLINE__DRAIN_SECONDS=str(drain),
            **{
                "TRIAGELINE_HOTLINE__CALLERS": "2",  # as few as the packaged library carries, so that full is soon
                **{f"TRIAGELINE_{name}": value for name, value in more.items()},
            },
        )
        self.lines: list[str] = []
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "ivr", "up"],
            cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()
        self._reader.join(timeout=5)
        assert self.process.stdout is not None
        self.process.stdout.close()
        shutil.rmtree(self.var)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.rstrip())
                self._news.notify_all()

    def await_line(self, part: str, timeout: float, start: int = 0) -> str:
        """Wait until `up` printed a line with this text, from its line number `start`."""
        until = time.monotonic() + timeout
        with self._news:
            while True:
                found = [line for line in self.lines[start:] if part in line]
                if found:
                    return found[0]
                left = until - time.monotonic()
                assert left > 0, f"no line with {part!r} in {timeout} s: {self.lines}"
                self._news.wait(left)

    def await_calls(self, timeout: float = 60.0) -> Self:
        """Wait until calls are taken and the sentences are rendered."""
        self.await_line("taking calls", timeout)
        until = time.monotonic() + timeout
        while not self.facts.get("voices"):
            assert time.monotonic() < until, "the sentences are not rendered"
            time.sleep(0.1)
        return self

    def await_dialogue(self, timeout: float = 120.0) -> None:
        """Wait until Rasa answers, also after a restart."""
        self.await_line(READY, timeout)
        until = time.monotonic() + timeout
        port = re.search(r"--rasa-port (\d+)", self.command(self.worker))
        assert port is not None
        while not listens(int(port.group(1))):
            assert time.monotonic() < until, "the dialogue does not come back"
            time.sleep(0.2)

    @property
    def facts(self) -> dict[str, Any]:
        """What the worker says of itself."""
        try:
            return asdict(signs.taking_calls(signs.read_all(self.var / "run"))[0])
        except IndexError:
            return {}

    @property
    def port(self) -> int:
        """SIP port that callers call: the edge's where there is one, else the worker's own."""
        edge = self.var / "run/edge.json"
        return int(json.loads(edge.read_text(encoding="utf-8"))["port"] if edge.exists() else self.facts["port"])

    @property
    def worker(self) -> str:
        """Name of the worker that takes calls; another one stands by."""
        return str(self.facts["name"])

    def await_worker(self, *, other_than: str = "", timeout: float = 10.0) -> str:
        """Wait until a worker takes calls; its name."""
        until = time.monotonic() + timeout
        while not self.facts or self.worker == other_than:
            assert time.monotonic() < until, f"no worker takes calls after {timeout} s"
            time.sleep(0.02)
        return self.worker

    def await_active(self, count: int, *, without: str = "", timeout: float = 60.0) -> None:
        """Wait until so many workers take calls, this one not among them."""
        until = time.monotonic() + timeout
        while True:
            names = [one.name for one in signs.taking_calls(signs.read_all(self.var / "run"))]
            if len(names) == count and without not in names:
                return
            assert time.monotonic() < until, f"calls are taken by {names} after {timeout} s: {self.lines}"
            time.sleep(0.05)

    def await_spare(self, timeout: float = 30.0) -> None:
        """Wait until a worker stands by, loaded."""
        until = time.monotonic() + timeout
        while not [one for one in signs.read_all(self.var / "run") if one.standby and one.voices]:
            assert time.monotonic() < until, f"no worker stands by after {timeout} s"
            time.sleep(0.1)

    def await_entry_of_any(self, kind: str, *, timeout: float = 10.0, since: float = 0.0) -> None:
        """Wait until any of the newest calls has an entry of this kind that is not older."""
        until = time.monotonic() + timeout
        while not [
            one for line in self.calls(4) for one in self.entries(line.call) if one.kind == kind and one.at >= since
        ]:
            assert time.monotonic() < until, f"no {kind} in {timeout} s"
            time.sleep(0.1)

    def pids(self) -> dict[str, int]:
        """Process id of every running part, as its supervisor knows it."""
        transport = SupervisorTransport(None, None, f"unix://{self.var}/run/supervisor.sock")
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        try:
            found: Any = proxy.supervisor.getAllProcessInfo()
        finally:
            transport.close()
        return {str(one["name"]): int(one["pid"]) for one in found if one["statename"] in ("RUNNING", "STARTING")}

    def command(self, part: str) -> str:
        """Command line of a part."""
        return command_line(self.pids()[part])

    def kill(self, part: str) -> int:
        """End a part at once; the number of lines that `up` had printed before."""
        printed = len(self.lines)
        os.kill(self.pids()[part], signal.SIGKILL)
        return printed

    def await_restart(self, part: str, printed: int, timeout: float = 8.0) -> None:
        """Wait until `up` says that a part was restarted."""
        self.await_line(f"{part} died and was restarted", timeout, printed)

    # Records ------------------------------------------------------------------------------------------------------

    def command_line(self, *words: str) -> str:
        """Output of `triageline WORDS`, which must succeed."""
        done = cli_here(self.env, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def await_entry(self, kind: str, timeout: float = 6.0) -> None:
        """Wait until the newest call's journal has an entry of this kind."""
        until = time.monotonic() + timeout
        while kind not in self.last()[1]:
            assert time.monotonic() < until, f"no {kind} in {timeout} s: {self.last()[1]}"
            time.sleep(0.1)

    def await_outcome(self, outcome: str, timeout: float = 6.0) -> None:
        """Wait until the newest call is over, and ended so."""
        until = time.monotonic() + timeout
        while self.last()[0].outcome == "running" and time.monotonic() < until:
            time.sleep(0.1)
        assert self.last()[0].outcome == outcome

    def calls(self, limit: int = 5) -> tuple[CallLine, ...]:
        """The newest calls."""
        return asyncio.run(self._journal(lambda journal: journal.list(limit)))

    def entries(self, call: str) -> tuple[Entry, ...]:
        """One call's journal."""
        return asyncio.run(self._journal(lambda journal: journal.read(call)))

    def last(self) -> tuple[CallLine, list[str]]:
        """The newest call and the kinds of its entries."""
        line = self.calls(1)[0]
        return line, [entry.kind for entry in self.entries(line.call)]

    async def _journal(self, use: Any) -> Any:
        store = Store(database.prepare(f"sqlite:///{self.var / 'triageline.db'}"))
        try:
            return await use(SqlJournal(store, keys_from_folder(self.var / "keys")))
        finally:
            await asyncio.to_thread(store.close)

    def reserved(self) -> dict[str, str]:
        """Agents who are held by a call."""

        async def look() -> dict[str, str]:
            store = AgentStore(f"unix://{self.var}/run/redis.sock")
            try:
                book = RedisBook(load_agents(self.var / "agents.toml"), store)
                return {agent.id: call for agent, _, call in await book.list() if call}
            finally:
                await store.close()

        return asyncio.run(look())

    def await_reserved(self, *agents: str, timeout: float = 3.0) -> None:
        """Wait until these agents, and no others, are held by calls."""
        until = time.monotonic() + timeout
        while set(self.reserved()) != set(agents):
            assert time.monotonic() < until, f"held are {self.reserved()}"
            time.sleep(0.05)

    # Traces -------------------------------------------------------------------------------------------------------

    def media_ports(self) -> set[int]:
        """UDP ports that the worker holds beside its SIP port: one pair a leg."""
        return udp_ports(self.pids()[self.worker]) - {self.facts["port"]}

    def in_progress(self) -> int:
        """Calls that began and did not end, by the worker's log."""
        log = (self.var / f"log/{self.worker}.log").read_text(encoding="utf-8")
        current = log.rpartition("taking calls on port")[2]
        return len(re.findall(r"call [a-z]+ begins", current)) - len(re.findall(r"call [a-z]+ ends", current))

    def assert_idle(self, timeout: float = 6.0) -> None:
        """Nothing is left of any call: no session, no leg, no reservation."""
        until = time.monotonic() + timeout
        while left := {
            name: value
            for name, value in {
                "calls": self.in_progress(),
                "ports": self.media_ports(),
                "reserved": self.reserved(),
            }.items()
            if value
        }:
            assert time.monotonic() < until, f"left after {timeout} s: {left}"
            time.sleep(0.1)

    def assert_answers(self) -> None:
        """The next call works."""
        with Softphone() as phone:
            phone.call(self.port)
            phone.await_sound()

    def stop(self, timeout: float = 60.0) -> int:
        """Ctrl-C; the exit code. Fails where a process is left."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        code = self.process.wait(timeout)
        assert self.left_processes() == []
        return code

    def left_processes(self) -> list[str]:
        """Every process that was started by this hotline, however far it went: all carry its folder's name in their
        environment."""
        return marked_processes(f"TRIAGELINE_PATHS__VAR={self.var}")
