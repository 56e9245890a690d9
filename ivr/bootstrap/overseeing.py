"""What `up` itself shows to Prometheus: processes that were started again, callbacks owed, agents."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping

from config.settings import Settings
from ivr import signs
from ivr.bootstrap.places import Places
from ivr.edge.keeper import Keeper
from ivr.watch.metrics import Metrics
from records import database as records_database
from records.callbacks_sql import SqlCallbacks
from records.port import Callback, JournalUnavailable
from records.store import Store
from routing.agents import AgentsRefused, load_agents
from routing.port import Presence, PresenceUnavailable, Urgency
from routing.processes import redis_command
from routing.store import AgentStore

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""How often processes are looked at."""
ASK_EVERY = 5
"""Looks from one question to database and Redis to the next: ten seconds."""


class Overseer:
    """Fills the figures of `up`. Whatever cannot be asked keeps its last value, and is asked again."""

    def __init__(self, settings: Settings, where: Places, pids: Callable[[], Mapping[str, int]]) -> None:
        """`pids`: process ids of the parts by name."""
        self._settings = settings.metrics
        self._where = where
        self._pids = pids
        self._seen: dict[str, int] = {}
        self.metrics = Metrics("up")

    def edge_is(self, keeper: Keeper) -> None:
        """There is an edge, which knows the registered phones."""
        self.metrics.read("registered_phones", lambda: keeper.registered)

    async def run(self) -> None:
        """Show until cancelled; nothing where no port is set."""
        if not self._settings.port:
            return
        stop = self.metrics.serve(self._settings.bind, self._settings.port)
        agents = AgentStore(redis_command(self._where.run / "redis", self._where.run).url)
        store: Store | None = None
        looks = 0
        try:
            while True:
                self.look()
                if looks % ASK_EVERY == 0:
                    store = store or await self._open()
                    await self._ask(store, agents)
                looks += 1
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await agents.close()
            if store is not None:
                await asyncio.to_thread(store.close)
            if stop is not None:
                await asyncio.to_thread(stop)

    def look(self) -> None:
        """Count processes whose id has changed, and the workers that take calls."""
        for name, pid in self._pids().items():
            before = self._seen.get(name)
            if pid and before and pid != before:
                self.metrics.add("restarts", kind_of(name))
            if pid:
                self._seen[name] = pid
        self.metrics.put("workers", len(signs.taking_calls(signs.read_all(self._where.run))))

    async def _open(self) -> Store | None:
        try:
            return Store(await asyncio.to_thread(records_database.connect, self._where.database))
        except JournalUnavailable:
            return None

    async def _ask(self, store: Store | None, agents: AgentStore) -> None:
        try:
            if store is not None:
                self.owed(await SqlCallbacks(store).open(), time.time())
        except JournalUnavailable:
            log.debug("callbacks are not known now")
        try:
            await self._ask_agents(agents)
        except (PresenceUnavailable, AgentsRefused):
            log.debug("agents are not known now")

    def owed(self, callbacks: tuple[Callback, ...], now: float) -> None:
        """Callbacks that nobody has made."""
        counts = Counter(urgency_of(one.urgency) for one in callbacks)
        for urgency in ("normal", "urgent", "emergency"):
            self.metrics.put("callbacks_owed", counts[urgency], urgency)
        oldest = min((one.at for one in callbacks), default=now)
        self.metrics.put("callback_oldest_seconds", max(0.0, now - oldest))

    async def _ask_agents(self, store: AgentStore) -> None:
        roster = await asyncio.to_thread(load_agents, self._where.agents)
        said, holders = await store.look([one.id for one in roster.agents])
        known = {**roster.presence, **said}
        counts = Counter(
            "busy" if one.id in holders else known.get(one.id, Presence.AVAILABLE).value for one in roster.agents
        )
        for presence in ("available", "away", "busy"):
            self.metrics.put("agents", counts[presence], presence)


def kind_of(process: str) -> str:
    """The word for a process: all workers have one."""
    return "worker" if process.startswith("worker") else process


def urgency_of(number: int) -> str:
    """The word for an urgency."""
    return Urgency(number).name.lower() if number in set(Urgency) else "normal"
