"""A worker's place among its fellows: its signs of life, its turn to take calls, and the order to retire."""

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from ivr import locks, signs
from ivr.locks import Life, Slot

log = logging.getLogger(__name__)

BEAT_SECONDS = 0.5
"""How often a sign of life is given; `up` waits for several before it takes a worker for frozen."""
SLOT_SECONDS = 0.1
"""How often a worker that stands by looks whether a place is free."""
RETIRE = signal.SIGUSR1
"""Let the calls end, however long they last, then make room; SIGTERM does the same within the drain time."""


class Post:
    """One worker among several."""

    def __init__(self, run: Path, name: str, *, slots: int, host: str) -> None:
        """`run`: folder that all workers share. `slots`: workers that take calls at a time. Raises OSError."""
        self._run, self._slots = run, slots
        self.life = Life(run / "lives", name)
        self.stop = asyncio.Event()
        """The hotline ends: calls get the drain time."""
        self.retire = asyncio.Event()
        """This worker is replaced: calls get all the time they need."""
        self._sign = signs.Sign(
            name=name, pid=os.getpid(), host=host, port=0, callers=0, calls=0, draining=True, standby=True, beat=0.0
        )
        self._writing = asyncio.Lock()
        self._complained = False

    def listen(self) -> None:
        """Take orders by signal; needs the running loop."""
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, self.stop.set)
        loop.add_signal_handler(RETIRE, self.retire.set)

    async def ended(self, closed: Coroutine[Any, Any, None]) -> None:
        """Returns when this worker is to take no more calls, or cannot, because its line was `closed`."""
        waiting = {asyncio.create_task(one) for one in (self.stop.wait(), self.retire.wait(), closed)}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    async def slot(self) -> Slot | None:
        """Stand by until there is a place; None where an order came first."""
        while not (self.stop.is_set() or self.retire.is_set()):
            if taken := locks.take_slot(self._run, self._slots):
                signs.remove_dead(self._run)
                return taken
            await asyncio.sleep(SLOT_SECONDS)
        return None

    def know(self, **facts: Any) -> None:
        """Change what the next sign says."""
        self._sign = replace(self._sign, **facts)

    async def say(self, **facts: Any) -> None:
        """Change it and say it now; never raises."""
        self.know(**facts)
        async with self._writing:
            sign = replace(self._sign, beat=time.time())
            try:
                await asyncio.to_thread(self._write, sign)
                self._complained = False
            except OSError as error:
                if not self._complained:
                    log.error("signs of life cannot be written: %s", error.strerror)
                self._complained = True

    async def beat(self, calls: Callable[[], int], ping: Callable[[], Awaitable[None]]) -> None:
        """Give signs of life until cancelled. `calls` tells how many there are; `ping` returns while the SIP line
        lives: a worker that can think but not phone is dead too."""
        while True:
            await ping()
            await self.say(calls=calls())
            await asyncio.sleep(BEAT_SECONDS)

    def close(self, *, farewell: bool) -> None:
        """The end. Without a farewell the others look after what this worker leaves."""
        signs.remove(self._run, self._sign.name)
        if farewell:
            with contextlib.suppress(OSError):
                self.life.close()

    def _write(self, sign: signs.Sign) -> None:
        signs.write(self._run, sign)
        self.life.touch()
