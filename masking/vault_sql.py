"""The vault in SQL: real numbers sealed at rest, found by a keyed hash, revealed only after an audit entry."""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Protocol, TypeVar

from sqlalchemy import Connection, Engine, delete, insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from masking.numbers import alias_key, normalise
from masking.parties import random_id, withheld
from masking.policy import Policy, RefusedByPolicy
from masking.port import MaskingRefused, MaskingUnavailable, Party, PhoneNumber, Sealer, Wrong
from masking.redact import redact
from masking.schema import parties, reveals, tag_key

T = TypeVar("T")
TAG = b"number"
TURNED_AT_ONCE = 200
KEEP_LOCK = 0x76617574
"""PostgreSQL advisory lock under which parties are kept."""
ERASED = b""
"""In place of a sealed number: its data key went with it, so no copy of the master keys opens it any more."""


class TurningSealer(Sealer, Protocol):
    """A sealer over several master keys, which have numbers."""

    @property
    def oldest(self) -> int:
        """The key on which `tag` hangs."""
        ...

    def tag_by(self, number: int, clear: bytes, context: bytes) -> bytes:
        """As `tag`, under one key. Raises KeyError where there is no such key."""
        ...

    def rewrap(self, sealed: bytes, context: bytes) -> bytes:
        """What was sealed, with its data key under the newest master key. Raises ValueError as `open`."""
        ...


class SqlVault:
    """Masking over SQLite or PostgreSQL."""

    def __init__(
        self,
        engine: Engine,
        sealer: TurningSealer,
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
        self._tag_keys: tuple[int, ...] = ()
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

    async def turning(self) -> int | None:
        """The master key to which a turn goes that was not finished. Raises MaskingUnavailable."""
        keys = await self._run(self._fresh_keys)
        return keys[0] if len(keys) > 1 else None

    async def turn(self, number: int, told: Callable[[int], None] = lambda count: None) -> tuple[int, int]:
        """Turn the keyed hashes over to another master key, and wrap all data keys by the newest; a turn that was
        broken off goes on to the key that it was for. Bindings and calls go on meanwhile, in all processes. `told`:
        parties so far. How many were turned, and how many cannot be opened. Raises MaskingUnavailable."""
        await self._run(lambda: self._begin_turn(number))
        total, bad, after = 0, 0, ""
        while page := await self._run(partial(self._turn_page, after)):
            total, bad, after = total + page[0], bad + page[1], page[2]
            told(total)
        await self._run(self._end_turn)
        return total, bad

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
        """By the keys that were in use when this process last looked; whoever is not found that way is looked for once
        more by `_keep`."""
        tags = self._tags(number, self._tag_keys or self._fresh_keys())
        with self._engine.connect() as db:
            return self._by_tag(db, tags)

    def _keep(self, number: PhoneNumber) -> Party:
        """A new party, unless another process was quicker, or the hashes have been turned over to another key."""
        with self._alone() as db:
            self._tag_keys = self._keys(db)
            tags = self._tags(number, self._tag_keys)
            found = self._by_tag(db, tags)
            if found is not None:
                return found
            name = random_id("party")
            sealed = self._sealer.seal(number.reveal().encode(), name.encode())
            row = {"id": name, "tag": tags[0], "number": sealed, "created": self._clock()}
            db.execute(insert(parties).values(row))
        return Party(id=name, reachable=True)

    @contextmanager
    def _alone(self) -> Iterator[Connection]:
        """A transaction beside which no other keeps a party or turns keys."""
        with self._engine.execution_options(write=True).begin() as db:
            if db.dialect.name == "postgresql":
                db.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": KEEP_LOCK})
            yield db

    def _by_tag(self, db: Connection, tags: Sequence[bytes]) -> Party | None:
        found = db.execute(select(parties.c.id).where(parties.c.tag.in_(tags))).scalar()
        return None if found is None else Party(id=found, reachable=True)

    def _fresh_keys(self) -> tuple[int, ...]:
        with self._engine.connect() as db:
            self._tag_keys = self._keys(db)
        return self._tag_keys

    def _keys(self, db: Connection) -> tuple[int, ...]:
        """Numbers of the master keys on which hashes hang, the present one first."""
        row = db.execute(select(tag_key.c.number, tag_key.c.former)).first()
        if row is None:
            return (self._sealer.oldest,)
        return (row.number,) if row.former is None else (row.number, row.former)

    def _reveal(self, party: str, reason: str, actor: str) -> PhoneNumber:
        sealed = self._sealed(party)
        if sealed is None:
            raise KeyError("no such party, or its number was withheld or erased")
        self._audit(party, reason, actor)
        return self._open(party, sealed)

    def _screen(self, named: Mapping[str, str], policy: Policy) -> None:
        with self._engine.connect() as db:
            rows = db.execute(select(parties.c.id, parties.c.number).where(parties.c.id.in_(named.values())))
            found: dict[str, bytes] = {row.id: row.number for row in rows}
        for field, party in named.items():
            if not (sealed := found.get(party, ERASED)):
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

    def _begin_turn(self, number: int) -> None:
        self._by_key(number, b"", b"")  # before anything is written: is there such a key?
        with self._alone() as db:
            keys = self._keys(db)
            if len(keys) == 1 and keys[0] != number:
                db.execute(delete(tag_key))
                db.execute(insert(tag_key).values(id=1, number=number, former=keys[0]))
                keys = (number, keys[0])
        self._tag_keys = keys

    def _turn_page(self, after: str) -> tuple[int, int, str] | None:
        """One page by id: how many were turned, how many cannot be opened, and the last id; None at the end."""
        page = select(parties).where(parties.c.id > after).order_by(parties.c.id).limit(TURNED_AT_ONCE)
        with self._engine.connect() as db:
            rows = db.execute(page).all()
        new, bad = {}, 0
        for row in rows:
            if row.number != ERASED:
                try:
                    number = PhoneNumber(self._sealer.open(row.number, row.id.encode()).decode())
                    sealed = self._sealer.rewrap(row.number, row.id.encode())
                except ValueError:
                    bad += 1
                    continue
                new[row.id] = (row.number, {"tag": self._tags(number, self._tag_keys)[0], "number": sealed})
        with self._engine.execution_options(write=True).begin() as db:
            for id, (old, values) in new.items():
                # Whoever was erased meanwhile stays so.
                db.execute(update(parties).where(parties.c.id == id, parties.c.number == old).values(values))
        return (len(new), bad, rows[-1].id) if rows else None

    def _end_turn(self) -> None:
        with self._alone() as db:
            db.execute(update(tag_key).values(former=None))
            self._tag_keys = self._keys(db)

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

    def _tags(self, number: PhoneNumber, keys: tuple[int, ...]) -> list[bytes]:
        return [self._by_key(key, _alias(number), TAG) for key in keys]

    def _by_key(self, key: int, clear: bytes, context: bytes) -> bytes:
        try:
            return self._sealer.tag_by(key, clear, context)
        except KeyError:
            message = (
                "the vault's numbers hang on a master key that this process does not have; restart it with all keys"
            )
            raise MaskingUnavailable(message) from None


def _alias(number: PhoneNumber) -> bytes:
    """Two spellings of one subscriber are one party."""
    return alias_key(number.reveal()).encode()
