"""Threads that decode, off the event loop, with a bound on what may wait.

Decoding releases the interpreter lock (cffi), so a few threads use a few cores. One utterance never has two jobs at
once, so its order is kept by its own awaiting; the bound is on utterances of different calls.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from asr_models.port import AsrUnavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How far the decoding is behind."""

    waiting: int
    """Jobs that no thread has taken yet."""
    running: int
    """Jobs being worked on."""
    lag: float
    """Seconds that the job started last had waited, or that the oldest one waits already, whichever is more; 0 where
    nothing waits or runs."""


class DecodePool:
    """A bounded pool. Where more than `limit` jobs would wait, a job is refused and its caller goes on with keys."""

    def __init__(self, *, threads: int = 2, limit: int = 64, executor: ThreadPoolExecutor | None = None) -> None:
        self._executor = executor or ThreadPoolExecutor(max_workers=threads, thread_name_prefix="decode")
        self._room = threads + limit
        self._lock = threading.Lock()
        self._held = 0
        self._running = 0
        self._lag = 0.0
        self._since: dict[int, float] = {}
        self._number = 0

    async def run(self, job: Callable[[], T]) -> T:
        """Do the job on a thread. Raises AsrUnavailable where the pool is full or closed, else what the job raises."""
        with self._lock:
            if self._held >= self._room:
                raise AsrUnavailable("recognition is overloaded")
            self._held += 1
            self._number += 1
            number, self._since[self._number] = self._number, time.monotonic()
        try:
            future = self._executor.submit(self._work, job, number)
        except RuntimeError as error:
            self._release(number)
            raise AsrUnavailable("recognition is shutting down") from error
        future.add_done_callback(lambda _: self._release(number))
        return await asyncio.wrap_future(future)

    def backlog(self) -> Backlog:
        """How far decoding is behind at this moment."""
        with self._lock:
            oldest = next(iter(self._since.values()), None)
            age = 0.0 if oldest is None else time.monotonic() - oldest
            return Backlog(
                waiting=self._held - self._running,
                running=self._running,
                lag=max(self._lag, age) if self._held else 0.0,
            )

    def close(self) -> None:
        """Take no more jobs; what waits is dropped, what runs ends by itself."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _work(self, job: Callable[[], T], number: int) -> T:
        with self._lock:
            self._running += 1
            self._lag = time.monotonic() - self._since.pop(number)
        try:
            return job()
        finally:
            with self._lock:
                self._running -= 1

    def _release(self, number: int) -> None:
        with self._lock:
            self._held -= 1
            self._since.pop(number, None)  # given up before a thread took it
