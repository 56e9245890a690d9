import asyncio
from functools import lru_cache

import pytest

from ivr.audio.convert import mix_noise, mulaw_decode, mulaw_encode
from ivr.audio.endpointing import Endpointer, SpeechEnded, SpeechStarted, patience_for
from ivr.audio.format import frames, seconds, silence
from ivr.audio.tones import DTMF, accept_beep, comfort_noise, dtmf, pink_noise, ringback, white_noise
from ivr.audio.vad import VoiceActivity
from ivr.voices.flite import VOICES, FliteVoice

SENTENCE = "my daughter has an itchy rash for three days"


@lru_cache
def spoken(text: str, voice: str = "slt") -> bytes:
    return asyncio.run(FliteVoice(voice).speak(text, keep=False))


def heard(pcm: bytes, expect: str = "open") -> list[SpeechStarted | SpeechEnded]:
    """Utterances found in the audio after it went through a G.711 telephone."""
    vad, endpointer = VoiceActivity(), Endpointer(patience_for(expect))
    events = [endpointer.feed(vad.speech(frame)) for frame in frames(mulaw_decode(mulaw_encode(pcm)))]
    return [event for event in events if isinstance(event, SpeechStarted | SpeechEnded)]


@pytest.mark.parametrize("dbfs", [-50, -40, -30])
@pytest.mark.parametrize("make", [pink_noise, white_noise, comfort_noise])
def test_steady_noise_is_no_voice(make: object, dbfs: float) -> None:
    assert callable(make)
    assert heard(make(20, dbfs, 7)) == []


def test_noise_that_comes_up_is_learnt_within_its_window() -> None:
    found = heard(silence(3) + pink_noise(10, -38))
    assert len(found) <= 2
    assert all(event.at < 3 + 1.5 + 0.8 for event in found)


@pytest.mark.parametrize("key", DTMF)
def test_a_key_is_no_voice(key: str) -> None:
    for length in (0.06, 0.1, 0.3):
        assert heard(comfort_noise(1) + dtmf(key, length) + comfort_noise(1)) == []


def test_tones_of_the_exchange_are_no_voice() -> None:
    assert heard(silence(1) + ringback() + accept_beep() + silence(1)) == []


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("text", ["yes", "no", "seven", SENTENCE])
def test_a_voice_is_found_soon_and_left_where_it_ends(voice: str, text: str) -> None:
    speech = spoken(text, voice)
    started, ended = heard(comfort_noise(2) + speech + comfort_noise(2))
    assert isinstance(started, SpeechStarted)
    assert isinstance(ended, SpeechEnded)
    assert 1.98 <= started.onset <= 2.25
    assert started.at <= 2.3
    assert ended.voice_end == pytest.approx(2 + seconds(speech), abs=0.3)
    assert ended.at == pytest.approx(ended.voice_end + patience_for("open").end_seconds, abs=0.021)


@pytest.mark.parametrize("snr", [20, 10])
def test_a_voice_is_found_in_a_noisy_room(snr: float) -> None:
    speech = silence(2) + spoken(SENTENCE) + silence(2)
    events = heard(mix_noise(speech, pink_noise(3, -30), snr))
    assert [type(event).__name__ for event in events] == ["SpeechStarted", "SpeechEnded"]
    assert events[0].at < 2.6


def test_a_caller_who_speaks_at_once_is_heard() -> None:
    assert isinstance(heard(spoken(SENTENCE) + silence(2))[0], SpeechStarted)


def test_a_slow_speaker_is_not_cut_off() -> None:
    """Pauses inside a sentence, each a little shorter than the patience."""
    parts = [spoken(text) for text in ("I have had", "a bad headache", "since yesterday morning")]
    for pause in (0.1, 0.25):
        events = heard(silence(2) + silence(pause).join(parts) + silence(2))
        assert [type(event).__name__ for event in events] == ["SpeechStarted", "SpeechEnded"]


def test_two_answers_are_two_utterances() -> None:
    events = heard(silence(1) + spoken("yes") + silence(1.5) + spoken("no") + silence(1), "yes_no")
    assert [type(event).__name__ for event in events] == ["SpeechStarted", "SpeechEnded"] * 2


def test_a_frame_has_one_size() -> None:
    with pytest.raises(ValueError, match="320"):
        VoiceActivity().speech(b"\0" * 160)
