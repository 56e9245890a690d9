"""What the second engine does around the library: long utterances, silence, figures, failures. The library itself is
heard in tests/contract."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from asr_models import engines, whisper_engine
from asr_models.errors import NotAModel
from asr_models.pool import DecodePool
from asr_models.port import SAMPLE_RATE, AsrUnavailable, Transcript
from asr_models.whisper_engine import WhisperRecogniser

LOUD = (3000 * np.sin(np.arange(SAMPLE_RATE) / 3)).astype("<i2").tobytes()


class Library:
    """Hears "Well" in every second of sound, and counts how it was asked."""

    def __init__(self, *, no_speech: float = 0.0, fails: bool = False) -> None:
        self.hf_tokenizer = SimpleNamespace(get_vocab=lambda: {"Ġ911": 7, "a": 8, "5%": 9, "<|30.00|>": 10})
        self.no_speech, self.fails = no_speech, fails
        self.lengths: list[float] = []
        self.suppressed: list[int] = []

    def transcribe(self, audio: Any, *, suppress_tokens: list[int], **_: Any) -> tuple[list[SimpleNamespace], None]:
        if self.fails:
            raise RuntimeError("boom")
        self.lengths.append(audio.size / 16000)
        self.suppressed = suppress_tokens
        said = [
            SimpleNamespace(word=" Well-known,", start=place + 0.2, end=place + 0.6, probability=0.9)
            for place in range(int(audio.size / 16000))
        ]
        return [SimpleNamespace(no_speech_prob=self.no_speech, avg_logprob=-2.0 * self.no_speech, words=said)], None


@pytest.fixture
def pool() -> Iterator[DecodePool]:
    made = DecodePool(threads=1)
    yield made
    made.close()


def _hear(library: Library, pcm: bytes, pool: DecodePool, every: float = 0.0) -> tuple[list[Transcript], Transcript]:
    recogniser = WhisperRecogniser(model=library, name="whisper x", pool=pool, language="en", every=every)

    async def go() -> tuple[list[Transcript], Transcript]:
        stream = recogniser.stream(("yes", "no"))
        told = [await stream.feed(pcm[at : at + 1600]) for at in range(0, len(pcm), 1600)]
        return [one for one in told if one], await stream.finish()

    return asyncio.run(go())


def test_a_long_utterance_is_heard_in_pieces_that_fit_and_times_go_on(pool: DecodePool) -> None:
    library = Library()
    pcm = LOUD * 23 + bytes(SAMPLE_RATE) + LOUD * 40
    partials, final = _hear(library, pcm, pool)
    assert partials == []
    assert max(library.lengths) <= whisper_engine.WINDOW_SECONDS
    assert sum(library.lengths) == pytest.approx(63.5, abs=0.1)
    assert library.lengths[0] == pytest.approx(23, abs=0.6), "cut in the silence"
    starts = [word.start for word in final.words]
    assert starts == sorted(starts)
    assert final.words[-1].end > 60
    assert set(final.text.split()) == {"well", "known"}
    assert all(word.start < word.end for word in final.words)


def test_partials_come_at_a_bounded_rate(pool: DecodePool) -> None:
    library = Library()
    partials, final = _hear(library, LOUD * 6, pool, every=1.5)
    assert 3 <= len(partials) <= 4
    assert len(library.lengths) == 5
    assert not any(partial.final for partial in partials)
    assert final.text.startswith(partials[-1].text)


def test_silence_is_never_given_to_the_library(pool: DecodePool) -> None:
    library = Library()
    assert _hear(library, bytes(80_000), pool)[1].text == ""
    assert library.lengths == []
    assert _hear(Library(no_speech=0.9), LOUD, pool)[1].text == "", "unlikely words in what is hardly speech"


def test_figures_are_not_heard(pool: DecodePool) -> None:
    library = Library()
    _hear(library, LOUD, pool)
    assert library.suppressed == [-1, 7, 9]


def test_a_failure_is_told_as_unavailable(pool: DecodePool) -> None:
    with pytest.raises(AsrUnavailable, match="Whisper failed"):
        _hear(Library(fails=True), LOUD, pool)


def test_a_folder_without_its_tokens_is_refused_before_anything_is_fetched(pool: DecodePool, tmp_path: Path) -> None:
    for name in whisper_engine.FILES[:-1]:
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(NotAModel, match=r"tokenizer\.json is missing"):
        whisper_engine.load_now(tmp_path, pool)


def test_a_model_of_no_use_for_the_language_is_not_taken(tmp_path: Path, pool: DecodePool) -> None:
    assert whisper_engine.find("de", tmp_path) is None
    assert engines.ready("de", tmp_path) == ()
    for folder in ("whisper-base.en", "whisper-small"):
        (tmp_path / folder).mkdir()
        for name in whisper_engine.FILES:
            (tmp_path / folder / name).write_bytes(b"x")
    if whisper_engine.installed():
        assert whisper_engine.find("de", tmp_path) == tmp_path / "whisper-small"
        assert whisper_engine.find("en-us", tmp_path) == tmp_path / "whisper-base.en"
        with pytest.raises(AsrUnavailable, match=r"cannot load the model whisper-base\.en"):
            whisper_engine.load_now(tmp_path / "whisper-base.en", pool)
