"""`triageline up`: all parts, what happens to them, and a stop that leaves nothing behind."""

import asyncio
import contextlib
import fcntl
import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from config.settings import Settings
from ivr.bootstrap.parts import Plan, plan
from ivr.bootstrap.places import Places, places, prepare
from ivr.supervise import SuperviseError, Supervisor

Tell = Callable[[str], None]
BACK_SECONDS = 120.0
"""Longest wait for the dialogue before the operator is told that it is not there."""


def run(settings: Settings, out: Callable[[str], None]) -> int:
    """Until Ctrl-C or SIGTERM. Raises SuperviseError and the rooms' errors, each one sentence."""

    def tell(line: str) -> None:
        out(f"{time.strftime('%H:%M:%S')}  {line}")

    where = places(settings)
    prepare(where)
    with only_one(where):
        check_port(settings)
        return asyncio.run(keep_up(settings, where, tell))


@contextlib.contextmanager
def only_one(where: Places) -> Iterator[None]:
    """Two hotlines must not share a folder. Raises SuperviseError."""
    with (where.run / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SuperviseError(f"a hotline is already running on {where.var}; stop it first") from None
        yield


def check_port(settings: Settings) -> None:
    """Say at once that the SIP port is taken. Raises SuperviseError."""
    sip = settings.sip
    for kind, name in ((socket.SOCK_DGRAM, "UDP"), (socket.SOCK_STREAM, "TCP")):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((sip.bind, sip.port))
            except OSError as error:
                why = error.strerror or "unknown"
                raise SuperviseError(
                    f"{name} port {sip.port} on {sip.bind} cannot be opened ({why.lower()}): stop what uses it, "
                    "or set sip.port to another one"
                ) from None


async def keep_up(settings: Settings, where: Places, tell: Tell) -> int:
    """Start, watch, and stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)
    where.ready.unlink(missing_ok=True)
    running = plan(settings, where)
    supervisor = Supervisor(running.parts, where.run, where.log, running.secrets)
    tell("starting: redis, actions, rasa, worker")
    supervisor.start()
    greeting = asyncio.create_task(greet(settings, where, running, tell))
    try:
        await supervisor.watch(tell, stop)
    finally:
        greeting.cancel()
        tell(f"stopping: calls in progress may take up to {settings.hotline.drain_seconds:.0f} s; nothing new is taken")
        clean = await supervisor.stop()
        tell("stopped" if clean else "stopped by force: a part did not end by itself")
    return 0


async def greet(settings: Settings, where: Places, running: Plan, tell: Tell) -> None:
    """Say what is ready, when it is."""
    worker = await _worker_ready(where.ready)
    tell(f"taking calls: SIP on {worker['bind']}:{worker['port']} (UDP and TCP), {worker['callers']} callers at once")
    tell(f"recognition: {worker['recogniser'] or 'none, callers are led by keys'}; pjsua2 {worker['pjsua2']}")
    for line in softphone(settings, where, worker):
        tell(line)
    tell("the dialogue is loading; until then callers are led by the keypad menu")
    if await _answers(running.rasa.rasa_health):
        tell("ready: the dialogue answers")
    else:
        tell(f"the dialogue does not answer; callers are led by the keypad menu (log: {where.log}/rasa.log)")


def softphone(settings: Settings, where: Places, worker: dict[str, Any]) -> list[str]:
    """How to call, and how to be called."""
    address = f"{worker['bind']}:{worker['port']}"
    return [
        f"to call: in a softphone on this machine, account without registration, then dial sip:hotline@{address}",
        f"to be an agent: let your softphone listen where {where.agents} says (for example 127.0.0.1:5071)",
    ]


async def _worker_ready(file: Path) -> dict[str, Any]:
    while (found := await asyncio.to_thread(_read, file)) is None:  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(0.2)
    return found


def _read(file: Path) -> dict[str, Any] | None:
    with contextlib.suppress(OSError, ValueError):
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found
    return None


async def _answers(url: str) -> bool:
    deadline = time.monotonic() + BACK_SECONDS
    async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(url)).status_code == 200:
                    return True
            await asyncio.sleep(0.5)
    return False
