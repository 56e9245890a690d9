"""What proves the passwords of agents' phones, sealed, in SQL."""

import json
import time
from collections.abc import Callable, Mapping

from sqlalchemy import Connection, delete, insert, select

from records.keys import KeyRing
from records.port import PhoneSecret
from records.schema import phones
from records.store import Store


class SqlPhones:
    """Phones' secrets over SQLite or PostgreSQL, in the journal's database."""

    def __init__(self, store: Store, keys: KeyRing, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._sealer = keys.sealer("agents' phones")
        self._clock = clock

    async def keep(self, secret: PhoneSecret) -> None:
        """Write it down, instead of the one before. Raises JournalUnavailable."""
        clear = json.dumps({"sha256": secret.sha256, "md5": secret.md5}).encode()
        row = {"agent": secret.agent, "sealed": self._sealer.seal(clear, secret.agent.encode()), "at": self._clock()}
        await self._store.write(lambda db: _keep(db, row))

    async def remove(self, agent: str) -> None:
        """Forget it. Raises KeyError, JournalUnavailable."""
        forget = delete(phones).where(phones.c.agent == agent)
        if await self._store.write(lambda db: db.execute(forget).rowcount) == 0:
            raise KeyError("this agent has no password")

    async def all(self) -> tuple[PhoneSecret, ...]:
        """Every agent's. Raises JournalUnavailable, NotAuthentic."""
        query = select(phones.c.agent, phones.c.sealed).order_by(phones.c.agent)
        rows = await self._store.read(lambda db: db.execute(query).all())
        return tuple(self._open(agent, sealed) for agent, sealed in rows)

    def _open(self, agent: str, sealed: bytes) -> PhoneSecret:
        found = json.loads(self._sealer.open(sealed, agent.encode()))
        return PhoneSecret(agent=agent, sha256=found["sha256"], md5=found["md5"])


def _keep(db: Connection, row: Mapping[str, object]) -> None:
    db.execute(delete(phones).where(phones.c.agent == row["agent"]))
    db.execute(insert(phones).values(row))
