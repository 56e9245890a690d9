"""Listens again, without a grammar, where the grammar did not hear what was said.

A closed grammar hears "yes" and "no" far better than free speech does, and hears nothing else. So an utterance with
unexpected words in it is decoded a second time, freely, and the two are put together: words of the grammar stay where
it heard mostly its own words; where half or more was unexpected, free speech is believed alone, because a lone "no"
inside "I don't know" must not answer a question.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from asr_models.port import SAMPLE_RATE, AsrUnavailable, Recogniser, Transcript, Word

UNKNOWN = "[unk]"
PIECE_BYTES = SAMPLE_RATE * 2
"""Fed a second at a time, so that a long utterance does not hold a decoding thread from other calls."""
TOLERANCE = 0.06
"""Seconds by which word times may be off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What two looks saw."""

    first: Transcript
    """Bound by the grammar."""
    second: Transcript | None
    """Free; None where no second look was needed, or the recogniser failed at it."""
    chosen: Transcript
    """What to go on with."""


def wanted(first: Transcript, min_confidence: float) -> bool:
    """Whether a grammar-bound final should be listened to again: nothing heard, something unexpected, or unsure."""
    return not first.text or UNKNOWN in first.text.split() or first.confidence < min_confidence


def choose(first: Transcript, second: Transcript) -> Transcript:
    """The words to go on with; see above."""
    if not second.text:
        return first
    unknown = sum(word.text == UNKNOWN for word in first.words)
    if not first.words or 2 * unknown >= len(first.words):
        return second
    return replace(_filled(first, second), alternatives=(second.text, *second.alternatives))


class SecondLook:
    """Looks again where the first look asks for it. A recogniser that fails leaves the first look standing."""

    def __init__(
        self, recogniser: Recogniser, *, min_confidence: float = 0.5, on_failure: Callable[[str], None]
    ) -> None:
        self._recogniser = recogniser
        self._min_confidence = min_confidence
        self._on_failure = on_failure

    async def __call__(self, first: Transcript, pcm: bytes) -> Transcript:
        """The transcript to go on with."""
        return (await self.look(first, pcm)).chosen

    async def look(self, first: Transcript, pcm: bytes) -> Looked:
        """Both transcripts. `pcm` is the whole utterance that `first` was heard in."""
        if not wanted(first, self._min_confidence):
            return Looked(first=first, second=None, chosen=first)
        try:
            second = await self._free(pcm)
        except AsrUnavailable:
            self._on_failure(self._recogniser.name)
            return Looked(first=first, second=None, chosen=first)
        return Looked(first=first, second=second, chosen=choose(first, second))

    async def _free(self, pcm: bytes) -> Transcript:
        stream = self._recogniser.stream()
        try:
            for start in range(0, len(pcm), PIECE_BYTES):
                await stream.feed(pcm[start : start + PIECE_BYTES])
            return await stream.finish()
        finally:
            stream.close()


def _filled(first: Transcript, second: Transcript) -> Transcript:
    """The first look's known words, and in its gaps the second look's."""
    known = [word for word in first.words if word.text != UNKNOWN]
    spare = [word for word in second.words if not any(_overlap(word, other) for other in known)]
    words = tuple(sorted((*known, *spare), key=lambda word: word.start))
    mean = sum(word.confidence for word in words) / len(words)
    return Transcript(text=" ".join(word.text for word in words), confidence=mean, words=words)


def _overlap(one: Word, other: Word) -> bool:
    return one.start < other.end - TOLERANCE and other.start < one.end - TOLERANCE
