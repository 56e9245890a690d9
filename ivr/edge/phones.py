"""Registered phones as the proxy lists them, and how they are told to it again after a restart. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ivr.edge.plan import Order

_RECEIVED = re.compile(r"sips?:(?P<host>[0-9.]+)(?::(?P<port>[0-9]+))?(?:;transport=(?P<kind>[a-z]+))?", re.I)
_LEAST_SECONDS = 2
NAT = 1 << 6
"""Flag of a phone behind a NAT; the rules set it by its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """One phone of one agent."""

    agent: str
    """The agent."""
    contact: str
    """What it gave as its address."""
    received: str
    """Where it really is, as a SIP address."""
    socket: str
    """Our side of its flow."""
    methods: int
    """Methods that it takes, as the proxy counts them."""
    flags: int
    """What the proxy noted of it; see NAT."""
    until: float
    """Monotonic time at which it ends."""

    def __repr__(self) -> str:
        return f"Registered({self.agent})"

    @property
    def flow(self) -> str:
        """Transport, address and port, as the proxy names a phone that calls."""
        found = _RECEIVED.fullmatch(self.received)
        return f"{(found['kind'] or 'udp').lower()}:{found['host']}:{found['port'] or 5060}" if found else ""


def read(agent: str, listed: Any, now: float) -> tuple[Registered, ...]:
    """The phones in an answer to ul.lookup; what has another shape is left out."""
    found = []
    for entry in listed.get("Contacts", ()) if isinstance(listed, Mapping) else ():
        one = entry.get("Contact", {})
        seconds = one.get("Expires")
        if isinstance(seconds, int) and seconds > 0:
            phone = Registered(
                agent=agent,
                contact=str(one.get("Address", "")),
                received=str(one.get("Received", "")),
                socket=str(one.get("Socket", "")),
                methods=int(one.get("Methods", 0)),
                flags=int(one.get("CFlags", 0)),
                until=now + seconds,
            )
            found.append(phone)
    return tuple(found)


def restore(phones: Iterable[Registered], now: float) -> tuple[Order, ...]:
    """What makes a fresh proxy know these phones. A connection (TCP, TLS) died with the old one, so only phones that
    are reached by UDP are of use."""
    orders: list[Order] = []
    for one in phones:
        seconds = int(one.until - now)
        if seconds < _LEAST_SECONDS or not one.flow.startswith("udp:"):
            continue
        place = one.flow.split(":")[1]
        orders += [
            ("ul.add", ("location", one.agent, one.contact, seconds, "1.0", ".", 0, one.flags, one.methods,
                        one.received, one.socket)),
            ("htable.sets", ("phones", one.flow, one.agent)),
            ("htable.seti", ("homes", place, 1)),
            ("htable.seti", ("homes", f"{one.agent}::{place}", 1)),
        ]  # fmt: skip
        if one.flags & NAT:
            orders.append(("htable.seti", ("nats", one.flow, 1)))
    return tuple(orders)
