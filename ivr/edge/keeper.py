"""Keeps the running proxy in step: tells it workers, trunks, phones' passwords, and all of it again after a restart."""

import asyncio
import contextlib
import json
import logging
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ivr.edge import connections, phones
from ivr.edge.digest import PhoneKey
from ivr.edge.plan import Order, World, orders, way
from ivr.edge.render import Edge
from ivr.edge.rpc import EdgeError, EdgeRefused, Rpc
from ivr.edge.trunks import Trunk

log = logging.getLogger(__name__)

TICK_SECONDS = 0.25
SLOW_SECONDS = 2.0
"""Between two looks at passwords, phones and connections."""
NAMES_SECONDS = 60.0
"""Between two look-ups of agents' host names."""
_QUIET = -2
"""Log level without the proxy's errors: those can hold parts of strangers' messages."""
_CHANGES_APART = 0.1
"""Between two changes of the workers' list, which the proxy reads without a lock."""

Keys = Callable[[], Awaitable[Mapping[str, PhoneKey]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What does not change while the hotline runs."""

    peers: tuple[str, ...]
    """Networks that may call without registration."""
    trunks: tuple[Trunk, ...]
    """Carriers and PBXs."""
    desks: tuple[str, ...]
    """SIP addresses of agents' phones that do not register."""


class Keeper:
    """One proxy's memory."""

    def __init__(self, edge: Edge, known: Known, keys: Keys, tell: Callable[[str], None]) -> None:
        """`keys`: passwords of the agents whose phones may register; `tell`: for the operator."""
        self._edge = edge
        self._known = known
        self._keys = keys
        self._tell = tell
        self._rpc = Rpc(edge.socket)
        self._secret = secrets.token_hex(32)
        self._told: World | None = None
        self._phones: tuple[phones.Registered, ...] = ()
        self._doorman = connections.Doorman()
        self._found: Mapping[str, PhoneKey] = {}
        self._desks: dict[str, tuple[str, ...]] = {}
        self._slow_at = self._names_at = 0.0
        self.registered = 0

    async def run(self) -> None:
        """Until cancelled. A proxy that does not answer is starting or being restarted: it is asked again."""
        while True:
            try:
                await self.step()
            except EdgeError as error:
                self._told = None
                log.info("%s", error)
            await asyncio.sleep(TICK_SECONDS)

    async def step(self) -> None:
        """Bring the proxy up to date. Raises EdgeError."""
        now = time.monotonic()
        slow = now >= self._slow_at
        if slow:
            self._found = await self._keys()
        if now >= self._names_at:
            self._desks = await asyncio.to_thread(_addresses, self._known.desks)
            self._names_at = now + NAMES_SECONDS
        world = await self._world()
        if not await self._is_fed():
            await self._feed(world, now)
        elif self._told is None or world != self._told:
            await self._apply(orders(self._told, world), patient=True)
        self._told = world
        if slow:
            self._slow_at = now + SLOW_SECONDS
            await self._look_at_phones(now)
            await self._look_at_connections(now)

    async def _world(self) -> World:
        workers = await asyncio.to_thread(workers_in, self._edge.run)
        return World(
            inner=self._edge.inner,
            secret=self._secret,
            peers=self._known.peers,
            trunks=self._known.trunks,
            workers=workers,
            desks=self._desks,
            keys=self._found,
            md5=self._edge.md5,
        )

    async def _is_fed(self) -> bool:
        try:
            found = await self._rpc.call("htable.get", "edge", "fed")
        except EdgeRefused:
            return False
        mine = found.get("item", {}).get("value") == self._mark
        if not mine:
            raise EdgeError("the edge is kept by somebody else")
        return True

    @property
    def _mark(self) -> str:
        return self._secret[:8]

    async def _feed(self, world: World, now: float) -> None:
        """A fresh proxy."""
        with contextlib.suppress(EdgeRefused):
            await self._rpc.call("corex.debug", _QUIET)
        await self._apply(orders(None, world), patient=False)
        await self._apply(phones.restore(self._phones, now), patient=False)
        await self._rpc.call("htable.sets", "edge", "fed", self._mark)
        log.info("the edge knows %r", world)

    async def _apply(self, wanted: Iterable[Order], *, patient: bool) -> None:
        for method, parameters in wanted:
            try:
                await self._rpc.call(method, *parameters)
            except EdgeRefused as error:
                log.warning("%s", error)
            if patient and method in ("dispatcher.add", "dispatcher.remove"):
                await asyncio.sleep(_CHANGES_APART)

    async def _look_at_phones(self, now: float) -> None:
        found: list[phones.Registered] = []
        for agent in self._found:
            with contextlib.suppress(EdgeRefused):  # that is how it says that nothing is registered
                found += phones.read(agent, await self._rpc.call("ul.lookup", "location", agent), now)
        self._phones = tuple(found)
        agents = len({one.agent for one in found})
        if agents != self.registered:
            self.registered = agents
            self._tell(f"agents' phones registered: {agents} of {len(self._found)}")

    async def _look_at_connections(self, now: float) -> None:
        ports = {self._edge.port, self._edge.tls.port if self._edge.tls else 0}
        open_now = connections.read(await self._rpc.call("core.tcp_list"), frozenset(ports))
        if not open_now:
            return
        proven: set[int] = set()
        for one in open_now:
            with contextlib.suppress(EdgeRefused):
                await self._rpc.call("htable.get", "conns", str(one.id))
                proven.add(one.id)
        for number in self._doorman.to_close(open_now, frozenset(proven), now):
            await self._rpc.call("htable.seti", "close", str(number), 1)


def workers_in(run: Path) -> dict[int, bool]:
    """SIP port of every living worker that has one, and whether it takes new calls, from the workers' own files."""
    found: dict[int, bool] = {}
    for file in sorted(run.glob("worker-*.json")):
        said = _read(file)
        port, pid = said.get("port"), said.get("pid")
        if isinstance(port, int) and port and isinstance(pid, int) and _alive(pid):
            found[port] = not said.get("draining", False)
    return found


def _read(file: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        said = json.loads(file.read_text(encoding="utf-8"))
        return said if isinstance(said, dict) else {}
    return {}


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _addresses(desks: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """IP addresses of each phone's host; none where its name is not found, which is asked again later."""
    found: dict[str, tuple[str, ...]] = {}
    for address in desks:
        host = way(address)[0].rpartition(":")[0]
        try:
            rows = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_DGRAM)
        except OSError:
            rows = []
        found[address] = tuple(sorted({str(row[4][0]) for row in rows}))
    return found
