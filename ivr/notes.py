"""What a call writes down: durable before the call acts on it, or, where the database does not answer in time, written
later and in order while the call goes on. A caller does not wait for a disk, and a locked database loses no entry."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from records.port import CallLine, Entry, Journal, JournalUnavailable

log = logging.getLogger(__name__)

IN_TIME_SECONDS = 0.25
"""Longest wait for one entry: more would be felt."""
AGAIN_SECONDS = 0.5
"""Between two tries to write what is late."""
PATIENCE_SECONDS = 60.0
"""So long the database is tried without a single success; then what is late is given up."""
MOST = 500
"""Entries of one call that may be late: a call of half an hour."""
END_SECONDS = 2.0
"""How long the end of a call waits for them; they are written after it as well."""
BROKEN = "journal broken: an entry of call %s is lost"

_Write: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


class Behind:
    """What calls of this process still write after their time."""

    def __init__(self) -> None:
        self._work: set[asyncio.Task[None]] = set()

    def add(self, task: "asyncio.Task[None]") -> None:
        """Remember it until it is done."""
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def settle(self, seconds: float) -> bool:
        """Wait so long for all of it; False where something is still late."""
        if self._work:
            await asyncio.wait(self._work, timeout=seconds)
        return not self._work


class Notes:
    """The journal of one call, and a `Journal` itself: what is written does not raise, it is late."""

    def __init__(
        self,
        journal: Journal,
        call: str,
        behind: Behind,
        late: Callable[[], None],
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """`late` is told of everything that is not written in time."""
        self._journal = journal
        self._call = call
        self._behind = behind
        self._told = late
        self._patience = patience
        self._late: deque[_Write] = deque()
        self._task: asyncio.Task[None] | None = None

    async def append(self, entry: Entry) -> None:
        """On return the entry is durable, or late. Never raises."""
        await self._write(lambda: self._journal.append(entry))

    async def close_call(self, call: str, at: float, outcome: str) -> None:
        """The same for the end of the call, which is written after its entries."""
        await self._write(lambda: self._journal.close_call(call, at, outcome))

    async def read(self, call: str) -> tuple[Entry, ...]:
        """As the journal."""
        return await self._journal.read(call)

    async def list(self, limit: int = 50) -> tuple[CallLine, ...]:
        """As the journal."""
        return await self._journal.list(limit)

    async def _write(self, work: _Write) -> None:
        if self._late:  # order is kept
            self._postpone(work)
            return
        first = asyncio.create_task(work())
        try:
            async with asyncio.timeout(IN_TIME_SECONDS):
                await asyncio.shield(first)
        except (TimeoutError, JournalUnavailable):
            log.warning("journal does not answer: entries of call %s are written later", self._call)
            self._postpone(work)
            self._task = asyncio.create_task(self._catch_up(first))
            self._behind.add(self._task)
        except asyncio.CancelledError:
            first.cancel()
            raise
        except Exception:  # whatever is wrong with the journal, the call goes on; it is logged and counted
            log.exception(BROKEN, self._call)
            self._told()

    async def end(self) -> None:
        """The call is over: wait a moment for what is late."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=END_SECONDS)

    def _postpone(self, work: _Write) -> None:
        self._told()
        if len(self._late) >= MOST:
            log.error("journal unavailable: an entry of call %s is lost", self._call)
        else:
            self._late.append(work)

    async def _catch_up(self, running: "asyncio.Task[None] | None") -> None:
        """Write what is late, `running` the first of it, until nothing is or patience ends."""
        until = time.monotonic() + self._patience
        while self._late:
            try:
                async with asyncio.timeout(max(0.0, until - time.monotonic())):
                    await (running or self._late[0]())
            except (TimeoutError, JournalUnavailable):
                if time.monotonic() >= until:
                    log.error("journal unavailable: %d entries of call %s are lost", len(self._late), self._call)
                    self._late.clear()
                    return
                running = None
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            except Exception:  # this entry cannot be written at all; those after it may
                log.exception(BROKEN, self._call)
            running, until = None, time.monotonic() + self._patience
            self._late.popleft()
        log.info("the late entries of call %s are written", self._call)
