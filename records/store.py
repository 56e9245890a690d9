"""One writer thread with group commit: the event loop never waits for a disk, and many entries share one sync."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from records.port import JournalUnavailable

T = TypeVar("T")
GROUP = 200
"""Most jobs of one commit: bounds how long the first of them waits for the last."""
PENDING = 5000
"""Most jobs waiting: a disk that hangs must not eat the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A piece of work on the writer's connection."""

    work: Callable[[Connection], Any]
    """May run twice, in different transactions, so it must have no effect but on the database."""
    future: "Future[Any]"
    """Done when the work is committed."""


class Store:
    """Reads and writes a database for coroutines."""

    def __init__(self, engine: Engine, *, patience: float = 3.0) -> None:
        """`patience`: seconds after which a caller is told JournalUnavailable; the work may still be done later."""
        self._engine = engine
        self._writing = engine.execution_options(write=True)
        self._patience = patience
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._readers = ThreadPoolExecutor(max_workers=1, thread_name_prefix="records-reader")
        # A daemon: whoever awaited a write has it on disk, so nothing is lost where the process just ends.
        self._writer = Thread(target=self._write_all, name="records-writer", daemon=True)
        self._writer.start()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run the work in the writer's next transaction; on return it is durable. Raises JournalUnavailable."""
        if self._jobs.qsize() >= PENDING or not self._writer.is_alive():
            raise JournalUnavailable("the records database does not keep up")
        job = Job(work=work, future=Future())
        self._jobs.put(job)
        return await self._wait(job.future)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run a reading work in a transaction of its own. Raises JournalUnavailable."""
        return await self._wait(self._readers.submit(self._read, work))

    def close(self) -> None:
        """Finish what is queued, then release the database; blocks."""
        self._jobs.put(None)
        self._writer.join()
        self._readers.shutdown()
        self._engine.dispose()

    async def _wait(self, future: "Future[T]") -> T:
        # Not wait_for: in Python 3.11 it drops a cancellation that meets the result, and a cancelled call would go on.
        try:
            async with asyncio.timeout(self._patience):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise JournalUnavailable("the records database does not answer") from None

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._engine.connect() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise unavailable(error) from error

    def _write_all(self) -> None:
        """The writer thread."""
        while (first := self._jobs.get()) is not None:
            group = [job for job in (first, *self._more()) if job.future.set_running_or_notify_cancel()]
            if group:
                self._commit(group)

    def _more(self) -> list[Job]:
        """What else has arrived while the last commit was on its way to the disk."""
        jobs: list[Job] = []
        while len(jobs) < GROUP - 1:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                break
            if job is None:  # the end: seen again by the loop
                self._jobs.put(None)
                break
            jobs.append(job)
        return jobs

    def _commit(self, group: list[Job]) -> None:
        try:
            with self._writing.begin() as connection:
                results = [job.work(connection) for job in group]
        except Exception as error:  # noqa: BLE001 - nothing is swallowed: whoever waits gets it
            self._failed(group, error)
            return
        for job, result in zip(group, results, strict=True):
            job.future.set_result(result)

    def _failed(self, group: list[Job], error: Exception) -> None:
        """A database in trouble fails all at once; one bad job must not take the others with it."""
        trouble = isinstance(error, SQLAlchemyError) and not isinstance(error, IntegrityError)
        if trouble or len(group) == 1:
            for job in group:
                job.future.set_exception(unavailable(error) if isinstance(error, SQLAlchemyError) else error)
            return
        for job in group:
            self._commit([job])


def unavailable(error: SQLAlchemyError) -> JournalUnavailable:
    """The port's error for a database error: the driver's short reason, never a statement or its values."""
    reason = type(error.orig).__name__ if isinstance(error, DBAPIError) else type(error).__name__
    told = JournalUnavailable(f"the records database refused: {reason}")
    told.__cause__ = error
    return told
