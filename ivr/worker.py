"""All calls of this process: accept, limit, drain."""

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from ivr.doors import Doors
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


class Worker:
    """Takes arriving calls and lives through each in a task of its own."""

    def __init__(self, doors: Doors, limits: Limits, started: Callable[[Session], None] | None = None) -> None:
        self._doors = doors
        self._limits = limits
        self._started = started
        self._calls: dict[str, asyncio.Task[None]] = {}
        self._draining = False
        self._refusals: set[asyncio.Task[None]] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def calls(self) -> int:
        """Calls in progress."""
        return len(self._calls)

    def arrived(self, arrival: LegArrived) -> None:
        """Somebody calls: take it, or refuse at once when full or draining."""
        if self._draining or len(self._calls) >= self._limits.callers:
            log.warning("a call was refused: %s", "draining" if self._draining else "all places taken")
            task = asyncio.create_task(self._doors.line.refuse(arrival.leg, BUSY))
            self._refusals.add(task)
            task.add_done_callback(self._refusals.discard)
            return
        session = Session(self._doors, new_call_id(), arrival)
        self._empty.clear()
        self._calls[session.id] = asyncio.create_task(self._live(session))
        if self._started:
            self._started(session)

    async def _live(self, session: Session) -> None:
        log.info("call %s begins", session.id)
        try:
            await session.run()
        except Exception:
            log.exception("call %s failed", session.id)
        finally:
            self._calls.pop(session.id, None)
            log.info("call %s ends", session.id)
            if not self._calls:
                self._empty.set()

    async def drain(self, seconds: float) -> bool:
        """Take no more calls and wait for those in progress; False where some were still there at the end."""
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
