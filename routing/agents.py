"""The roster of agents, read from a TOML file with errors that name the file, the agent and the field."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from routing.port import Agent, Presence

FIELDS = frozenset({"id", "address", "languages", "skills", "on_call", "presence"})
_ID = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_HOST = r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])"
_ADDRESS = re.compile(rf"sips?:[A-Za-z0-9_.!~*'()+&=$,%-]{{1,64}}@{_HOST}(?::\d{{1,5}})?")
_LANGUAGE = re.compile(r"[a-z]{2}")
_SKILL = re.compile(r"[a-z][a-z0-9_]{0,31}")


class AgentsRefused(Exception):
    """The roster cannot be used: one sentence naming file, agent and field, without the field's value (an address may
    be a private number)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Who could take calls."""

    agents: tuple[Agent, ...]
    """In the file's order, which decides among equals."""
    presence: Mapping[str, Presence]
    """Presence by agent id until the agent says otherwise."""


def load_agents(path: Path) -> Roster:
    """Read the roster. Raises AgentsRefused."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AgentsRefused(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AgentsRefused(f"{path}: is not a TOML file: {error}") from error
    return read_roster(content, str(path))


def read_roster(content: Mapping[str, Any], origin: str) -> Roster:
    """The roster from parsed TOML. Raises AgentsRefused."""
    tables = content.get("agent", [])
    extra = sorted(set(content) - {"agent"})
    if extra:
        raise AgentsRefused(f"{origin}: {extra[0]}: is not a known table; agents are written [[agent]]")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise AgentsRefused(f"{origin}: agent: must be written [[agent]], with two brackets")
    agents: list[Agent] = []
    presence: dict[str, Presence] = {}
    for number, table in enumerate(tables, 1):
        reader = _Reader(origin=origin, number=number, table=table)
        agent = _agent(reader)
        for field, taken in (("id", {one.id for one in agents}), ("address", {one.address for one in agents} - {""})):
            if getattr(agent, field) in taken:
                raise reader.refused(field, "is used by another agent already")
        agents.append(agent)
        presence[agent.id] = reader.presence()
    return Roster(agents=tuple(agents), presence=presence)


def reachable(roster: Roster, registrar: str | None) -> Roster:
    """The same agents, those whose phones register being called at the registrar ("host:port"); None where there is
    none. Raises AgentsRefused."""
    lost = next((one.id for one in roster.agents if not one.address), None)
    if lost is not None and registrar is None:
        raise AgentsRefused(f'agent "{lost}" has no address: give one, or set sip.edge = true and the phone registers')
    agents = tuple(replace(one, address=one.address or f"sip:{one.id}@{registrar}") for one in roster.agents)
    return replace(roster, agents=agents)


def _agent(reader: "_Reader") -> Agent:
    reader.known()
    return Agent(
        id=reader.text("id", _ID, "small letters, digits, - and _, starting with a letter"),
        address=reader.text("address", _ADDRESS, "a SIP address such as sip:nurse1@192.0.2.7:5060", or_else=""),
        languages=reader.words("languages", ("en",), _LANGUAGE, 'language codes such as ["en", "de"]') or ("en",),
        skills=reader.words("skills", (), _SKILL, 'departments such as ["dermatology"]'),
        on_call=reader.flag("on_call"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Takes one agent's fields out of its table."""

    origin: str
    number: int
    table: Mapping[str, Any]

    def refused(self, field: str, why: str) -> AgentsRefused:
        """The error for a field."""
        name = self.table.get("id")
        named = f' "{name}"' if isinstance(name, str) and _ID.fullmatch(name) else ""
        return AgentsRefused(f"{self.origin}: agent {self.number}{named}: {field}: {why}")

    def known(self) -> None:
        for field in sorted(set(self.table) - FIELDS):
            raise self.refused(field, f"is not a known field; known are {', '.join(sorted(FIELDS))}")

    def text(self, field: str, shape: "re.Pattern[str]", hint: str, or_else: str | None = None) -> str:
        value = self.table.get(field)
        if value is None and or_else is not None:
            return or_else
        if value is None:
            raise self.refused(field, "is missing")
        if not isinstance(value, str) or not shape.fullmatch(value):
            raise self.refused(field, f"must be {hint}")
        return value

    def words(self, field: str, default: tuple[str, ...], shape: "re.Pattern[str]", hint: str) -> tuple[str, ...]:
        value = self.table.get(field, list(default))
        if not isinstance(value, list) or not all(isinstance(one, str) and shape.fullmatch(one) for one in value):
            raise self.refused(field, f"must be a list of {hint}")
        return tuple(value)

    def flag(self, field: str) -> bool:
        value = self.table.get(field, False)
        if not isinstance(value, bool):
            raise self.refused(field, "must be true or false")
        return value

    def presence(self) -> Presence:
        value = self.table.get("presence", Presence.AVAILABLE.value)
        if value not in list(Presence):
            raise self.refused("presence", 'must be "available" or "away"')
        return Presence(value)
