"""How well an engine hears: word error rate, real-time factor and delay over folders of WAV files with texts beside.

    python -m scripts.bench.asr FOLDER... [--model DIR|whisper ...] [--grammar] [--threads 1,2]
        [--speak FILE [--voices slt,rms,espeak,joe] [--to FOLDER]]

Without --model everything there is runs against everything else: all folders of var/models, and Whisper where it is
installed. `--speak` first makes a folder for each voice from a file of sentences, through the telephone's own coding.
`--grammar` lets the texts of a folder be the only expected answers. `--threads` decodes many callers at once and says
how many could speak without pause.
"""

import argparse
import asyncio
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import jiwer

from asr_models import whisper_engine
from asr_models.adapt_texts import lines, words
from asr_models.errors import ModelError
from asr_models.pool import DecodePool
from asr_models.port import SAMPLE_RATE, AsrUnavailable, Recogniser
from asr_models.vosk_engine import load_now
from asr_models.wav import telephone
from scripts.bench.spoken import machine, speak

FRAME = SAMPLE_RATE // 50 * 2
MODELS = Path("var/models")
TOGETHER = 16
"""Callers at once in the trial of threads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One file."""

    words: tuple[str, ...]
    """What is said."""
    pcm: bytes
    """Telephone audio."""

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.pcm) / 2 / SAMPLE_RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What came of one folder."""

    error: float
    """Word error rate, 0 to 1 and more."""
    whole: float
    """Share of utterances heard without an error."""
    factors: tuple[float, ...]
    """Seconds of work a second of audio, for each utterance."""
    delays: tuple[float, ...]
    """Seconds from the end of the audio to the final words, for each utterance."""
    speakers: float
    """Callers who could speak without pause on one core: seconds of audio a second of processor time."""


def utterances(folder: Path) -> list[Utterance]:
    """Every WAV file that has a text. Raises ValueError where there is none."""
    found = []
    for path in sorted(folder.glob("*.wav")):
        text = path.with_suffix(".txt")
        said = words(text.read_text(encoding="utf-8")) if text.is_file() else []
        if said:
            found.append(Utterance(words=tuple(said), pcm=telephone(path.read_bytes(), path.name)))
    if not found:
        raise ValueError(f"{folder} holds no WAV file with a text beside it.")
    return found


def score(recogniser: Recogniser, said: Sequence[Utterance], hints: tuple[str, ...] = ()) -> Score:
    """Recognise them one after another."""
    heard, factors, delays = [], list[float](), list[float]()
    processor = time.process_time()
    for one in said:
        started = time.perf_counter()
        text, delay = asyncio.run(hear(recogniser, one.pcm, hints))
        heard.append(text)
        delays.append(delay)
        factors.append((time.perf_counter() - started) / one.seconds)
    processor = time.process_time() - processor
    wanted = [" ".join(one.words) for one in said]
    return Score(
        error=float(jiwer.wer(wanted, heard)),
        whole=sum(one == other for one, other in zip(wanted, heard, strict=True)) / len(wanted),
        factors=tuple(factors),
        delays=tuple(delays),
        speakers=sum(one.seconds for one in said) / processor,
    )


async def hear(recogniser: Recogniser, pcm: bytes, hints: tuple[str, ...]) -> tuple[str, float]:
    """The words, and how long they took after the end of the audio."""
    stream = recogniser.stream(hints)
    for start in range(0, len(pcm), FRAME):
        await stream.feed(pcm[start : start + FRAME])
    ended = time.perf_counter()
    final = await stream.finish()
    return final.text, time.perf_counter() - ended


async def crowd(recogniser: Recogniser, said: Sequence[Utterance]) -> float:
    """Seconds of audio a second of real time, with many callers at once."""
    waiting = iter(said)

    async def caller() -> float:
        done = 0.0
        for one in waiting:
            await hear(recogniser, one.pcm, ())
            done += one.seconds
        return done

    started = time.perf_counter()
    return sum(await asyncio.gather(*(caller() for _ in range(TOGETHER)))) / (time.perf_counter() - started)


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def row(name: str, folder: Path, count: int, found: Score) -> str:
    """One line of the table."""
    late = "/".join(f"{1000 * percentile(found.delays, share):.0f}" for share in (0.5, 0.95, 0.99))
    work = f"p50 {statistics.median(found.factors):.3f} p95 {percentile(found.factors, 0.95):.3f}"
    return (
        f"{name:34} {folder.name:20} {count:4} files  WER {100 * found.error:5.1f} %  whole {100 * found.whole:3.0f} %"
        f"  RTF {work}  delay p50/p95/p99 {late} ms  {found.speakers:.0f} speakers a core"
    )


def engines(asked: Sequence[str], pool: DecodePool) -> Iterator[Recogniser]:
    """The recognisers by folder or name; everything there is where none is named. Raises ModelError, ValueError."""
    names = list(asked) or [str(path) for path in sorted(MODELS.glob("vosk-model-*")) if path.is_dir()]
    if not asked and whisper_engine.find("en", MODELS):
        names.append(whisper_engine.NAME)
    for name in names:
        if name != whisper_engine.NAME:
            yield load_now(Path(name), pool)
            continue
        path = whisper_engine.find("en", MODELS)
        if path is None:
            raise ValueError("Whisper is not installed: see requirements/whisper.in.")
        yield whisper_engine.load_now(path, pool, every=0.0)


def main(argv: Sequence[str]) -> int:
    """The exit code: 0, or 2 after one sentence."""
    asked = _parser().parse_args(argv)
    room = Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        folders = list(asked.folder)
        for voice in asked.voices.split(",") if asked.speak else ():
            sentences = list(lines(asked.speak))
            folders.append(speak(sentences, voice, (asked.to or room) / f"{asked.speak.stem}-{voice}"))
        if not folders:
            raise ValueError("Name a folder of WAV files, or a file of sentences with --speak.")
        print(machine(), flush=True)
        for threads in [int(one) for one in asked.threads.split(",")]:
            _trial(asked, [(folder, utterances(folder)) for folder in folders], threads)
    except (ValueError, ModelError, AsrUnavailable) as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(room)
    print(f"memory at its highest: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    return 0


def _trial(asked: argparse.Namespace, folders: Sequence[tuple[Path, list[Utterance]]], threads: int) -> None:
    """Every engine on every folder with so many decoding threads."""
    pool = DecodePool(threads=threads)
    try:
        for recogniser in engines(asked.model, pool):
            for folder, said in folders:
                hints = tuple(sorted({" ".join(one.words) for one in said})) if asked.grammar else ()
                print(row(recogniser.name, folder, len(said), score(recogniser, said, hints)), flush=True)
            if asked.crowd:
                fast = asyncio.run(crowd(recogniser, [one for _, said in folders for one in said]))
                print(f"{recogniser.name}: {TOGETHER} callers at once, {threads} threads: {fast:.0f} times real time")
    finally:
        pool.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench/asr", description="Word error rate, real-time factor, delay.")
    parser.add_argument("folder", nargs="*", type=Path, help="WAV files, each with a .txt beside it")
    parser.add_argument("--model", nargs="+", default=[], help='Vosk folders or "whisper"; all there is where left out')
    parser.add_argument("--grammar", action="store_true", help="expect only the texts of the folder")
    parser.add_argument("--threads", default="1", help="numbers of decoding threads to try, for example 1,2")
    parser.add_argument("--crowd", action="store_true", help=f"try {TOGETHER} callers at once, too")
    parser.add_argument("--speak", type=Path, help="a file of sentences, to be spoken first")
    parser.add_argument("--voices", default="slt,rms,awb,espeak", help="flite's voices, espeak[:variant], joe")
    parser.add_argument("--to", type=Path, help="keep what is spoken in this folder")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
