"""All calls of this process: accept, limit, drain."""

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from ivr.doors import Doors
from ivr.masked.session import Living
from ivr.ports import LegArrived
from ivr.session import Session

log = logging.getLogger(__name__)

_LETTERS = "bcdfghjkmnpqrstvwxz"
BUSY = 503
"""RFC 3261 section 21.5.4: over capacity; the trunk tries elsewhere or later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many callers this process takes."""

    callers: int
    """Callers at once; each may need further legs for agents' phones."""
    settle_s: float = 1.0
    """How long a call that we answered holds a caller's place without its ACK (RFC 3261 section 13.3.1.4: an ACK takes
    one round trip). After that it waits beside the places, so calls that nobody means to make keep no caller out."""
    waiting: int = 3
    """How many calls there may be for each place, those without an ACK included."""


class Worker:
    """Takes arriving calls and lives through each in a task of its own."""

    def __init__(
        self,
        doors: Doors,
        limits: Limits,
        started: Callable[[Session], None] | None = None,
        masked: Callable[[LegArrived], Living | None] = lambda arrival: None,
    ) -> None:
        """`masked`: the session of a call to a virtual number; None where it is none, so that the hotline takes it."""
        self._doors = doors
        self._limits = limits
        self._started = started
        self._masked = masked
        self._calls: dict[str, asyncio.Task[None]] = {}
        self._asked: dict[str, tuple[Living, float]] = {}
        self._draining = False
        self._refusals: set[asyncio.Task[None]] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def calls(self) -> int:
        """Calls in progress."""
        return len(self._calls)

    @property
    def limits(self) -> Limits:
        """How many callers are taken."""
        return self._limits

    def limit(self, limits: Limits) -> None:
        """Take so many from now on."""
        self._limits = limits

    @property
    def full(self) -> bool:
        """Whether all places are taken, by callers who are there or may yet turn out to be."""
        now = asyncio.get_running_loop().time()
        waited = (since for session, since in self._asked.values() if not session.answered)
        doubtful = sum(now - since > self._limits.settle_s for since in waited)
        most = self._limits.callers
        return len(self._calls) - doubtful >= most or len(self._calls) >= most * self._limits.waiting

    def arrived(self, arrival: LegArrived) -> None:
        """Somebody calls: take it, or refuse at once when full or draining."""
        if self._draining or self.full:
            log.warning("a call was refused: %s", "draining" if self._draining else "all places taken")
            self._doors.watcher.refused("draining" if self._draining else "full")
            task = asyncio.create_task(self._doors.line.refuse(arrival.leg, BUSY))
            self._refusals.add(task)
            task.add_done_callback(self._refusals.discard)
            return
        session: Living = self._masked(arrival) or Session(self._doors, new_call_id(), arrival)
        self._asked[session.id] = session, asyncio.get_running_loop().time()
        self.take(session)

    def take(self, session: Living) -> asyncio.Task[None]:
        """Live through a call, one of ours to a caller included: those are never refused, for their callers had a
        place already, and every place has a second leg."""
        self._empty.clear()
        task = self._calls[session.id] = asyncio.create_task(self._live(session))
        if self._started and isinstance(session, Session):
            self._started(session)
        return task

    async def _live(self, session: Living) -> None:
        log.info("call %s begins", session.id)
        try:
            await session.run()
        except Exception:
            log.exception("call %s failed", session.id)
        finally:
            self._calls.pop(session.id, None)
            self._asked.pop(session.id, None)
            log.info("call %s ends", session.id)
            if not self._calls:
                self._empty.set()

    @property
    def draining(self) -> bool:
        """Whether no more calls are taken."""
        return self._draining

    async def drain(self, seconds: float | None) -> bool:
        """Take no more calls and wait for those in progress, None: as long as they last; False where some were still
        there at the end."""
        self._draining = True
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True

    async def stop(self) -> None:
        """End what is left."""
        for task in tuple(self._calls.values()):
            task.cancel()
        await asyncio.gather(*self._calls.values(), return_exceptions=True)


def new_call_id() -> str:
    """Opaque, unguessable, safe in file names, without digits: no filter takes it for a number."""
    return "".join(secrets.choice(_LETTERS) for _ in range(14))
