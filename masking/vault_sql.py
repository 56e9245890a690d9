"""The vault in SQL: real numbers sealed at rest, found by a keyed hash, revealed only after an audit entry."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from masking.numbers import normalise
from masking.parties import random_id, withheld
from masking.port import MaskingUnavailable, Party, PhoneNumber, Sealer
from masking.redact import redact
from masking.schema import parties, reveals

T = TypeVar("T")
TAG = b"number"


class SqlVault:
    """Masking over SQLite or PostgreSQL."""

    def __init__(
        self,
        engine: Engine,
        sealer: Sealer,
        *,
        shown: str = "triage",
        region: str = "US",
        patience: float = 2.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`engine`: prepared by `masking.database.prepare`, with statement values hidden from error texts. `shown`:
        user part that agents' phones show. `region`: country of numbers without a country code (ISO 3166).
        `patience`: seconds before MaskingUnavailable. `clock`: seconds since the epoch."""
        self._engine = engine
        self._sealer = sealer
        self._shown = shown
        self._region = region
        self._patience = patience
        self._clock = clock
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="vault")

    async def party(self, caller: PhoneNumber | None) -> Party:
        """The party of a caller's number; a new one is durable on return. Raises MaskingUnavailable."""
        number = normalise(caller.reveal(), self._region) if caller else None
        if number is None:
            return withheld()
        return await self._run(lambda: self._find(number) or self._keep(number))

    def shown_to_agent(self) -> str:
        """User part of the SIP From that an agent's phone shows."""
        return self._shown

    async def reveal(self, party: str, *, reason: str, actor: str) -> PhoneNumber:
        """The real number; the audit entry is durable before it is even decrypted. Raises KeyError, MaskingUnavailable,
        and ValueError without a reason or an actor."""
        if not reason.strip() or not actor.strip():
            raise ValueError("a number is revealed to somebody for a reason")
        return await self._run(lambda: self._reveal(party, reason, actor))

    def close(self) -> None:
        """Release the thread and the database; blocks until what runs is done."""
        self._thread.shutdown()
        self._engine.dispose()

    async def _run(self, work: Callable[[], T]) -> T:
        # Not wait_for: in Python 3.11 it drops a cancellation that meets the result, and a cancelled call would go on.
        try:
            async with asyncio.timeout(self._patience):
                return await asyncio.wrap_future(self._thread.submit(work))
        except TimeoutError:
            raise MaskingUnavailable("the vault does not answer") from None
        except SQLAlchemyError as error:
            raise MaskingUnavailable(f"the vault refused: {type(error).__name__}") from error

    def _find(self, number: PhoneNumber) -> Party | None:
        query = select(parties.c.id).where(parties.c.tag == self._tag(number))
        with self._engine.connect() as connection:
            found = connection.execute(query).scalar()
        return None if found is None else Party(id=found, reachable=True)

    def _keep(self, number: PhoneNumber) -> Party:
        """A new party. Where another process was quicker with the same number, the unique tag says so."""
        name = random_id("party")
        sealed = self._sealer.seal(number.reveal().encode(), name.encode())
        row = {"id": name, "tag": self._tag(number), "number": sealed, "created": self._clock()}
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(parties).values(row))
        except IntegrityError:
            other = self._find(number)
            if other is None:
                raise
            return other
        return Party(id=name, reachable=True)

    def _reveal(self, party: str, reason: str, actor: str) -> PhoneNumber:
        with self._engine.connect() as connection:
            sealed = connection.execute(select(parties.c.number).where(parties.c.id == party)).scalar()
        if sealed is None:
            raise KeyError("no such party, or its number was withheld")
        # A reason is typed by people: somebody will type the number itself.
        row = {"at": self._clock(), "party": party, "actor": redact(actor)[:64], "reason": redact(reason)[:200]}
        with self._engine.begin() as connection:
            connection.execute(insert(reveals).values(row))
        try:
            return PhoneNumber(self._sealer.open(sealed, party.encode()).decode())
        except ValueError:
            raise MaskingUnavailable("a number in the vault was changed or belongs to other keys") from None

    def _tag(self, number: PhoneNumber) -> bytes:
        return self._sealer.tag(number.reveal().encode(), TAG)
