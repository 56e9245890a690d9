"""The door of `routing`: a request for a human in, the order in which phones ring out."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Protocol


class Urgency(IntEnum):
    """How soon a human is needed; higher goes first."""

    NORMAL = 0
    URGENT = 1
    EMERGENCY = 2


class Presence(StrEnum):
    """What an agent says of himself."""

    AVAILABLE = "available"
    AWAY = "away"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A human with a SIP phone."""

    id: str
    """Stable short name from agents.toml, for example "nurse-1"."""
    address: str = ""
    """SIP address of the phone, for example "sip:nurse1@127.0.0.1:5071"; empty in the roster where it registers."""
    languages: tuple[str, ...] = ("en",)
    """Languages spoken, ISO 639-1."""
    skills: tuple[str, ...] = ()
    """Departments the agent knows; empty means any."""
    on_call: bool = False
    """The last resort: rung when the whole group did not answer, whatever the presence says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRequest:
    """A caller needs a human."""

    call: str
    """Id of the call."""
    urgency: Urgency
    """How soon."""
    language: str = "en"
    """ISO 639-1 code of the caller's language."""
    department: str = ""
    """Department wanted; empty for any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RingStep:
    """Phones that ring together, and for how long."""

    agents: tuple[Agent, ...]
    """At least one."""
    seconds: float
    """How long they ring before the next step."""
    name: str
    """"agent", "group" or "on_call"."""


class Router(Protocol):
    """Chooses who is asked, in which order."""

    async def plan(self, request: RouteRequest) -> tuple[RingStep, ...]:
        """The steps to try; empty where nobody exists at all. Never raises: with presence unknown everybody counts
        as available."""
        ...

    async def busy(self, agent: str, call: str) -> bool:
        """Reserve an agent for a call; False where another call has him."""
        ...

    async def free(self, agent: str, call: str) -> None:
        """Release the agent from this call; releasing twice does nothing."""
        ...


class AgentBook(Protocol):
    """Agents and their presence, for the command line and later the desk."""

    async def list(self) -> tuple[tuple[Agent, Presence, str], ...]:
        """Each agent with presence and the id of the call that holds him ("" for none)."""
        ...

    async def set(self, agent: str, presence: Presence) -> None:
        """Change presence. Raises KeyError for an unknown agent, PresenceUnavailable without Redis."""
        ...


class PresenceUnavailable(Exception):
    """The presence store cannot be reached."""
