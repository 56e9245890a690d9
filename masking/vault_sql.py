"""The vault in SQL: real numbers sealed at rest, found by a keyed hash, revealed only after an audit entry."""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from masking.numbers import alias_key, normalise
from masking.parties import random_id, withheld
from masking.policy import Policy, RefusedByPolicy
from masking.port import MaskingRefused, MaskingUnavailable, Party, PhoneNumber, Sealer, Wrong
from masking.redact import redact
from masking.schema import parties, reveals

T = TypeVar("T")
TAG = b"number"
RETAGGED_AT_ONCE = 200
ERASED = b""
"""In place of a sealed number: its data key went with it, so no copy of the master keys opens it any more."""


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
        former: Sealer | None = None,
    ) -> None:
        """`engine`: prepared by `masking.database.prepare`, with statement values hidden from error texts. `shown`:
        user part that agents' phones show. `region`: country of numbers without a country code (ISO 3166).
        `patience`: seconds before MaskingUnavailable. `clock`: seconds since the epoch. `former`: whose keyed hashes
        are still found while `retag` replaces them; every process must know both before the first one retags."""
        self._engine = engine
        self._sealer = sealer
        self._former = former
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

    async def dial(self, party: str, policy: Policy, *, reason: str, actor: str) -> PhoneNumber:
        """The number to call now: revealed, audited, and checked once more. Raises RefusedByPolicy and what `reveal`
        raises."""
        number = await self.reveal(party, reason=reason, actor=actor)
        policy.check(number)
        return number

    async def screen(self, named: Mapping[str, str], policy: Policy) -> None:
        """Whether these parties, by field, may be bound; nothing is shown to anybody. Raises MaskingRefused with the
        field, MaskingUnavailable."""
        await self._run(lambda: self._screen(named, policy))

    async def erase(self, party: str, *, reason: str, actor: str) -> None:
        """Destroy the party's key and all that leads from the number to it; the id stays, empty, for audit and
        quarantine. Audited first. Raises KeyError, ValueError, MaskingUnavailable."""
        if not reason.strip() or not actor.strip():
            raise ValueError("a number is erased by somebody for a reason")
        await self._run(lambda: self._erase(party, reason, actor))

    async def retag(self) -> int:
        """Give all parties the keyed hash of the present key instead of the former; how many had another. Calls and
        bindings go on meanwhile; after a break it may be run again. Raises MaskingUnavailable."""
        total, after = 0, ""
        while page := await self._run(partial(self._retag, after)):
            total, after = total + page[0], page[1]
        return total

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
        query = select(parties.c.id).where(parties.c.tag.in_(self._tags(number)))
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
        sealed = self._sealed(party)
        if sealed is None:
            raise KeyError("no such party, or its number was withheld or erased")
        self._audit(party, reason, actor)
        return self._open(party, sealed)

    def _screen(self, named: Mapping[str, str], policy: Policy) -> None:
        for field, party in named.items():
            sealed = self._sealed(party)
            if sealed is None:
                raise MaskingRefused(Wrong.NUMBER_REFUSED, field, "there is no number for this party")
            try:
                policy.check(self._open(party, sealed))
            except RefusedByPolicy as refused:
                raise MaskingRefused(Wrong.NUMBER_REFUSED, field, str(refused)) from None

    def _erase(self, party: str, reason: str, actor: str) -> None:
        if self._sealed(party) is None:
            raise KeyError("no such party, or its number was withheld or erased")
        self._audit(party, f"erasure: {reason}", actor)
        gone = update(parties).where(parties.c.id == party).values(number=ERASED, tag=secrets.token_bytes(32))
        with self._engine.begin() as connection:
            connection.execute(gone)

    def _retag(self, after: str) -> tuple[int, str] | None:
        """One page by id: how many were changed, and the last id; None at the end."""
        page = select(parties).where(parties.c.id > after).order_by(parties.c.id).limit(RETAGGED_AT_ONCE)
        with self._engine.connect() as connection:
            rows = connection.execute(page).all()
        tags = {row.id: self._tag(self._open(row.id, row.number)) for row in rows if row.number != ERASED}
        changed = [row.id for row in rows if row.id in tags and row.tag != tags[row.id]]
        with self._engine.begin() as connection:
            for id in changed:
                alive = (parties.c.id == id) & (parties.c.number != ERASED)
                connection.execute(update(parties).where(alive).values(tag=tags[id]))
        return (len(changed), rows[-1].id) if rows else None

    def _sealed(self, party: str) -> bytes | None:
        with self._engine.connect() as connection:
            sealed: bytes | None = connection.execute(select(parties.c.number).where(parties.c.id == party)).scalar()
        return sealed or None

    def _audit(self, party: str, reason: str, actor: str) -> None:
        # A reason is typed by people: somebody will type the number itself.
        row = {"at": self._clock(), "party": party, "actor": redact(actor)[:64], "reason": redact(reason)[:200]}
        with self._engine.begin() as connection:
            connection.execute(insert(reveals).values(row))

    def _open(self, party: str, sealed: bytes) -> PhoneNumber:
        try:
            return PhoneNumber(self._sealer.open(sealed, party.encode()).decode())
        except ValueError:
            raise MaskingUnavailable("a number in the vault was changed or belongs to other keys") from None

    def _tags(self, number: PhoneNumber) -> list[bytes]:
        former = self._former.tag(_alias(number), TAG) if self._former else None
        return [self._tag(number)] + ([former] if former else [])

    def _tag(self, number: PhoneNumber) -> bytes:
        return self._sealer.tag(_alias(number), TAG)


def _alias(number: PhoneNumber) -> bytes:
    """Two spellings of one subscriber are one party."""
    return alias_key(number.reveal()).encode()
