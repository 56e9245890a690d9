"""Voice by espeak-ng: quick, small, robotic, in a hundred languages."""

import re

from ivr.ports import VoiceError
from ivr.voices.process import OUTPUT, render
from ivr.voices.rendering import RENDERING

_VARIANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9+_-]{0,40}")


class EspeakVoice:
    """espeak-ng, one process an utterance."""

    def __init__(
        self, variant: str = "en-us", *, words_per_minute: int = 160, timeout: float = 10.0, program: str = "espeak-ng"
    ) -> None:
        """`variant` is espeak-ng's voice, with an optional colour: "en-us+f3". Raises VoiceError for a bad name."""
        if not _VARIANT.fullmatch(variant):
            raise VoiceError("this is not a name of an espeak-ng voice")
        # -b 1: the text is UTF-8 whatever the locale of the service says.
        self._arguments = (program, "-b", "1", "-v", variant, "-s", str(words_per_minute), "-w", OUTPUT, "--stdin")
        self._timeout = timeout
        self._name = f"espeak-ng {variant} {words_per_minute} {RENDERING}"

    @property
    def name(self) -> str:
        """Engine, voice and speed."""
        return self._name

    async def speak(self, text: str, *, keep: bool) -> bytes:
        """The text as 8 kHz mono s16le. Raises VoiceError."""
        return await render(self._arguments, text, self._timeout)
