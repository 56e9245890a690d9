"""What the running proxy must know, as tables, and the orders that bring it there. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ivr.edge.digest import PhoneKey
from ivr.edge.rpc import Parameter
from ivr.edge.trunks import Trunk

Order: TypeAlias = tuple[str, tuple[Parameter, ...]]
"""A method of the proxy and its parameters."""
Tables: TypeAlias = Mapping[str, Mapping[str, Parameter]]

GROUP = 1
"""The dispatcher's set of workers."""
_URI = re.compile(r"(?P<scheme>sips?):(?:[^@]*@)?(?P<host>[^:;@\[\]]+|\[[^\]]*\])(?::(?P<port>\d+))?(?:;.*)?", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the proxy must know."""

    inner: int
    """Port on 127.0.0.1 through which workers are reached."""
    secret: str
    """Key of the nonces; lives as long as the hotline."""
    peers: tuple[str, ...] = ()
    """Networks that may call without registration."""
    trunks: tuple[Trunk, ...] = ()
    """Carriers and PBXs."""
    workers: Mapping[int, bool] = field(default_factory=dict)
    """SIP port on 127.0.0.1 of every worker, and whether it takes new calls."""
    desks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """SIP address of every agent's phone that does not register, with the IP addresses that its host has."""
    keys: Mapping[str, PhoneKey] = field(default_factory=dict)
    """By agent, for phones that register."""
    md5: bool = True
    """Whether MD5 is taken."""

    def __repr__(self) -> str:
        return f"World({len(self.workers)} workers, {len(self.trunks)} trunks, {len(self.keys)} phones)"


def way(address: str) -> tuple[str, str]:
    """The key under which the proxy looks an address up, and where it sends then. Raises ValueError."""
    found = _URI.fullmatch(address)
    if found is None:
        raise ValueError("not a SIP address")
    secure = found["scheme"].lower() == "sips"
    port = int(found["port"] or (5061 if secure else 5060))
    return _way(found["host"], port, tls=secure)


def _way(host: str, port: int, *, tls: bool) -> tuple[str, str]:
    return f"{host.lower()}:{port}", f"sip:{host.lower()}:{port};transport={'tls' if tls else 'udp'}"


def tables(world: World) -> Tables:
    """All tables but the list of workers that are asked in turn. What is said of trunks is numbered."""
    trunks: dict[str, Parameter] = {}
    ways = dict(way(address) for address in world.desks)
    names: dict[str, Parameter] = {}
    for number, trunk in enumerate(world.trunks):
        trunks |= {
            f"{number}:net": ",".join(trunk.networks),
            f"{number}:id": trunk.id,
            f"{number}:calls": trunk.calls,
            f"{number}:tls": int(trunk.tls),
            f"{number}:trust": int(trunk.trust_identity),
            f"{number}:texts": int(trunk.texts),
        }
        if trunk.host:
            key, target = _way(trunk.host, trunk.port, tls=trunk.tls)
            ways[key] = target
            names[f"way:{key}"] = 1
    kinds = ("sha256", "md5") if world.md5 else ("sha256",)
    users = {f"{kind}:{agent}": getattr(key, kind) for agent, key in world.keys.items() for kind in kinds}
    return {
        "workers": {f"127.0.0.1:{port}": 1 for port in world.workers},
        "desks": {address: 1 for addresses in world.desks.values() for address in addresses},
        "ways": ways,
        "users": users,
        "trunks": {**trunks, **names, "count": len(world.trunks)},
        "edge": {"secret": world.secret, "peers": ",".join(world.peers) or "-"},
    }


def orders(before: World | None, after: World) -> tuple[Order, ...]:
    """What leads from one world to the next; from nothing where `before` is None. Workers come first: whoever is let
    in finds somebody who takes the call."""
    old = tables(before) if before else {}
    new = tables(after)
    changes = [*_workers(before.workers if before else {}, after)]
    for name, rows in new.items():
        changes += _rows(name, old.get(name, {}), rows)
    return tuple(changes)


def _rows(name: str, old: Mapping[str, Parameter], new: Mapping[str, Parameter]) -> Iterable[Order]:
    for key, value in new.items():
        if old.get(key) != value:
            yield ("htable.seti" if isinstance(value, int) else "htable.sets", (name, key, value))
    for key in old.keys() - new.keys():
        yield "htable.delete", (name, key)


def _workers(old: Mapping[int, bool], after: World) -> Iterable[Order]:
    for port in old.keys() - after.workers.keys():
        yield "dispatcher.set_state", ("dx", GROUP, _worker(port))
    for port, active in after.workers.items():
        if port not in old:
            yield "dispatcher.add", (GROUP, _worker(port), 0, 0, f"socket=udp:127.0.0.1:{after.inner}")
        if old.get(port, True) != active:
            yield "dispatcher.set_state", ("ax" if active else "dx", GROUP, _worker(port))
    for port in old.keys() - after.workers.keys():
        yield "dispatcher.remove", (GROUP, _worker(port))


def _worker(port: int) -> str:
    return f"sip:127.0.0.1:{port}"
