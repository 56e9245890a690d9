"""Another engine listens to a whole utterance again, for danger alone.

What it hears is given to the safety net besides what the first engine heard: it may raise an urgency and can never
lower one, and it answers no question. It works behind the conversation: nobody waits for it, and where it is overloaded
or fails, the first engine's words stand and the failure is told.
"""

from collections.abc import Callable

from asr_models.port import SAMPLE_RATE, AsrUnavailable, Recogniser, Transcript

PIECE_BYTES = SAMPLE_RATE * 2
NOTHING = Transcript(text="", confidence=0.0)


class SecondPass:
    """Listens again with another recogniser."""

    def __init__(self, recogniser: Recogniser, *, on_failure: Callable[[str], None]) -> None:
        self._recogniser = recogniser
        self._on_failure = on_failure

    @property
    def name(self) -> str:
        """Engine and model."""
        return self._recogniser.name

    async def __call__(self, pcm: bytes) -> Transcript:
        """What the other engine hears in the utterance; nothing where it fails. Never raises AsrUnavailable."""
        try:
            stream = self._recogniser.stream()
            try:
                for start in range(0, len(pcm), PIECE_BYTES):
                    await stream.feed(pcm[start : start + PIECE_BYTES])
                return await stream.finish()
            finally:
                stream.close()
        except AsrUnavailable:
            self._on_failure(self._recogniser.name)
            return NOTHING
