"""`triageline models`: one sentence and exit code 2 for whatever is wrong, never a traceback."""

import io
import wave
from pathlib import Path

import numpy as np
import pytest

from asr_models.commands import run
from asr_models.errors import BadAudio
from asr_models.wav import telephone


def _run(root: Path, *argv: str, mirror: str | None = None, language: str = "en") -> tuple[int, str]:
    said: list[str] = []
    wrong: list[str] = []
    code = run(argv, root=root, mirror=mirror, configured=None, language=language, out=said.append, err=wrong.append)
    assert (code == 2) == bool(wrong), "what is wrong goes to standard error, everything else does not"
    return code, "\n".join(wrong or said)


def _wav(samples: np.ndarray, rate: int, width: int = 2, channels: int = 1) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return made.getvalue()


def test_list_names_every_model_and_says_which_answers(tmp_path: Path) -> None:
    code, text = _run(tmp_path, "list", language="de")
    assert code == 0
    assert "vosk-model-small-en-us-0.15" in text
    assert "keypad menu answers" in text


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        ((), "required"),
        (("fly",), "invalid choice"),
        (("install",), "required"),
        (("install", "xx-unknown"), "There is no model called 'xx-unknown'"),
        (("install", "vosk-model-small-en-us-0.51"), "did you mean vosk-model-small-en-us-0.15"),
        (("remove", "vosk-model-small-de-0.15"), "No model called"),
        (("adapt", "vosk-model-small-de-0.15"), "is not installed"),
        (("adapt", "/"), "am/final.mdl is missing"),
        (("test", "/"), "am/final.mdl is missing"),
        (("test", "vosk-model-small-de-0.15"), "is not installed"),
    ],
)
def test_bad_input_is_one_sentence_and_code_2(tmp_path: Path, argv: tuple[str, ...], sentence: str) -> None:
    code, text = _run(tmp_path, *argv)
    assert code == 2
    assert sentence in text
    assert "\n" not in text


def test_an_unreachable_publisher_is_code_2(tmp_path: Path) -> None:
    code, text = _run(tmp_path, "install", "de", mirror="http://127.0.0.1:9")
    assert code == 2
    assert "127.0.0.1:9 cannot be reached" in text


def test_a_models_folder_that_is_a_file_is_code_2(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("")
    code, text = _run(tmp_path / "models", "install", "de", mirror="http://127.0.0.1:9")
    assert (code, "models" in text, "\n" in text) == (2, True, False)


def test_help_is_no_error(tmp_path: Path) -> None:
    code, text = _run(tmp_path, "--help")
    assert (code, "install" in text) == (0, True)


@pytest.mark.parametrize("name", ["list", "install", "adapt", "remove", "test"])
def test_every_command_has_help_of_its_own(tmp_path: Path, name: str) -> None:
    code, text = _run(tmp_path, name, "--help")
    assert code == 0
    assert f"triageline models {name}" in text
    assert len(text.splitlines()) > 4


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 6000])
def test_any_rate_becomes_telephone_audio(rate: int) -> None:
    tone = (10000 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype("<i2")
    heard = np.frombuffer(telephone(_wav(tone, rate), "tone"), "<i2").astype(float)
    assert abs(heard.size - 8000) <= 1
    spectrum = np.abs(np.fft.rfft(heard[:8000], 8000))
    assert abs(int(spectrum.argmax()) - 440) <= 1
    assert 0.9 < np.abs(heard[1000:7000]).max() / 10000 < 1.1


def test_what_a_telephone_cannot_carry_is_filtered_not_folded() -> None:
    tone = (10000 * np.sin(2 * np.pi * 6000 * np.arange(16000) / 16000)).astype("<i2")
    heard = np.frombuffer(telephone(_wav(tone, 16000), "tone"), "<i2").astype(float)
    assert np.abs(heard[1000:-1000]).max() < 100


def test_stereo_and_eight_bits_are_taken() -> None:
    both = np.repeat(np.array([1000, -500], "<i2")[None, :], 800, axis=0)
    assert set(np.frombuffer(telephone(_wav(both, 8000, channels=2), "x"), "<i2")) == {250}
    assert set(np.frombuffer(telephone(_wav(np.full(800, 129, "u1"), 8000, width=1), "x"), "<i2")) == {256}


@pytest.mark.parametrize("data", [b"", b"RIFF", b"no wav at all", _wav(np.zeros(9, "<i4"), 8000, width=4)])
def test_other_files_are_refused_by_name(data: bytes) -> None:
    with pytest.raises(BadAudio, match=r"call\.wav"):
        telephone(data, "call.wav")
