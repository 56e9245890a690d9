"""Voices by CMU flite: English only; the simulated callers speak with them, so that they are not our own voice."""

from ivr.ports import VoiceError
from ivr.voices.process import OUTPUT, render
from ivr.voices.rendering import RENDERING

VOICES = ("slt", "rms", "awb", "kal16")
"""Voices that flite has built in."""


class FliteVoice:
    """flite, one process an utterance."""

    def __init__(self, voice: str = "slt", *, timeout: float = 10.0, program: str = "flite") -> None:
        """Raises VoiceError for a voice not in VOICES: flite would take any other name for a file or an address."""
        if voice not in VOICES:
            raise VoiceError(f"flite has the voices {', '.join(VOICES)} only")
        self._arguments = (program, "-voice", voice, "-f", "/dev/stdin", "-o", OUTPUT)
        self._timeout = timeout
        self._name = f"flite {voice} {RENDERING}"

    @property
    def name(self) -> str:
        """Engine and voice."""
        return self._name

    async def speak(self, text: str, *, keep: bool) -> bytes:
        """The text as 8 kHz mono s16le. Raises VoiceError."""
        return await render(self._arguments, text, self._timeout)
