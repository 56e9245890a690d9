"""The dull second recogniser: utterances are answered from a script, in order, whatever the audio is."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from asr_models.port import SAMPLE_RATE, AsrUnavailable, Transcript, Word

WORD_SECONDS = 0.3
"""Each scripted word takes this long, from the first sample of its utterance; partials show the words begun so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one utterance is heard as."""

    text: str = ""
    """The words."""
    confidence: float = 1.0
    """Of each word."""
    fails: Literal["", "stream", "feed", "finish"] = ""
    """Where this utterance raises AsrUnavailable instead."""


class ScriptedRecogniser:
    """Answers utterance by utterance; when the script is used up, nothing is heard."""

    def __init__(self, script: Iterable[str | Line] = (), *, name: str = "scripted") -> None:
        self._script = iter(tuple(script))
        self._name = name
        self.asked: list[tuple[str, ...]] = []
        self.heard_bytes = 0

    @property
    def name(self) -> str:
        """The name it was given."""
        return self._name

    def stream(self, hints: tuple[str, ...] = ()) -> "ScriptedStream":
        """The next line of the script. Raises AsrUnavailable where the line says so."""
        self.asked.append(hints)
        line = next(self._script, "")
        if isinstance(line, str):
            line = Line(text=line)
        if line.fails == "stream":
            raise AsrUnavailable("scripted: no stream")
        return ScriptedStream(self, line)


class ScriptedStream:
    """One utterance of the script."""

    def __init__(self, owner: ScriptedRecogniser, line: Line) -> None:
        self._owner = owner
        self._line = line
        self._bytes = 0
        self._shown = 0
        self._closed = False

    async def feed(self, pcm: bytes) -> Transcript | None:
        """One more word for every 0.3 s of audio. Raises AsrUnavailable where the line says so, or after the end."""
        self._check("feed")
        self._bytes += len(pcm)
        self._owner.heard_bytes += len(pcm)
        begun = min(int(self._bytes / (SAMPLE_RATE * 2) / WORD_SECONDS), len(self._line.text.split()))
        if begun <= self._shown:
            return None
        self._shown = begun
        text = " ".join(self._line.text.split()[:begun])
        return Transcript(text=text, confidence=self._line.confidence, final=False)

    async def finish(self) -> Transcript:
        """The whole line. Raises AsrUnavailable where the line says so, or after the end."""
        self._check("finish")
        self.close()
        words = tuple(
            Word(text=text, start=i * WORD_SECONDS, end=(i + 1) * WORD_SECONDS, confidence=self._line.confidence)
            for i, text in enumerate(self._line.text.split())
        )
        mean = self._line.confidence if words else 0.0
        return Transcript(text=" ".join(word.text for word in words), confidence=mean, words=words)

    def close(self) -> None:
        """Give up; more than once is fine."""
        self._closed = True

    def _check(self, step: str) -> None:
        if self._closed or self._line.fails == step:
            raise AsrUnavailable(f"scripted: no {step}")
