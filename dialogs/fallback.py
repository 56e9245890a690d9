"""A Dialogue that tries a first engine for a bounded time and goes on with a second."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from dialogs.port import Dialogue, DialogueUnavailable, Heard, Prompt, Turn

log = logging.getLogger(__name__)

INSTEAD = Prompt(key="call.keys_instead")


class FallbackDialogue:
    """The first engine until it fails a call, then the second for the rest of that call.

    A failure is remembered for `rest` seconds: calls that start meanwhile go to the second engine without waiting.
    A second engine that fails raises DialogueUnavailable: the caller of this class calls a human.
    """

    def __init__(
        self,
        first: Dialogue,
        second: Dialogue,
        *,
        seconds: float = 2.0,
        rest: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`seconds` is the longest wait for one answer of the first engine."""
        self._first = first
        self._second = second
        self._seconds = seconds
        self._rest = rest
        self._clock = clock
        self._broken_until = float("-inf")
        self._languages: dict[str, str] = {}
        self._switched: set[str] = set()

    @property
    def broken(self) -> bool:
        """Whether new calls go straight to the second engine."""
        return self._clock() < self._broken_until

    async def start(self, call: str, language: str) -> Turn:
        """First turn of whichever engine answers. Raises DialogueUnavailable."""
        self._languages[call] = language
        self._switched.discard(call)
        if self.broken:
            return await self._switch(call)
        return await self._try(call, self._first.start(call, language))

    async def hear(self, call: str, heard: Heard) -> Turn:
        """The next turn. Raises DialogueUnavailable."""
        if call in self._switched:
            return await self._second.hear(call, heard)
        return await self._try(call, self._first.hear(call, heard))

    async def press(self, call: str, digit: str) -> Turn:
        """The next turn. Raises DialogueUnavailable."""
        if call in self._switched:
            return await self._second.press(call, digit)
        return await self._try(call, self._first.press(call, digit))

    async def end(self, call: str) -> None:
        """Forget the conversation in both engines; never raises, and waits no longer than for an answer."""
        engines = [self._first] + ([self._second] if call in self._switched else [])
        self._languages.pop(call, None)
        self._switched.discard(call)
        for engine in engines:
            try:
                async with asyncio.timeout(self._seconds):
                    await engine.end(call)
            except (DialogueUnavailable, TimeoutError):
                log.warning("a dialogue engine did not end a conversation in time")

    async def _try(self, call: str, answer: Awaitable[Turn]) -> Turn:
        """The first engine's answer, or the second engine's start."""
        try:
            async with asyncio.timeout(self._seconds):
                return await answer
        except (DialogueUnavailable, TimeoutError) as error:
            self._broken_until = self._clock() + self._rest
            log.warning("dialogue engine failed (%s): this call goes on with the second", type(error).__name__)
            return await self._switch(call)

    async def _switch(self, call: str) -> Turn:
        """Go on with the second engine from its start, for good."""
        if call not in self._languages:
            raise DialogueUnavailable("the conversation was not started")
        self._switched.add(call)
        turn = await self._second.start(call, self._languages[call])
        return replace(turn, say=(INSTEAD, *turn.say))
