# Size: the whole stage in one place: proxy, keeper and workers.
"""A real edge (Kamailio, rules, keeper) with dull workers behind it: each a UDP socket that answers by policy."""

import asyncio
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Self

from ivr.bootstrap.edge import modules, program
from ivr.edge.digest import PhoneKey, phone_key
from ivr.edge.keeper import Keeper, Known
from ivr.edge.render import Edge, Tls, command, main_file, tls_file
from ivr.edge.rpc import EdgeError, Rpc
from ivr.edge.start import clear
from ivr.edge.trunks import Trunk
from tests.edge.wire import SDP, Caller, header, headers, status

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a-very-long-password"
UNREADABLE = "User-Agent: unreadable"
"""In a request that workers drop as if they could not read it."""


class FakeWorker:
    """`policy`: "answer", "full" (503), "busy" (486), "ring" (180 only) or "dead" (silence)."""

    def __init__(self, policy: str = "answer") -> None:
        self.policy = policy
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.settimeout(0.05)
        self.port = int(self.sock.getsockname()[1])
        self.messages: list[tuple[tuple[str, int], str]] = []
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Be gone."""
        self._stop.set()
        self._thread.join(timeout=2)
        self.sock.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                raw, source = self.sock.recvfrom(65535)
            except TimeoutError:
                continue
            text = raw.decode(errors="replace")
            with self._changed:
                self.messages.append((source, text))
                self._changed.notify_all()
            self._react(text, source)

    def _react(self, text: str, source: tuple[str, int]) -> None:
        method = text.split(" ", 1)[0]
        if self.policy == "dead" or method in ("ACK", "SIP/2.0") or UNREADABLE in text:
            return
        if method != "INVITE":
            self.reply(text, 200, source)
        elif self.policy == "answer":
            self.reply(text, 180, source)
            self.reply(text, 200, source, SDP)
        elif self.policy == "ring":
            self.reply(text, 180, source)
        else:
            self.reply(text, {"full": 503, "busy": 486}[self.policy], source)

    def reply(self, request: str, code: int, to: tuple[str, int], body: str = "", more: str = "") -> None:
        """Answer a request."""
        kept = [line for line in request.split("\r\n") if re.match(r"(Via|Record-Route|From|To|Call-ID|CSeq):", line)]
        mine = f";tag=w{self.port}"
        tagged = [line + mine if line.startswith("To:") and ";tag=" not in line else line for line in kept]
        kind = "Content-Type: application/sdp\r\n" if body else ""
        text = "\r\n".join([f"SIP/2.0 {code} Whatever", *tagged])
        contact = f"Contact: <sip:triage@127.0.0.1:{self.port}>\r\n"
        whole = f"{text}\r\n{contact}{more}{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        self.sock.sendto(whole.encode(), to)

    def requests(self, method: str) -> list[str]:
        """Those that came, pings of the edge left out."""
        with self._changed:
            return [text for _, text in self.messages if text.startswith(f"{method} ") and "sip:edge@" not in text]

    def await_request(self, method: str, timeout: float = 4) -> str:
        """Wait for one."""
        return self.await_message(lambda text: text.startswith(f"{method} ") and "sip:edge@" not in text, timeout)

    def await_message(self, wanted: Any, timeout: float = 4) -> str:
        """Wait for a message."""
        until = time.monotonic() + timeout
        with self._changed:
            while True:
                for _, text in reversed(self.messages):
                    if wanted(text):
                        return str(text)
                left = until - time.monotonic()
                assert left > 0, f"not in {timeout} s; came: {[text.split(chr(13))[0] for _, text in self.messages]}"
                self._changed.wait(left)

    def forget(self) -> None:
        """Forget what came."""
        with self._changed:
            self.messages.clear()

    def invite(self, inner: int, uri: str, more: str = "") -> str:
        """Send an INVITE through the edge; its Call-ID."""
        unique = secrets.token_hex(6)
        self.sock.sendto(
            (
                f"INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{unique};rport\r\n"
                f"Route: <sip:127.0.0.1:{inner};lr>\r\nMax-Forwards: 70\r\n"
                f"From: <sip:triage@127.0.0.1>;tag={unique}\r\n"
                f"To: <{uri}>\r\nCall-ID: {unique}\r\nCSeq: 1 INVITE\r\nContact: <sip:triage@127.0.0.1:{self.port}>\r\n"
                f"{more}Content-Type: application/sdp\r\nContent-Length: {len(SDP)}\r\n\r\n{SDP}"
            ).encode(),
            ("127.0.0.1", inner),
        )
        return unique

    def dial(self, inner: int, uri: str, more: str = "") -> str:
        """Call somebody through the edge; the final answer. Its ACK is sent."""
        unique = self.invite(inner, uri, more)
        answer = self.await_message(lambda text: status(text) >= 200 and unique in text, 7)
        if status(answer) < 300:
            contact = re.search(r"<([^>]*)>", header(answer, "Contact"))
            assert contact is not None
            routes = "".join(f"Route: {one}\r\n" for one in reversed(headers(answer, "Record-Route")))
            self.sock.sendto(
                (
                    f"ACK {contact.group(1)} SIP/2.0\r\n"
                    f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bKa{unique}\r\n"
                    f"{routes}Max-Forwards: 70\r\nFrom: <sip:triage@127.0.0.1>;tag={unique}\r\n"
                    f"To: {header(answer, 'To')}\r\nCall-ID: {unique}\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n"
                ).encode(),
                ("127.0.0.1", inner),
            )
        return answer


def free_port(address: str = "127.0.0.1") -> int:
    """A port that is free for UDP and TCP."""
    for _ in range(50):
        port = 20_000 + secrets.randbelow(12_000)
        udp, tcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket()
        with closing(udp), closing(tcp), suppress(OSError):
            udp.bind((address, port))
            tcp.bind((address, port))
            return port
    raise AssertionError("no free port")


class Rig:
    """One edge."""

    def __init__(
        self,
        *,
        peers: tuple[str, ...] = ("127.0.0.1/32",),
        trunks: tuple[Trunk, ...] = (),
        desks: tuple[str, ...] = (),
        agents: tuple[str, ...] = ("nurse-1", "nurse-2"),
        tls: Tls | None = None,
        limits: Mapping[str, int | str] | None = None,
        **edge: Any,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tl-edge-")
        run = Path(self._folder.name)
        self.edge = Edge(
            bind="127.0.0.1", port=free_port(), inner=free_port(), tls=tls,
            rules=ROOT / "deploy/kamailio", run=run, **edge,
        )  # fmt: skip
        rules = main_file(self.edge)
        for name, value in (limits or {}).items():
            rules, found = re.subn(f"!TL_{name}![^!]*!", f"!TL_{name}!{value}!", rules)
            assert found == 1, name
        (run / "edge.cfg").write_text(rules, encoding="utf-8")
        if tls:
            (run / "edge.tls").write_text(tls_file(tls), encoding="utf-8")
        self.keys: dict[str, PhoneKey] = {one: phone_key(one, PASSWORD) for one in agents}
        self.told: list[str] = []
        self.workers: dict[str, FakeWorker] = {}
        self._known = Known(peers=peers, trunks=trunks, desks=desks)
        self.process = self._start()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    @property
    def address(self) -> tuple[str, int]:
        """Where callers call."""
        return self.edge.bind, self.edge.port

    def __enter__(self) -> Self:
        self.await_fed()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(timeout=5)
        self._loop.close()
        self._end()
        for one in self.workers.values():
            one.close()
        self._folder.cleanup()

    def _start(self) -> "subprocess.Popen[bytes]":
        log = (self.edge.run / "edge.log").open("ab")
        with log:
            return subprocess.Popen(
                [sys.executable, "-m", "ivr.edge.start", *command(self.edge, program(), modules())],
                cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def _end(self, sign: int = signal.SIGTERM) -> None:
        """End the proxy: it and its children are a group of their own."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, sign)
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        clear(command(self.edge, program(), modules()))

    def _keep(self) -> None:
        asyncio.set_event_loop(self._loop)

        async def keys() -> Mapping[str, PhoneKey]:
            return dict(self.keys)

        self._task = self._loop.create_task(Keeper(self.edge, self._known, keys, self.told.append).run())
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._task)

    def crash(self) -> None:
        """Kill the proxy and start it again, as the supervisor does; its children are left over."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = self._start()
        started = Path(f"/proc/{self.process.pid}/cmdline")
        self.until(lambda: started.read_bytes().startswith(program().encode()), 8, "the edge does not start again")

    def rpc(self, method: str, *parameters: str | int) -> Any:
        """One order."""
        return asyncio.run(Rpc(self.edge.socket).call(method, *parameters))

    def log(self) -> str:
        """What the proxy said."""
        return (self.edge.run / "edge.log").read_text(encoding="utf-8", errors="replace")

    def await_fed(self, timeout: float = 8) -> None:
        """Wait until the proxy knows what it must."""
        self.until(lambda: bool(self.rpc("htable.get", "edge", "fed")), timeout, f"the edge is not fed: {self.log()}")

    def until(self, seen: Any, timeout: float, what: str) -> None:
        """Wait for something; an edge that does not answer yet is asked again."""
        until = time.monotonic() + timeout
        while True:
            with suppress(EdgeError):
                if seen():
                    return
            assert time.monotonic() < until, what
            time.sleep(0.05)

    # Workers ------------------------------------------------------------------------------------------------------

    def add(self, name: str = "worker-1", policy: str = "answer", *, draining: bool = False) -> FakeWorker:
        """A worker that the keeper finds, and the edge asks from now on."""
        worker = self.workers[name] = FakeWorker(policy)
        self.sign(name, draining=draining)
        self.until(lambda: self._listed(worker.port), 4, "the worker is not known")
        return worker

    def sign(self, name: str, *, draining: bool = False) -> None:
        """Write what a worker says of itself."""
        facts = {
            "name": name, "pid": os.getpid(), "host": "127.0.0.1", "port": self.workers[name].port, "callers": 5,
            "calls": 0, "draining": draining, "standby": False, "beat": time.time(),
        }  # fmt: skip
        part = self.edge.run / f".{name}.part"
        part.write_text(json.dumps(facts), encoding="utf-8")
        part.replace(self.edge.run / f"{name}.json")

    def know(self, name: str, port: int) -> None:
        """The keeper hears of a worker that is a real line."""
        facts = {
            "name": name, "pid": os.getpid(), "host": "127.0.0.1", "port": port, "callers": 5, "calls": 0,
            "draining": False, "standby": False, "beat": time.time(),
        }  # fmt: skip
        (self.edge.run / f"{name}.json").write_text(json.dumps(facts), encoding="utf-8")
        self.until(lambda: self._listed(port), 4, "the worker is not known")

    def state(self, port: int) -> str:
        """The proxy's flags of a worker; empty where it does not know it."""
        for group in self.rpc("dispatcher.list")["RECORDS"]:
            for one in group["SET"]["TARGETS"]:
                if one["DEST"]["URI"].endswith(f":{port}"):
                    return str(one["DEST"]["FLAGS"])
        return ""

    def _listed(self, port: int) -> bool:
        return bool(self.state(port)) and bool(self.rpc("htable.get", "workers", f"127.0.0.1:{port}"))

    def caller(self, source: str = "127.0.0.1", kind: str = "UDP", **more: Any) -> Caller:
        """Somebody who calls."""
        edge = self.address if kind != "TLS" or self.edge.tls is None else (self.edge.bind, self.edge.tls.port)
        return Caller(edge=edge, source=source, kind=kind, **more)
