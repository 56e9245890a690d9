"""The door of `asr_models`: telephone audio in, words out.

Audio is 8 kHz mono s16le; times are seconds from the first sample fed to the stream.
"""

from dataclasses import dataclass
from typing import Protocol

SAMPLE_RATE = 8000
"""Samples a second that every recogniser here takes: the telephone's own rate."""


class AsrUnavailable(Exception):
    """No recogniser can serve; the caller goes on with keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One recognised word."""

    text: str
    """The word, lower case."""
    start: float
    """Seconds from the start of the stream."""
    end: float
    """Seconds from the start of the stream."""
    confidence: float
    """0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What was said, so far or finally."""

    text: str
    """The words joined by blanks; "[unk]" for a word outside the grammar; empty for nothing."""
    confidence: float
    """Mean word confidence, 0 to 1; 0 for an empty text."""
    words: tuple[Word, ...] = ()
    """Times and confidences; empty in partials."""
    final: bool = True
    """False while it may still change."""
    alternatives: tuple[str, ...] = ()
    """What else it may have been, likelier ones first. For the safety net alone: a danger in any of them counts."""


class RecogniserStream(Protocol):
    """One utterance. Decoding runs off the event loop; calls on one stream must not overlap."""

    async def feed(self, pcm: bytes) -> Transcript | None:
        """Take a chunk of audio; the partial transcript where it changed. Raises AsrUnavailable."""
        ...

    async def finish(self) -> Transcript:
        """No more audio: the final transcript. Raises AsrUnavailable."""
        ...

    def close(self) -> None:
        """Give the stream up; allowed at any time, more than once."""
        ...


class Recogniser(Protocol):
    """A speech recogniser of one language; shared by all calls of a process."""

    @property
    def name(self) -> str:
        """Engine and model, for example "vosk vosk-model-en-us-demo"."""
        ...

    def stream(self, hints: tuple[str, ...] = ()) -> RecogniserStream:
        """Start an utterance. `hints` is a closed grammar of lower-case phrases (with "[unk]" for all else); empty
        means free speech. Words that the model does not know are dropped from the grammar. Raises AsrUnavailable."""
        ...
