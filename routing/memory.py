"""Router and book in memory: the dull second implementation, for tests and for one process without Redis."""

from routing.agents import Roster
from routing.port import Agent, Presence, RingStep, RouteRequest
from routing.rules import plan


class StaticRouter:
    """Router and AgentBook over dictionaries of this process."""

    def __init__(self, roster: Roster) -> None:
        self._agents = roster.agents
        self._presence = dict(roster.presence)
        self._holders: dict[str, str] = {}

    async def plan(self, request: RouteRequest) -> tuple[RingStep, ...]:
        """The steps to try; never raises."""
        away = {agent for agent, presence in self._presence.items() if presence is Presence.AWAY}
        held = {agent for agent, call in self._holders.items() if call != request.call}
        return plan(self._agents, request, away=away, held=held)

    async def busy(self, agent: str, call: str) -> bool:
        """Reserve an agent; again for the same call is fine."""
        return self._holders.setdefault(agent, call) == call

    async def free(self, agent: str, call: str) -> None:
        """Release the agent from this call."""
        if self._holders.get(agent) == call:
            del self._holders[agent]

    async def list(self) -> tuple[tuple[Agent, Presence, str], ...]:
        """Each agent with presence and holder."""
        return tuple(
            (agent, self._presence.get(agent.id, Presence.AVAILABLE), self._holders.get(agent.id, ""))
            for agent in self._agents
        )

    async def set(self, agent: str, presence: Presence) -> None:
        """Change presence. Raises KeyError."""
        if all(one.id != agent for one in self._agents):
            raise KeyError("no such agent")
        self._presence[agent] = presence
