"""Voice by pyttsx3, in a helper process: the library blocks, is not thread-safe and cannot be stopped from inside."""

import sys
from pathlib import Path

from ivr.voices.process import OUTPUT, render
from ivr.voices.rendering import RENDERING

_HELPER = Path(__file__).with_name("pyttsx3_helper.py")


class Pyttsx3Voice:
    """pyttsx3 with its default driver, one process an utterance."""

    def __init__(self, voice: str = "", *, words_per_minute: int = 160, timeout: float = 15.0) -> None:
        """`voice` is an id of pyttsx3's own list; empty for the driver's default."""
        # -I: nothing of the environment or the current folder gets into the helper.
        self._arguments = (sys.executable, "-I", str(_HELPER), OUTPUT, str(words_per_minute), voice)
        self._timeout = timeout
        self._name = f"pyttsx3 {voice or 'default'} {words_per_minute} {RENDERING}"

    @property
    def name(self) -> str:
        """Engine, voice and speed."""
        return self._name

    async def speak(self, text: str, *, keep: bool) -> bytes:
        """The text as 8 kHz mono s16le. Raises VoiceError."""
        return await render(self._arguments, text, self._timeout)
