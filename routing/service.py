"""Router and agent book over Redis, with the process's own reservations underneath: Redis may go at any moment."""

import asyncio
import logging
from contextlib import suppress

from routing.agents import Roster
from routing.port import Agent, Presence, PresenceUnavailable, RingStep, RouteRequest
from routing.rules import plan
from routing.store import AgentStore

log = logging.getLogger(__name__)


class RedisRouter:
    """Router for one worker among several.

    A reservation counts in this process at once and in Redis for all. `start` keeps this worker's reservations and its
    heartbeat fresh; when the worker dies, both end by themselves. When Redis comes back empty, the same refreshing
    writes the reservations again.
    """

    def __init__(self, roster: Roster, store: AgentStore, *, worker: str, refresh: float = 5.0) -> None:
        """`worker`: name of this process. `refresh`: seconds between heartbeats, well below the store's ttl."""
        self._roster = roster
        self._ids = tuple(agent.id for agent in roster.agents)
        self._store = store
        self._worker = worker
        self._mark = f"@{worker}"
        self._refresh = refresh
        self._held: dict[str, str] = {}
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to beat; needs the running loop. What an earlier process of the same name held when it died is given
        back first: its callers are gone, and the next one must not find everybody taken."""
        await self._release_orphans()
        self._task = asyncio.create_task(self._keep_fresh(), name="routing-refresh")

    async def give_back(self, worker: str) -> None:
        """Release the agents whom another worker held when it died; never raises."""
        await self._release_all(f"@{worker}")

    async def _release_orphans(self) -> None:
        await self._release_all(self._mark)

    async def _release_all(self, mark: str) -> None:
        try:
            _, holders = await self._store.look(self._ids)
            for agent, holder in holders.items():
                if holder.endswith(mark):
                    await self._store.release(agent, holder)
        except PresenceUnavailable:
            log.debug("no reservations are known")

    async def close(self) -> None:
        """Stop beating, give back what is held, close the store; never raises."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.wait({self._task})
        for agent, call in tuple(self._held.items()):
            await self.free(agent, call)
        await self._store.close()

    async def plan(self, request: RouteRequest) -> tuple[RingStep, ...]:
        """The steps to try. Without Redis everybody counts as available but those this process has in a call."""
        presence: dict[str, Presence] = {}
        holders: dict[str, str] = {}
        try:
            said, holders = await self._store.look(self._ids)
            presence = {**self._roster.presence, **said}
        except PresenceUnavailable:
            log.debug("planning without presence")
        away = {agent for agent, known in presence.items() if known is Presence.AWAY}
        calls = {agent: _call(holder) for agent, holder in holders.items()}
        held = {agent for agent, call in (calls | self._held).items() if call != request.call}
        return plan(self._roster.agents, request, away=away, held=held)

    async def busy(self, agent: str, call: str) -> bool:
        """Reserve an agent for a call; False where another call has him. Never raises."""
        known = self._held.get(agent)
        if known is not None and known != call:
            return False
        self._held[agent] = call  # before the first await: two calls of this process cannot both get here
        try:
            if not await self._store.claim(agent, call + self._mark):
                self._forget(agent, call)
                return False
        except PresenceUnavailable:
            log.debug("reserved in this process only")
        except asyncio.CancelledError:
            self._forget(agent, call)
            raise
        return True

    async def free(self, agent: str, call: str) -> None:
        """Release the agent from this call; twice does nothing. Never raises: what Redis misses ends by itself."""
        self._forget(agent, call)
        try:
            await self._store.release(agent, call + self._mark)
        except PresenceUnavailable:
            log.debug("released in this process only")

    def _forget(self, agent: str, call: str) -> None:
        if self._held.get(agent) == call:
            del self._held[agent]

    async def _keep_fresh(self) -> None:
        while not self._stopping.is_set():
            await self._refresh_once()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._refresh):
                    await self._stopping.wait()

    async def _refresh_once(self) -> None:
        try:
            await self._store.beat(self._worker)
            for agent, call in tuple(self._held.items()):
                fresh = await self._store.claim(agent, call + self._mark)
                if self._held.get(agent) != call:  # freed meanwhile: what was just written must not stay
                    await self._store.release(agent, call + self._mark)
                elif not fresh:
                    log.warning("agent %s is held by two calls: redis was away when one of them began", agent)
        except PresenceUnavailable:
            log.debug("no heartbeat this time")


def _call(holder: str) -> str:
    """The call in a reservation, "<call>@<worker>"."""
    return holder.rpartition("@")[0] or holder


class RedisBook:
    """AgentBook over the same store."""

    def __init__(self, roster: Roster, store: AgentStore) -> None:
        self._roster = roster
        self._store = store

    async def list(self) -> tuple[tuple[Agent, Presence, str], ...]:
        """Each agent with presence and holder; without Redis everybody is shown as available and free."""
        presence: dict[str, Presence] = {}
        holders: dict[str, str] = {}
        try:
            said, holders = await self._store.look(tuple(agent.id for agent in self._roster.agents))
            presence = {**self._roster.presence, **said}
        except PresenceUnavailable:
            log.warning("agents are listed without presence: redis does not answer")
        return tuple(
            (agent, presence.get(agent.id, Presence.AVAILABLE), _call(holders.get(agent.id, "")))
            for agent in self._roster.agents
        )

    async def set(self, agent: str, presence: Presence) -> None:
        """Change presence. Raises KeyError for an unknown agent, PresenceUnavailable without Redis."""
        if all(one.id != agent for one in self._roster.agents):
            raise KeyError("no such agent")
        await self._store.set_presence(agent, presence)
