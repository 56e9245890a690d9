"""Tries a model on one piece of audio: what it hears, how fast it is, what memory it takes."""

import resource
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from asr_models.errors import BadAudio
from asr_models.pool import DecodePool
from asr_models.port import SAMPLE_RATE, Transcript
from asr_models.vosk_engine import load
from asr_models.wav import telephone

SENTENCE = "I have an itchy rash on my arm for three days"
"""Spoken by espeak-ng where the operator gives no file."""
PIECE_BYTES = SAMPLE_RATE // 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of it."""

    transcript: Transcript
    """What was heard."""
    audio_seconds: float
    """Length of the audio."""
    load_seconds: float
    """Time to load the model."""
    decode_seconds: float
    """Time to recognise the audio, on one core."""
    memory_bytes: int
    """What the model and the decoding added to this process."""

    @property
    def real_time_factor(self) -> float:
        """Seconds of work a second of speech."""
        return self.decode_seconds / self.audio_seconds if self.audio_seconds else 0.0


async def attempt(path: Path, pcm: bytes) -> Trial:
    """Load the model in a folder and recognise the audio. Raises ModelError, AsrUnavailable."""
    before, pool = _resident(), DecodePool(threads=1)
    try:
        started = time.perf_counter()
        recogniser = await load(path, pool)
        loaded = time.perf_counter()
        stream = recogniser.stream()
        for start in range(0, len(pcm), PIECE_BYTES):
            await stream.feed(pcm[start : start + PIECE_BYTES])
        transcript = await stream.finish()
        done = time.perf_counter()
    finally:
        pool.close()
    return Trial(
        transcript=transcript,
        audio_seconds=len(pcm) / 2 / SAMPLE_RATE,
        load_seconds=loaded - started,
        decode_seconds=done - loaded,
        memory_bytes=max(0, _resident() - before),
    )


def spoken(language: str) -> bytes:
    """A test sentence as telephone audio. Raises BadAudio where there is no sentence in the language, or no voice."""
    if not language.lower().startswith("en"):
        raise BadAudio(f"There is no test sentence in {language}: give a WAV file.")
    voice = shutil.which("espeak-ng")
    if voice is None:
        raise BadAudio("espeak-ng is not installed: give a WAV file.")
    made = subprocess.run([voice, "-v", "en-us", "--stdout"], input=SENTENCE.encode(), capture_output=True, check=False)
    if made.returncode:
        raise BadAudio("espeak-ng could not speak the test sentence: give a WAV file.")
    quiet = bytes(SAMPLE_RATE)
    return quiet + telephone(made.stdout, "the voice of espeak-ng") + quiet


def _resident() -> int:
    """Memory of this process in RAM, in bytes (Linux: proc(5), statm)."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
