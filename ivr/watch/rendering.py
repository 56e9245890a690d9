"""Voices that are watched: how long an engine renders, and how often a remembered sound was enough."""

import time
from collections.abc import Callable
from contextvars import ContextVar

from ivr.ports import Voice

Measure = Callable[[float, str, bool], None]
"""Seconds, engine, whether it worked."""

_rendered: ContextVar[list[bool] | None] = ContextVar("rendered", default=None)


class WatchedEngine:
    """A voice engine whose renderings are measured."""

    def __init__(
        self, voice: Voice, engine: str, measure: Measure, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`engine`: one of `words.VOICES`."""
        self._voice = voice
        self._engine = engine
        self._measure = measure
        self._clock = clock

    @property
    def name(self) -> str:
        """The inner voice's."""
        return self._voice.name

    async def speak(self, text: str, *, keep: bool) -> bytes:
        """As in the port."""
        if (mark := _rendered.get()) is not None:
            mark.append(True)
        began, good = self._clock(), False
        try:
            pcm = await self._voice.speak(text, keep=keep)
            good = True
        finally:
            self._measure(self._clock() - began, self._engine, good)
        return pcm


class WatchedVoice:
    """All voices of a worker; counts sentences by where their sound came from."""

    def __init__(self, voice: Voice, count: Callable[[str], None]) -> None:
        """`count` is told "cache" or "engine" for every sentence that could be spoken."""
        self._voice = voice
        self._count = count

    @property
    def name(self) -> str:
        """The inner voice's."""
        return self._voice.name

    async def speak(self, text: str, *, keep: bool) -> bytes:
        """As in the port."""
        mark: list[bool] = []
        token = _rendered.set(mark)
        try:
            pcm = await self._voice.speak(text, keep=keep)
        finally:
            _rendered.reset(token)
        self._count("engine" if mark else "cache")
        return pcm
