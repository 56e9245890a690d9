"""`triageline up`: all parts, what happens to them, and a stop that leaves nothing behind."""

import asyncio
import contextlib
import fcntl
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from config.settings import Settings
from ivr import signs
from ivr.bootstrap.console import tell_console
from ivr.bootstrap.edge import await_edge, clear_edge, described, keep_edge
from ivr.bootstrap.overseeing import Overseer
from ivr.bootstrap.parts import Plan, plan
from ivr.bootstrap.places import Places, places, prepare
from ivr.bootstrap.work import behind_edge, sip_settings
from ivr.edge.trunks import load_trunks
from ivr.frozen import Frozen
from ivr.supervise import SuperviseError, Supervisor

Tell = Callable[[str], None]
FROZEN_LOOK_SECONDS = 0.5
"""How often is looked for workers that give no sign of life."""
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
    check_workers(settings)
    check_outbound(settings, where)
    for one in signs.read_all(where.run):
        signs.remove(where.run, one.name)
    running = plan(settings, where)
    sip_settings(settings)  # what is wrong with it only a worker would say, again and again
    supervisor = Supervisor(running.parts, where.run, where.log, running.secrets)
    tell("starting: " + ", ".join(part.name for part in running.parts))
    supervisor.start()
    overseer = Overseer(settings, where, lambda: supervisor.pids)
    tasks = (
        asyncio.create_task(greet(settings, where, running, tell)),
        asyncio.create_task(keep_edge(settings, where, tell, overseer.edge_is)),
        asyncio.create_task(replace_frozen(where, supervisor, settings.hotline.frozen_seconds, tell)),
        asyncio.create_task(overseer.run()),
        asyncio.create_task(tell_console(settings, where, tell)),
    )
    try:
        await supervisor.watch(tell, stop)
    finally:
        for task in tasks:
            task.cancel()
        tell(f"stopping: calls in progress may take up to {settings.hotline.drain_seconds:.0f} s; nothing new is taken")
        clean = await supervisor.stop()
        await asyncio.to_thread(clear_edge, settings, where)
        tell("stopped" if clean else "stopped by force: a part did not end by itself")
    return 0


def check_workers(settings: Settings) -> None:
    """Several workers share one address by the edge only. Raises SuperviseError."""
    if settings.hotline.workers > 1 and not behind_edge(settings):
        raise SuperviseError("several workers need the edge in front: set sip.edge = true, or hotline.workers = 1")


def check_outbound(settings: Settings, where: Places) -> None:
    """The edge lets calls out to trunks only. Raises SuperviseError, and EdgeError for a list that cannot be read."""
    for name, template in (("sip", settings.sip.outbound), ("masking", settings.masking.outbound)):
        if not template or not behind_edge(settings):
            continue
        place = template.rpartition("@")[2].partition(";")[0]
        known = {f"{one.host}:{one.port}" for one in load_trunks(where.trunks) if one.host}
        if (place if ":" in place else f"{place}:5060") not in known:
            raise SuperviseError(
                f"{name}.outbound leads to no trunk: name its host and port as `address` of a trunk in {where.trunks}"
            )


async def replace_frozen(where: Places, supervisor: Supervisor, seconds: float, tell: Tell) -> None:
    """Kill workers that give no sign of life, until cancelled: the supervisor starts them again, and another worker
    has their place at once."""
    frozen = Frozen(seconds)
    while True:
        for one in frozen.look(time.monotonic(), await asyncio.to_thread(signs.read_all, where.run)):
            if supervisor.kill(one.name, one.pid):
                signs.remove(where.run, one.name)
                tell(f"{one.name} gave no sign of life for {seconds:g} s and was killed")
        await asyncio.sleep(FROZEN_LOOK_SECONDS)


async def greet(settings: Settings, where: Places, running: Plan, tell: Tell) -> None:
    """Say what is ready, when it is."""
    worker = await _worker_ready(where.run)
    await await_edge(settings, where, worker.port)
    address = public_address(settings, worker)
    callers = worker.callers * settings.hotline.workers
    tell(f"taking calls: SIP on {address} (UDP and TCP), {callers} callers at once")
    tell(f"recognition: {worker.recogniser or 'none, callers are led by keys'}; pjsua2 {worker.pjsua2}")
    for line in softphone(where, address):
        tell(line)
    tell("the dialogue is loading; until then callers are led by the keypad menu")
    if await _answers(running.rasa.rasa_health):
        tell("ready: the dialogue answers")
    else:
        tell(f"the dialogue does not answer; callers are led by the keypad menu (log: {where.log}/rasa.log)")


def public_address(settings: Settings, worker: signs.Sign) -> str:
    """Where callers reach the hotline."""
    if not behind_edge(settings):
        return f"{worker.host}:{worker.port}"
    edge = described(settings, places(settings))
    return f"{edge.bind}:{edge.port}"


def softphone(where: Places, address: str) -> list[str]:
    """How to call, and how to be called."""
    return [
        f"to call: in a softphone on this machine, account without registration, then dial sip:hotline@{address}",
        f"to be an agent: let your softphone listen where {where.agents} says (for example 127.0.0.1:5071)",
    ]


async def _worker_ready(run: Path) -> signs.Sign:
    while not (found := signs.taking_calls(await asyncio.to_thread(signs.read_all, run))):  # noqa: ASYNC110
        await asyncio.sleep(0.2)  # another process writes it
    return found[0]


async def _answers(url: str) -> bool:
    deadline = time.monotonic() + BACK_SECONDS
    async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(url)).status_code == 200:
                    return True
            await asyncio.sleep(0.5)
    return False
