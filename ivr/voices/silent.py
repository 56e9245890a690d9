"""Dull voices for tests: one hums for as long as the text is, one fails, one never comes."""

import asyncio

from ivr.audio.convert import SPEECH_DBFS
from ivr.audio.format import frame_count, silence
from ivr.audio.tones import tone
from ivr.ports import VoiceError
from ivr.voices.rendering import sayable

SECONDS_PER_CHARACTER = 0.06
"""About the speed of speech."""


class SilentVoice:
    """The same text gives the same sound, its length in proportion to the text. It hums, or says nothing at all."""

    def __init__(self, name: str = "silent", *, hum: bool = True) -> None:
        self._name = name
        self._hum = hum
        self.spoken = 0
        """How many renderings there were."""

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    async def speak(self, text: str, *, keep: bool) -> bytes:
        """A hum as long as the text would be; empty for an empty text."""
        self.spoken += 1
        length = frame_count(SECONDS_PER_CHARACTER * len(sayable(text))) * 0.02
        return tone((210, 420, 630), length, SPEECH_DBFS) if self._hum and length else silence(length)


class FailingVoice:
    """Works `good` times, then raises VoiceError every time until `repaired`."""

    def __init__(self, name: str = "failing", *, good: int = 0) -> None:
        self._name = name
        self._good = good
        self.tried = 0
        """How often it was asked."""
        self.repaired = False
        """Set to true to make it work again."""

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    async def speak(self, text: str, *, keep: bool) -> bytes:
        """A hum while it works. Raises VoiceError."""
        self.tried += 1
        if self.tried > self._good and not self.repaired:
            raise VoiceError("this voice always fails")
        return await SilentVoice().speak(text, keep=keep)


class HangingVoice:
    """Never answers."""

    def __init__(self, name: str = "hanging") -> None:
        self._name = name
        self.cancelled = 0
        """How many waits were given up."""

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    async def speak(self, text: str, *, keep: bool) -> bytes:
        """Waits until cancelled."""
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled += 1
        return b""
