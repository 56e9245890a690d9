"""The list of trunks, read from a TOML file with errors that name the file, the trunk and the field."""

import ipaddress
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ivr.edge.rpc import EdgeError

FIELDS = frozenset({"id", "networks", "address", "calls", "tls", "user", "password", "trust_identity", "texts"})
MOST_CALLS = 10_000
_ID = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_USER = re.compile(r"[A-Za-z0-9+_.-]{1,64}")
_SECRET = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:/.+")
_ADDRESS = re.compile(r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}))(?::(?P<port>[0-9]{1,5}))?")


class TrunksRefused(EdgeError):
    """The list cannot be used: one sentence naming file, trunk and field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """A carrier or a PBX that may call without registration."""

    id: str
    """Short name."""
    networks: tuple[str, ...]
    """Where its calls come from, CIDR."""
    host: str = ""
    """Where calls to it go; empty where none do."""
    port: int = 5060
    """Its SIP port."""
    calls: int = 100
    """Calls at once that it may place."""
    tls: bool = False
    """Whether it is spoken to by TLS only, both ways."""
    trust_identity: bool = False
    """Whether its P-Asserted-Identity says whose number it is; else only From does."""
    texts: bool = False
    """Whether it brings texts (SIP MESSAGE)."""
    user: str = ""
    """Account name where it wants us to register; empty where it does not."""
    password: str = ""
    """Where the account's password is: "env:NAME" or "file:/path"."""


def load_trunks(path: Path) -> tuple[Trunk, ...]:
    """Read the list; no file means no trunk. Raises TrunksRefused."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise TrunksRefused(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TrunksRefused(f"{path}: is not a TOML file: {error}") from error
    return read_trunks(content, str(path))


def read_trunks(content: Mapping[str, Any], origin: str) -> tuple[Trunk, ...]:
    """The trunks from parsed TOML. Raises TrunksRefused."""
    for table in sorted(set(content) - {"trunk"}):
        raise TrunksRefused(f"{origin}: {table}: is not a known table; trunks are written [[trunk]]")
    tables = content.get("trunk", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise TrunksRefused(f"{origin}: trunk: must be written [[trunk]], with two brackets")
    trunks: list[Trunk] = []
    for number, table in enumerate(tables, 1):
        reader = _Reader(f"{origin}: trunk {number}", table)
        trunk = reader.trunk()
        if trunk.id in {one.id for one in trunks}:
            raise reader.refused("id", "is used by another trunk already")
        trunks.append(trunk)
    return tuple(trunks)


def network(text: str) -> str:
    """A network or address as IPv4 CIDR. Raises ValueError."""
    return str(ipaddress.IPv4Network(text, strict=False))


class _Reader:
    """Takes one trunk's fields out of its table."""

    def __init__(self, origin: str, table: Mapping[str, Any]) -> None:
        self._origin = origin
        self._table = table

    def refused(self, field: str, why: str) -> TrunksRefused:
        """The error for a field."""
        name = self._table.get("id")
        named = f' "{name}"' if isinstance(name, str) and _ID.fullmatch(name) else ""
        return TrunksRefused(f"{self._origin}{named}: {field}: {why}")

    def trunk(self) -> Trunk:
        """All fields."""
        for field in sorted(set(self._table) - FIELDS):
            raise self.refused(field, f"is not a known field; known are {', '.join(sorted(FIELDS))}")
        tls, trust = self._flag("tls"), self._flag("trust_identity")
        name = self._table.get("id")
        if not isinstance(name, str) or not _ID.fullmatch(name):
            raise self.refused("id", "must be small letters, digits, - and _, starting with a letter")
        host, port = self._place(5061 if tls else 5060)
        user, password = self._account(host)
        return Trunk(
            id=name, networks=self._networks(), host=host, port=port, calls=self._calls(), tls=tls,
            user=user, password=password, trust_identity=trust, texts=self._flag("texts"),
        )  # fmt: skip

    def _flag(self, field: str) -> bool:
        value = self._table.get(field, False)
        if not isinstance(value, bool):
            raise self.refused(field, "must be true or false")
        return value

    def _account(self, host: str) -> tuple[str, str]:
        user, password = self._table.get("user", ""), self._table.get("password", "")
        if user == "" and password == "":
            return "", ""
        if not isinstance(user, str) or not _USER.fullmatch(user):
            raise self.refused("user", "must be the account's name: letters, digits and + - _ .")
        if not isinstance(password, str) or not _SECRET.fullmatch(password):
            raise self.refused("password", 'must say where it is: "env:NAME" or "file:/path"')
        if not host:
            raise self.refused("address", "is needed to register there")
        return user, password

    def _networks(self) -> tuple[str, ...]:
        value = self._table.get("networks")
        if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
            raise self.refused("networks", 'must be a list of networks such as ["192.0.2.0/28"]')
        try:
            found = tuple(network(one) for one in value)
        except ValueError:
            raise self.refused("networks", 'holds something that is no IPv4 network such as "192.0.2.0/28"') from None
        if any(one.endswith("/0") for one in found):
            raise self.refused("networks", "must not be the whole internet: name the trunk's own addresses")
        return found

    def _place(self, usual: int) -> tuple[str, int]:
        value = self._table.get("address", "")
        if value == "":
            return "", usual
        found = _ADDRESS.fullmatch(value) if isinstance(value, str) else None
        if found is None or not 0 < int(found["port"] or usual) < 65536:
            raise self.refused("address", "must be a host with an optional port, such as trunk.example:5060")
        return found["host"].lower(), int(found["port"] or usual)

    def _calls(self) -> int:
        value = self._table.get("calls", 100)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MOST_CALLS:
            raise self.refused("calls", f"must be a number from 1 to {MOST_CALLS}")
        return value
