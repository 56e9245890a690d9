"""One way into the tables: short reads side by side, writes one at a time, many bindings in one transaction."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from masking.port import MaskingUnavailable

T = TypeVar("T")

READERS = 4
WRITE_LOCK = 0x62696E64
"""PostgreSQL advisory lock that writers hold in turn, as SQLite's write lock makes them: a choice of numbers is never
made twice. The unique key stands behind it."""


class Ledger:
    """The database of bindings."""

    def __init__(self, engine: Engine, *, patience: float = 2.0, clock: Callable[[], float] = time.time) -> None:
        """`engine`: prepared by `masking.database.prepare`. `patience`: seconds before MaskingUnavailable. `clock`:
        seconds since the epoch."""
        self._engine = engine
        self._writing = engine.execution_options(write=True)
        # A transaction around one statement costs PostgreSQL two more journeys; SQLite's connections stay as they are.
        alone = {"isolation_level": "AUTOCOMMIT"} if engine.dialect.name == "postgresql" else {}
        self._looking = engine.execution_options(**alone)
        self._patience = patience
        self.clock = clock
        self._readers = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="bindings")
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="binding")

    async def read(self, work: Callable[[Connection], T], *, patience: float | None = None) -> T:
        """One snapshot. `patience`: seconds, where a long look is meant. Raises MaskingUnavailable, and what `work`
        raises."""
        return await self._wait(self._readers.submit(self._read, work), patience)

    async def look(self, work: Callable[[Connection], T]) -> T:
        """One statement, without a transaction around it. Raises MaskingUnavailable, and what `work` raises."""
        return await self._wait(self._readers.submit(self._look, work))

    async def write(self, work: Callable[[Connection], T]) -> T:
        """One transaction, alone; durable on return. Raises MaskingUnavailable, and what `work` raises."""
        return await self._wait(self._writer.submit(self._write, work))

    async def in_turn(self, work: Callable[[], None], done: "Future[T]") -> T:
        """Let the writer's thread run `work`, which calls `transaction` itself, and wait for `done`.
        Raises MaskingUnavailable."""
        self._writer.submit(work)
        return await self._wait(done)

    def soon(self, work: Callable[[], None]) -> None:
        """Let the writer's thread run `work`, which calls `transaction` itself."""
        self._writer.submit(work)

    async def told(self, done: "asyncio.Future[T]") -> T:
        """What the writer's thread makes known by `done`. Raises MaskingUnavailable."""
        return await self._patient(done)

    def transaction(self, work: Callable[[Connection], T]) -> T:
        """For the writer's thread."""
        return self._write(work)

    def close(self) -> None:
        """Release threads and database; blocks until what runs is done."""
        self._readers.shutdown()
        self._writer.shutdown()
        self._engine.dispose()

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._engine.connect() as db:
            return work(db)

    def _look(self, work: Callable[[Connection], T]) -> T:
        with self._looking.connect() as db:
            return work(db)

    def _write(self, work: Callable[[Connection], T]) -> T:
        with self._writing.begin() as db:
            if db.dialect.name == "postgresql":
                db.execute(_LOCK, {"lock": WRITE_LOCK})
            return work(db)

    async def _wait(self, future: "Future[T]", patience: float | None = None) -> T:
        return await self._patient(asyncio.wrap_future(future), patience)

    async def _patient(self, future: "asyncio.Future[T]", patience: float | None = None) -> T:
        try:
            async with asyncio.timeout(patience or self._patience):
                return await future
        except TimeoutError:
            raise MaskingUnavailable("the bindings' database does not answer") from None
        except SQLAlchemyError as error:
            raise MaskingUnavailable(f"the bindings' database refused: {type(error).__name__}") from error


_LOCK = text("SELECT pg_advisory_xact_lock(:lock)")

