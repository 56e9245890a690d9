"""Diary, hooks and deliverers on one database, for tests."""

import asyncio
import json
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from masking.database import prepare
from masking.deliverer import Deliverer
from masking.diary_sql import SqlDiary
from masking.hooks_sql import SqlDeliveries, SqlHooks
from masking.ledger import Ledger
from masking.outbox import Outbox
from masking.port import Alert, Delivery, DeliveryState, Event, Happened, Hook
from masking.poster import Poster
from records.database import connect
from records.keys import KeyRing
from tests.contract.desk_rigs import Clock
from tests.postgres import Postgres
from tests.unit.masking.receiver import Receiver

RING = KeyRing({1: b"k" * 32})
HERE = ("127.0.0.0/8",)
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody: loading the machine's authorities takes longer than all the rest."""


@dataclass(slots=True, kw_only=True)
class Rig:
    """Everything of one database."""

    ledger: Ledger
    diary: SqlDiary
    hooks: SqlHooks
    clock: Clock
    alerts: list[Alert] = field(default_factory=list)
    patience: float = 5.0

    def tell(self, *kinds: Happened, binding: str = "binding-a", owner: str = "hotline") -> None:
        """Events at the present time."""

        async def run() -> None:
            for kind in kinds or (Happened.CALL_STARTED,):
                event = Event(kind=kind, owner=owner, binding=binding, at=self.clock.now, data={"call": "call-x"})
                await self.diary.tell(event)

        asyncio.run(run())

    def add(self, url: str, *kinds: Happened, owner: str = "hotline") -> tuple[Hook, str]:
        """A hook."""
        return asyncio.run(self.hooks.add(owner, url, kinds=kinds))

    def deliver(self, taker: str = "one", rounds: int = 1) -> int:
        """What is due, by one process; how many were tried."""

        async def run() -> int:
            poster = Poster(networks=HERE, context=PLAIN)
            outbox = Outbox(self.ledger, self.hooks, taker=taker, jitter=lambda: 0.5, alert=self.alerts.append)
            deliverer = Deliverer(self.diary, outbox, poster, clock=self.clock, patience=self.patience)
            try:
                return sum([await deliverer.once() for _ in range(rounds)])
            finally:
                await poster.close()

        return asyncio.run(run())

    def states(self, hook: Hook) -> list[tuple[int, str, int, str]]:
        """Order, state, tries and last answer of a hook's deliveries."""
        found = asyncio.run(self.list(hook))
        return [(one.order, str(one.state), one.tries, one.last) for one in reversed(found)]

    def due(self, hook: Hook) -> float:
        """When the first that is not told is tried next."""
        return min(one.due for one in asyncio.run(self.list(hook)) if one.state == DeliveryState.WAITING)

    async def list(self, hook: Hook) -> Sequence[Delivery]:
        """A hook's deliveries."""
        return await self._deliveries.list(hook.id, hook.owner)

    def retry(self, hook: Hook, event: str = "") -> int:
        """Try again what was given up."""
        return asyncio.run(self._deliveries.retry(hook.id, hook.owner, event))

    @property
    def _deliveries(self) -> SqlDeliveries:
        return SqlDeliveries(self.ledger, self.hooks, Poster(context=PLAIN))


@contextmanager
def rig(kind: str, folder: Path, postgres: Postgres) -> Iterator[Rig]:
    """On "sqlite" or "postgresql"."""
    engine: Engine = prepare(connect(f"sqlite:///{folder}/masking.db")) if kind == "sqlite" else postgres.engine()
    clock = Clock()
    ledger = Ledger(engine, patience=60, clock=clock)
    yield Rig(ledger=ledger, diary=SqlDiary(ledger), hooks=SqlHooks(ledger, RING.sealer("masking hooks")), clock=clock)
    ledger.close()


def told(server: Receiver) -> list[tuple[str, int]]:
    """Kind and order of what came."""
    return [(said["kind"], said["order"]) for said in bodies(server)]


def bodies(server: Receiver) -> list[dict[str, Any]]:
    """What came."""
    return [json.loads(got.body) for got in server.got]
