"""How a simulated person listens: pieces of speech between silences, transcribed and matched to known sentences."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from asr_models.port import Recogniser, RecogniserStream
from ivr.audio.format import FRAME_SECONDS
from ivr.audio.vad import VoiceActivity

PAUSE_SECONDS = 0.7
"""Silence after which the other side has finished; longer than the pauses between its sentences."""
FEED_FRAMES = 10
WORD = re.compile(r"[a-z']+|\d+")
LIKELY = 0.5
"""Share of a sentence's words that must be heard, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What the other side said between two silences."""

    start: float
    """Monotonic seconds of its first sound."""
    end: float
    """Monotonic seconds of its last sound."""
    text: str
    """As the person understood it."""
    guided: str = ""
    """The same, heard with the expected clauses in mind."""


class Listener:
    """Frames in, pieces out."""

    def __init__(self, recogniser: Recogniser, expected: tuple[str, ...] = ()) -> None:
        """`expected`: clauses that the other side may say. Everything is heard twice, with and without them."""
        self._recogniser = recogniser
        self._expected = expected
        self._vad = VoiceActivity()
        self._streams: tuple[RecogniserStream, ...] = ()
        self._buffer = b""
        self._run = 0
        self.start = 0.0
        """When the piece in progress began; 0 in silence."""
        self._last = 0.0

    async def frame(self, pcm: bytes, now: float) -> Piece | None:
        """Take 20 ms heard at `now` (monotonic); a piece where one has ended."""
        voiced = self._vad.speech(pcm)
        self._run = self._run + 1 if voiced else 0
        if voiced:
            self._last = now
        if not self._streams:
            self._buffer = (self._buffer + pcm)[-4800:]
            if self._run < 3:
                return None
            self.start = now - 3 * FRAME_SECONDS
            grammar = (self._recogniser.stream(self._expected),) if self._expected else ()
            self._streams = (self._recogniser.stream(), *grammar)
        else:
            self._buffer += pcm
        return await self._listen(now)

    async def _listen(self, now: float) -> Piece | None:
        ended = now - self._last >= PAUSE_SECONDS
        if ended or len(self._buffer) >= FEED_FRAMES * 320:
            buffer, self._buffer = self._buffer, b""
            for stream in self._streams:
                await stream.feed(buffer)
        if not ended:
            return None
        heard = [(await stream.finish()).text for stream in self._streams]
        for stream in self._streams:
            stream.close()
        piece = Piece(start=self.start, end=self._last, text=heard[0], guided=heard[-1])
        self._streams, self.start = (), 0.0
        return piece


def words(text: str) -> list[str]:
    """Lower-case words and digits."""
    return WORD.findall(text.lower())


def best_match(heard: tuple[str, ...], sentences: Mapping[str, str], likely: float = LIKELY) -> str:
    """Key of the sentence that was most probably said last in what was heard, given in one or more hearings; empty
    where none has the share `likely` of its words there, in order.

    Only the end of what was heard counts: a question stands at the end of what a machine says."""
    found: list[tuple[float, int, str]] = []
    for said in map(words, heard):
        for key, sentence in sentences.items():
            wanted = words(sentence)
            near = said[-len(wanted) - 4 :]
            blocks = SequenceMatcher(None, near, wanted, autojunk=False).get_matching_blocks()
            share = sum(block.size for block in blocks) / max(1, len(wanted))
            if share >= likely:
                found.append((round(share, 2), len(wanted), key))
    return max(found)[2] if found else ""


def clauses(sentences: Iterable[str]) -> tuple[str, ...]:
    """The parts between punctuation, lower case, for a grammar."""
    parts = {" ".join(words(part)) for sentence in sentences for part in re.split(r"[.,:;?!]", sentence)}
    return tuple(sorted(parts - {""}))
