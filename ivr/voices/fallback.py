"""Voice that tries the next voice when one fails or is too slow."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from ivr.ports import Voice, VoiceError

_log = logging.getLogger(__name__)


LIVE_SECONDS = 1.5
"""Time of a voice for a sentence while a caller waits. The next voice has said the same before two seconds are over."""
UNHURRIED_SECONDS = 60.0
"""The same while nobody waits: the first sentence also loads the engine."""


@runtime_checkable
class Keeps(Protocol):
    """A voice that remembers."""

    def kept(self, text: str) -> bytes | None:
        """The sound of a text if it is in memory; waits for nothing."""
        ...


class FallbackVoice:
    """Voices in order of preference. One that failed is left out for a while, then tried again."""

    def __init__(
        self,
        voices: Sequence[Voice],
        *,
        timeout: float = LIVE_SECONDS,
        timeout_per_character: float = 0.0,
        rest_seconds: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A voice gets `timeout` plus so much a character, in seconds: a caller is waiting. Raises ValueError for no
        voices."""
        if not voices:
            raise ValueError("at least one voice is needed")
        self._voices = tuple(voices)
        self._timeout = timeout
        self._timeout_per_character = timeout_per_character
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._broken_until: dict[int, float] = {}

    @property
    def name(self) -> str:
        """All of them, in order."""
        return " or ".join(voice.name for voice in self._voices)

    @property
    def answering(self) -> str:
        """Name of the voice that would be asked now."""
        return self._voices[self._order()[0]].name

    async def speak(self, text: str, *, keep: bool) -> bytes:
        """The text by the first voice that can. Raises VoiceError where none can."""
        order = self._order()
        if (pcm := self._of_resting(text, order[0])) is not None:
            return pcm
        for index in order:
            voice = self._voices[index]
            try:
                async with asyncio.timeout(self._timeout + self._timeout_per_character * len(text)):
                    pcm = await voice.speak(text, keep=keep)
            except VoiceError as error:
                self._rest(index, str(error))
            except TimeoutError:
                self._rest(index, "too slow")
            else:
                self._broken_until.pop(index, None)
                return pcm
        raise VoiceError("no voice can speak")

    def kept(self, text: str) -> bytes | None:
        """The sound of a text if any of the voices has it in memory, the best first; waits for nothing."""
        return self._of_resting(text, len(self._voices))

    def unhurried(self) -> "FallbackVoice":
        """The same voices for when nobody waits, as at start. What they render is remembered for both."""
        return FallbackVoice(self._voices, timeout=UNHURRIED_SECONDS, clock=self._clock)

    def _of_resting(self, text: str, before: int) -> bytes | None:
        """What the voices before this one remember: a voice that hangs now may have said the sentence before."""
        found = (one.kept(text) for one in self._voices[:before] if isinstance(one, Keeps))
        return next((pcm for pcm in found if pcm is not None), None)

    def _order(self) -> list[int]:
        """Sound voices first, then the broken ones: a bad chance is better than silence."""
        now = self._clock()
        return sorted(range(len(self._voices)), key=lambda index: self._broken_until.get(index, now) > now)

    def _rest(self, index: int, why: str) -> None:
        self._broken_until[index] = self._clock() + self._rest_seconds
        _log.warning("voice %s failed (%s); the next one is tried", self._voices[index].name, why)
