"""Which TCP connections of strangers are closed. Pure.

A request that comes a byte at a time never reaches the proxy's rules, and the proxy gives it all the time it wants.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

PROVE_SECONDS = 8.0
"""Time in which a connection must bring a request of somebody who is known."""
MOST_UNPROVEN = 20
"""Connections of one address that may be waiting for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """An accepted connection."""

    id: int
    """The proxy's number of it."""
    source: str
    """Address of the other side."""


def read(listed: Any, ports: frozenset[int]) -> tuple[Connection, ...]:
    """Connections in an answer to core.tcp_list that others made to these ports of ours."""
    rows = listed if isinstance(listed, list) else ()
    return tuple(
        Connection(id=int(row["id"]), source=str(row["src_ip"]))
        for row in rows
        if isinstance(row, Mapping) and row.get("dst_port") in ports
    )


class Doorman:
    """Remembers when each connection was seen first."""

    def __init__(self) -> None:
        self._since: dict[int, float] = {}

    def to_close(self, open_now: Iterable[Connection], proven: frozenset[int], now: float) -> tuple[int, ...]:
        """Those that had their time, and those that are too many of one address, the oldest first to go."""
        unproven = sorted((one for one in open_now if one.id not in proven), key=lambda one: one.id)
        self._since = {one.id: self._since.get(one.id, now) for one in unproven}
        left = Counter(one.source for one in unproven)
        closed = []
        for one in unproven:
            if left[one.source] > MOST_UNPROVEN or now - self._since[one.id] >= PROVE_SECONDS:
                left[one.source] -= 1
                closed.append(one.id)
        return tuple(closed)
