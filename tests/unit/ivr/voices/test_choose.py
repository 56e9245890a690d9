import asyncio
from pathlib import Path

import pytest

from ivr.audio.format import seconds
from ivr.ports import VoiceError
from ivr.voices.choose import assemble, choose, problem, usable
from ivr.voices.espeak import EspeakVoice
from ivr.voices.flite import FliteVoice
from ivr.voices.piper_voice import PiperVoice, bundled_model
from ivr.voices.pyttsx3_voice import Pyttsx3Voice


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("piper", "piper en_US-joe-medium 1 r1"),
        ("espeak", "espeak-ng en-us 160 r1"),
        ("espeak:en-us+f3", "espeak-ng en-us+f3 160 r1"),
        ("flite:rms", "flite rms r1"),
        ("pyttsx3", "pyttsx3 default 160 r1"),
        ("silent", "silent"),
    ],
)
def test_a_name_becomes_a_voice(name: str, shown: str) -> None:
    assert problem(name) is None
    assert choose(name).name == shown


@pytest.mark.parametrize(
    "name", ["", "alexa", "piper:/no/such/model.onnx", "flite:/etc/passwd", "espeak:-f x", "flite:x"]
)
def test_a_voice_that_cannot_be_used_is_one_sentence(name: str) -> None:
    with pytest.raises(VoiceError) as caught:
        choose(name)
    assert str(caught.value)
    assert "\n" not in str(caught.value)


def test_everything_of_the_set_up_is_usable_here() -> None:
    assert usable() == ("piper", "espeak", "pyttsx3", "flite")


def test_voices_that_cannot_be_used_are_left_out(tmp_path: Path) -> None:
    assert assemble(["piper:/no/such.onnx", "espeak"], None).name == "espeak-ng en-us 160 r1"
    with pytest.raises(VoiceError, match="Piper model"):
        assemble(["piper:/no/such.onnx"], None)
    with pytest.raises(VoiceError, match="No voice"):
        assemble([], None)


@pytest.mark.parametrize(
    "voice",
    [
        EspeakVoice("zz-nonsense"),
        EspeakVoice(program="no-such-program"),
        EspeakVoice(program="/bin/true"),
        EspeakVoice(program="/bin/false"),
        FliteVoice(program="/bin/true"),
        Pyttsx3Voice("no such voice"),
        EspeakVoice(timeout=0.0001),
    ],
    ids=lambda voice: voice.name,
)
def test_an_engine_that_fails_is_a_voice_error(voice: EspeakVoice | FliteVoice | Pyttsx3Voice) -> None:
    with pytest.raises(VoiceError) as caught:
        asyncio.run(voice.speak("marzipan", keep=False))
    assert "marzipan" not in str(caught.value)


@pytest.mark.parametrize(("model", "settings"), [(b"no model", b"{}"), (b"", b"no json"), (b"x", None)])
def test_a_piper_model_that_is_none_is_a_voice_error(tmp_path: Path, model: bytes, settings: bytes | None) -> None:
    path = tmp_path / "voice.onnx"
    path.write_bytes(model)
    if settings is not None:
        (tmp_path / "voice.onnx.json").write_bytes(settings)
    voice = PiperVoice(path)
    for _ in range(2):
        with pytest.raises(VoiceError):
            asyncio.run(voice.speak("hello", keep=False))
    voice.close()


def test_piper_is_loaded_once_for_calls_that_come_together() -> None:
    model = bundled_model()
    assert model is not None

    async def scene() -> list[bytes]:
        voice = PiperVoice(model)
        await voice.load()
        try:
            return await asyncio.gather(*(voice.speak("yes", keep=False) for _ in range(4)))
        finally:
            voice.close()

    assert all(0.2 < seconds(pcm) < 2 for pcm in asyncio.run(scene()))


def test_a_closed_piper_says_so() -> None:
    model = bundled_model()
    assert model is not None
    voice = PiperVoice(model)
    voice.close()
    with pytest.raises(VoiceError):
        asyncio.run(voice.speak("hello", keep=False))
