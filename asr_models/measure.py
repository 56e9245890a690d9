"""Word errors of a model on sentences that nobody fitted it to, spoken on the spot or taken from a folder of WAV files.

Simulated voices say which of two models is better, not how well callers will be understood.
"""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from asr_models import adapt_texts
from asr_models.errors import BadAudio
from asr_models.pool import DecodePool
from asr_models.port import SAMPLE_RATE, Recogniser
from asr_models.vosk_engine import load_now
from asr_models.wav import telephone

FLITE = ("slt", "rms")
"""English voices besides espeak-ng's, where flite is installed."""
QUIET = bytes(SAMPLE_RATE)
PIECE_BYTES = SAMPLE_RATE // 5
SECONDS = 30.0
"""Longest that models are compared."""
_SPEAKING_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One utterance."""

    words: tuple[str, ...]
    """What is said."""
    pcm: bytes
    """How it sounds: telephone audio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What came of it."""

    utterances: int
    """Heard before time was up."""
    words: int
    """Said in them."""
    errors: int
    """Words wrong, missing or too many."""
    whole: int
    """Utterances without an error."""

    @property
    def rate(self) -> float:
        """Word error rate, 0 to 1 and more."""
        return self.errors / self.words if self.words else 0.0


def aside(language: str) -> Path | None:
    """The sentences set aside that come with the program, if there are any in the language."""
    path = adapt_texts.SENTENCES / f"{language.lower().partition('-')[0]}.aside"
    return path if path.is_file() else None


def cases(source: Path, language: str) -> list[Case]:
    """The utterances of a folder of WAV files with texts beside them, or of a file of sentences, which are spoken.
    Raises BadAudio, BadTexts."""
    found = list(_recorded(source) if source.is_dir() else _spoken(source, language))
    if not found:
        what = "WAV file with a .txt beside it" if source.is_dir() else "sentence"
        raise BadAudio(f"{source} holds no {what} to measure with.")
    return found


def compare(models: Sequence[Path], said: Sequence[Case], seconds: float = SECONDS) -> list[Measured]:
    """What models hear freely in the same utterances: as many as fit into `seconds`, at least one; 0.1 s of work each.
    Raises ModelError, AsrUnavailable."""
    pool = DecodePool(threads=1)
    try:
        recognisers = [load_now(model, pool) for model in models]
        end = time.monotonic() + seconds
        heard: list[list[list[str]]] = [[] for _ in models]
        for case in said:
            if heard[0] and time.monotonic() > end:
                break
            for recogniser, texts in zip(recognisers, heard, strict=True):
                texts.append(asyncio.run(_hear(recogniser, case.pcm)).split())
    finally:
        pool.close()
    return [_measured(said, texts) for texts in heard]


def _measured(said: Sequence[Case], heard: Sequence[Sequence[str]]) -> Measured:
    pairs = [(list(case.words), list(words)) for case, words in zip(said, heard, strict=False)]
    return Measured(
        utterances=len(pairs),
        words=sum(len(wanted) for wanted, _ in pairs),
        errors=sum(errors(wanted, words) for wanted, words in pairs),
        whole=sum(wanted == words for wanted, words in pairs),
    )


def errors(wanted: Sequence[str], heard: Sequence[str]) -> int:
    """Words to put in, leave out or exchange to get from one row to the other (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for count, word in enumerate(wanted, start=1):
        before, row[0] = row[0], count
        for place, other in enumerate(heard, start=1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (word != other))
    return row[-1]


async def _hear(recogniser: Recogniser, pcm: bytes) -> str:
    stream = recogniser.stream()
    for start in range(0, len(pcm), PIECE_BYTES):
        await stream.feed(pcm[start : start + PIECE_BYTES])
    return (await stream.finish()).text


def _recorded(folder: Path) -> Iterator[Case]:
    for path in sorted(folder.glob("*.wav")):
        text = path.with_suffix(".txt")
        said = adapt_texts.words(" ".join(adapt_texts.lines(text))) if text.is_file() else []
        if said:
            yield Case(words=tuple(said), pcm=telephone(path.read_bytes(), path.name))


def _spoken(file: Path, language: str) -> Iterator[Case]:
    """Every sentence in one voice after another, so that all voices are heard when time is short."""
    commands = list(_voices(language))
    if not commands:
        raise BadAudio("espeak-ng is not installed, so nothing can be spoken: give a folder of WAV files and texts.")
    for place, text in enumerate(adapt_texts.lines(file)):
        if said := adapt_texts.words(text):
            for turn in range(len(commands)):
                yield Case(
                    words=tuple(said), pcm=QUIET + _voice(commands[(place + turn) % len(commands)], text) + QUIET
                )


def _voices(language: str) -> Iterator[tuple[str, ...]]:
    english = language.lower().startswith("en")
    if found := shutil.which("espeak-ng"):
        yield (found, "-v", "en-us" if english else language, "--stdout")
    if english and (found := shutil.which("flite")):
        for voice in FLITE:
            yield (found, "-voice", voice, "-o", "/dev/stdout", "-t")


def _voice(command: tuple[str, ...], text: str) -> bytes:
    made = subprocess.run([*command, text], capture_output=True, check=False, timeout=_SPEAKING_SECONDS)
    if made.returncode or not made.stdout:
        raise BadAudio(f"{Path(command[0]).name} could not speak a sentence: give a folder of WAV files and texts.")
    return telephone(made.stdout, Path(command[0]).name)
