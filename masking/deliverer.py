"""Delivers events to owners' hooks, again and again, in order; any number of processes may do it at once."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from masking.diary_sql import SqlDiary
from masking.hooks_sql import PATIENCE
from masking.outbox import AT_ONCE, Job, Outbox, Result, result
from masking.port import MaskingUnavailable
from masking.poster import Poster, PostFailed
from masking.signing import HEADER, sign

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5
"""Seconds between looks for what another process wrote, or what is due again."""
ENDS_EVERY = 10.0
TIDY_EVERY = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How long what happened is kept."""

    event_days: float = 30.0
    """Events and their deliveries."""
    record_days: float = 365.0
    """Call records."""


class Deliverer:
    """One process's part of the delivering."""

    def __init__(
        self,
        diary: SqlDiary,
        outbox: Outbox,
        poster: Poster,
        *,
        clock: Callable[[], float],
        keep: Keep | None = None,
        patience: float = PATIENCE,
    ) -> None:
        """`clock`: seconds since the epoch. `patience`: seconds that a hook has for its answer."""
        self._diary = diary
        self._outbox = outbox
        self._poster = poster
        self._clock = clock
        self._keep = keep or Keep()
        self._patience = patience
        self._ends = self._tidied = float("-inf")

    async def run(self) -> None:
        """Until cancelled; then what is being sent is broken off, and sent again by whoever comes next."""
        under_way: set[asyncio.Task[None]] = set()
        try:
            while True:
                try:
                    await self.chores()
                    for job in await self._outbox.take(AT_ONCE - len(under_way)):
                        task = asyncio.create_task(self._deliver(job))
                        under_way.add(task)
                        task.add_done_callback(under_way.discard)
                except MaskingUnavailable as error:
                    log.warning("webhooks wait: %s", error)
                    await asyncio.sleep(LOOK_EVERY)
                except Exception as error:  # noqa: BLE001 - a fault with one event must not end the telling of all
                    log.error("webhooks are in trouble: %s", type(error).__name__)
                    await asyncio.sleep(LOOK_EVERY)
                await _pause(under_way)
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def once(self) -> int:
        """Everything that is due and free, once; how many were tried. Raises MaskingUnavailable."""
        jobs = await self._outbox.take()
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(self._deliver(job))
        return len(jobs)

    async def chores(self) -> None:
        """Tell which bindings have ended, and forget what is old, when it is time. Raises MaskingUnavailable."""
        now = self._clock()
        if not self._ends <= now < self._ends + ENDS_EVERY:
            self._ends = now
            await self._diary.tell_ends()
        if not self._tidied <= now < self._tidied + TIDY_EVERY:
            self._tidied = now
            await self._diary.tidy(event_days=self._keep.event_days, record_days=self._keep.record_days)

    async def _deliver(self, job: Job) -> None:
        headers = {
            HEADER: sign(job.body, job.target.keys, self._clock()),
            "Triageline-Event": job.event,
            "Triageline-Attempt": str(job.tries),
        }
        try:
            answer = await self._poster.post(job.target.url, job.body, headers, seconds=self._patience)
        except PostFailed as failed:
            outcome, last = Result.AGAIN, failed.code
        else:
            outcome, last = result(answer.status), str(answer.status)
        if outcome != Result.DONE:
            log.info("%s was not delivered to %s: %s", job.event, job.target.hook, last)
        try:
            await self._outbox.note(job, outcome, last)
        except MaskingUnavailable as error:
            # The lease runs out and it is sent once more, with the same id.
            log.warning("what came of %s could not be noted: %s", job.event, error)


async def _pause(under_way: set[asyncio.Task[None]]) -> None:
    """Until it is worth looking again: when one has been sent, the next of its binding may follow at once."""
    if under_way:
        await asyncio.wait(under_way, timeout=LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED)
    else:
        await asyncio.sleep(LOOK_EVERY)
