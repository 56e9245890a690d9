"""Recogniser over Vosk: one shared model, one decoder per utterance, decoding on a pool of threads.

Vosk ends an utterance by itself after half a second of silence; whether the caller has finished is decided elsewhere,
so its segments are collected and joined. Its times count from the first sample fed, across segments.
"""

import json
import math
import threading
from functools import partial
from pathlib import Path
from typing import Any

import vosk

from asr_models import folder, grammar
from asr_models.grammar import Grammar
from asr_models.pool import DecodePool
from asr_models.port import SAMPLE_RATE, AsrUnavailable, Transcript, Word

CHUNK_BYTES = SAMPLE_RATE // 10 * 2
"""Audio is handed to the decoder in pieces of 100 ms: ten thread switches a second instead of fifty."""
GRAMMARS_KEPT = 256
"""Questions are few and fixed, so their grammars are made once; the bound is against a caller of ours gone wild."""
ALTERNATIVES = 10
"""Readings of a free utterance that are looked through for dangers: docs/benchmarks.md says what they gain and cost."""


class VoskRecogniser:
    """One Vosk model, shared by every call of the process. Make it with `load`."""

    def __init__(self, *, model: Any, name: str, pool: DecodePool, fillers: tuple[str, ...], dynamic: bool) -> None:
        self._model = model
        self._name = name
        self._pool = pool
        self._fillers = fillers
        self._dynamic = dynamic
        self._grammars: dict[tuple[str, ...], Grammar | None] = {}

    @property
    def name(self) -> str:
        """Engine and model."""
        return self._name

    @property
    def dropped_phrases(self) -> int:
        """Expected phrases that this model cannot hear, over all grammars made so far."""
        return sum(made.dropped for made in self._grammars.values() if made)

    def stream(self, hints: tuple[str, ...] = ()) -> "VoskStream":
        """Start an utterance; nothing is computed before the first audio. A static graph takes no grammar: then the
        hints are ignored and speech is free."""
        return VoskStream(decoder=_Decoder(self, hints if self._dynamic else ()), pool=self._pool)

    def _open(self, hints: tuple[str, ...]) -> tuple[Any, Grammar | None]:
        expected = self._grammar(hints) if hints else None
        arguments = (expected.source,) if expected else ()
        decoder = vosk.KaldiRecognizer(self._model, float(SAMPLE_RATE), *arguments)
        decoder.SetWords(True)
        if expected is None:
            # Not with a grammar: with several readings Vosk gives no confidence, and the second look goes by it.
            decoder.SetMaxAlternatives(ALTERNATIVES)
        # Not SetPartialWords: it holds partials back by half a second and more, and a red flag cannot wait for that.
        return decoder, expected

    def _grammar(self, hints: tuple[str, ...]) -> Grammar | None:
        if hints not in self._grammars:
            if len(self._grammars) >= GRAMMARS_KEPT:
                self._grammars.clear()
            self._grammars[hints] = grammar.build(hints, self._knows, self._fillers)
        return self._grammars[hints]

    def _knows(self, word: str) -> bool:
        return int(self._model.vosk_model_find_word(word)) >= 0


async def load(path: Path, pool: DecodePool) -> VoskRecogniser:
    """Load a model folder off the event loop (0.2 s for the demo model, a minute for the largest).

    Raises NotAModel for a folder without the files of a model, AsrUnavailable where Vosk cannot read them."""
    return await pool.run(partial(load_now, path, pool))


def load_now(path: Path, pool: DecodePool) -> VoskRecogniser:
    """`load` for programs without an event loop."""
    found = folder.inspect(path)
    vosk.SetLogLevel(-1)
    try:
        model = vosk.Model(str(found.path))
        # A broken graph shows only when a decoder is made of it: better now than in the first call.
        vosk.KaldiRecognizer(model, float(SAMPLE_RATE)).AcceptWaveform(bytes(CHUNK_BYTES))
    except Exception as error:
        raise AsrUnavailable(f"Vosk cannot load the model {found.path.name}") from error
    return VoskRecogniser(
        model=model,
        name=f"vosk {found.path.resolve().name}",
        pool=pool,
        fillers=_fillers(found.words),
        dynamic=found.dynamic,
    )


def _fillers(words: Path | None) -> tuple[str, ...]:
    """Words that stand for the unexpected in a grammar; models without a list of words know "[unk]" themselves."""
    if words is None:
        return ()
    with words.open(encoding="utf-8") as lines:
        return grammar.fillers(grammar.vocabulary(lines))


class VoskStream:
    """One utterance."""

    def __init__(self, *, decoder: "_Decoder", pool: DecodePool) -> None:
        self._decoder: _Decoder | None = decoder
        self._pool = pool
        self._waiting = bytearray()
        self._shown = ""

    async def feed(self, pcm: bytes) -> Transcript | None:
        """Take audio; the partial transcript where its words changed. Raises AsrUnavailable."""
        decoder = self._open()
        self._waiting += pcm
        if len(self._waiting) < CHUNK_BYTES:
            return None
        partly = await self._pool.run(partial(decoder.accept, self._take()))
        if partly.text == self._shown:
            return None
        self._shown = partly.text
        return partly

    async def finish(self) -> Transcript:
        """The whole utterance. Raises AsrUnavailable."""
        decoder = self._open()
        rest = self._take()
        self.close()
        return await self._pool.run(partial(decoder.finish, rest))

    def close(self) -> None:
        """Give the stream up; a piece that is being decoded ends by itself."""
        self._decoder = None
        self._waiting.clear()

    def _open(self) -> "_Decoder":
        if self._decoder is None:
            raise AsrUnavailable("the stream is closed")
        return self._decoder

    def _take(self) -> bytes:
        """Everything that waits, in whole samples."""
        whole = len(self._waiting) // 2 * 2
        chunk = bytes(self._waiting[:whole])
        del self._waiting[:whole]
        return chunk


class _Decoder:
    """The part of a stream that lives on the pool's threads. The lock is for an utterance given up by its caller in the
    middle of a piece and finished at once: Kaldi's decoder must never be entered twice."""

    def __init__(self, owner: VoskRecogniser, hints: tuple[str, ...]) -> None:
        self._owner = owner
        self._hints = hints
        self._lock = threading.Lock()
        self._kaldi: Any = None
        self._grammar: Grammar | None = None
        self._words: list[Word] = []
        self._readings: list[tuple[str, ...]] = []

    def accept(self, pcm: bytes) -> Transcript:
        """Decode a piece; all words so far. Vosk gives no confidence before the end: 1 stands for it."""
        with self._lock:
            try:
                still_open = self._decode(pcm)
                words = [*(word.text for word in self._words), *still_open]
                return Transcript(text=" ".join(words), confidence=1.0 if words else 0.0, final=False)
            except Exception as error:
                raise AsrUnavailable("Vosk failed in the middle of an utterance") from error

    def finish(self, pcm: bytes) -> Transcript:
        """Decode the last piece; the whole utterance."""
        with self._lock:
            try:
                self._decode(pcm)
                self._keep(self._kaldi.FinalResult())
            except Exception as error:
                raise AsrUnavailable("Vosk failed at the end of an utterance") from error
            self._kaldi = None
            return _final(tuple(self._words), self._readings)

    def _decode(self, pcm: bytes) -> list[str]:
        """Take audio; the words of the segment that is still open."""
        if self._kaldi is None:
            self._kaldi, self._grammar = self._owner._open(self._hints)
        if self._kaldi.AcceptWaveform(pcm):
            self._keep(self._kaldi.Result())
            return []
        return [self._show(word) for word in json.loads(self._kaldi.PartialResult())["partial"].split()]

    def _keep(self, result: str) -> None:
        """A finished segment: its words, and its other readings."""
        told = json.loads(result)
        readings = told.get("alternatives")
        rows = _weighed(readings) if readings else told.get("result", ())
        self._words.extend(
            Word(
                text=self._show(row["word"]),
                start=row["start"],
                end=row["end"],
                confidence=min(1.0, max(0.0, row["conf"])),
            )
            for row in rows
        )
        texts = tuple(reading["text"].strip() for reading in readings or ())
        self._readings.append(texts or (" ".join(self._show(row["word"]) for row in rows),))

    def _show(self, word: str) -> str:
        return self._grammar.show(word) if self._grammar else word


def _final(words: tuple[Word, ...], segments: list[tuple[str, ...]]) -> Transcript:
    mean = sum(word.confidence for word in words) / len(words) if words else 0.0
    text = " ".join(word.text for word in words)
    return Transcript(text=text, confidence=mean, words=words, alternatives=_otherwise(segments, text))


def _otherwise(segments: list[tuple[str, ...]], text: str) -> tuple[str, ...]:
    """The utterance with one segment at a time read otherwise, the likelier readings first."""
    best = [readings[0] for readings in segments]
    found = [
        " ".join(filter(None, [*best[:place], reading, *best[place + 1 :]]))
        for rank in range(1, ALTERNATIVES)
        for place, readings in enumerate(segments)
        for reading in readings[rank : rank + 1]
    ]
    return tuple(other for other in dict.fromkeys(found) if other and other != text)


def _weighed(readings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The words of the likeliest reading. A word's confidence is the share of all readings, weighed by how likely each
    is, that have the same word at the same time."""
    best = readings[0]["confidence"]
    weights = [math.exp(reading["confidence"] - best) for reading in readings]
    pairs, whole = list(zip(weights, readings, strict=True)), sum(weights)
    rows: list[dict[str, Any]] = readings[0].get("result", [])
    return [row | {"conf": sum(weight for weight, other in pairs if _has(other, row)) / whole} for row in rows]


def _has(reading: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether a reading has the same word at about the same time."""
    return any(
        other["word"] == row["word"] and other["start"] < row["end"] and row["start"] < other["end"]
        for other in reading.get("result", ())
    )
