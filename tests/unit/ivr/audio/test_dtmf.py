"""Keys as tones: what must be taken, what must not, and never a voice for a key."""

import asyncio
import random

import numpy as np
import pytest

from ivr.audio.convert import Samples, mulaw_decode, mulaw_encode, to_pcm
from ivr.audio.dtmf import SAME_SECONDS, DtmfDetector, Keys
from ivr.audio.format import FRAME_BYTES, FRAME_SECONDS, RATE, frames, silence
from ivr.audio.tones import DTMF, dtmf, hold_loop, pink_noise, ringback, tone, white_noise
from ivr.ports import Voice
from ivr.voices.espeak import EspeakVoice
from ivr.voices.flite import FliteVoice
from tests.calls.parts import prompts

ALL = "1234567890*#ABCD"
LEADS = (0.0, 0.0031, 0.0075, 0.0125, 0.0188)
"""Where the first tone begins in its frame, in seconds."""


def pressed(pcm: bytes) -> str:
    """The keys in a sound."""
    detector = DtmfDetector()
    return "".join(detector.feed(frame) for frame in frames(pcm))


def keys(
    which: str, *, on: float = 0.04, off: float = 0.04, dbfs: float = -20.0, shift: float = 0.0, twist: float = 0.0,
    lead: float = 0.0,
) -> Samples:  # fmt: skip
    """Keys one after the other. `shift`: relative error of both frequencies; `twist`: high over low in dB."""
    parts = [np.zeros(round(lead * RATE))]
    times = np.arange(round(on * RATE)) / RATE
    strength = 10 ** ((dbfs + 3) / 20)
    for key in which:
        low, high = DTMF[key]
        parts.append(strength * 10 ** (-twist / 40) * np.sin(2 * np.pi * low * (1 + shift) * times))
        parts[-1] = parts[-1] + strength * 10 ** (twist / 40) * np.sin(2 * np.pi * high * (1 - shift) * times + 1)
        parts.append(np.zeros(round(off * RATE)))
    return np.concatenate([*parts, np.zeros(round(0.1 * RATE))])


def line(samples: Samples, snr: float | None = None) -> bytes:
    """Through G.711, with white noise under it."""
    if snr is not None:
        power = np.mean(samples[samples != 0] ** 2) / 10 ** (snr / 10)
        samples = samples + np.random.default_rng(3).standard_normal(samples.size) * np.sqrt(power)
    return mulaw_decode(mulaw_encode(to_pcm(samples)))


@pytest.mark.parametrize("snr", [None, 20.0])
@pytest.mark.parametrize(
    "how",
    [{}, {"shift": 0.015}, {"shift": -0.015}, {"twist": 4.0}, {"twist": -8.0}, {"dbfs": -31.0}, {"dbfs": -9.0}],
    ids=str,
)
def test_what_the_recommendation_asks_for_is_taken(how: dict[str, float], snr: float | None) -> None:
    for lead in LEADS:
        assert pressed(line(keys(ALL, lead=lead, **how), snr)) == ALL


@pytest.mark.parametrize(
    "how",
    [{"shift": 0.035}, {"shift": -0.035}, {"on": 0.02}, {"twist": 12.0}, {"twist": -14.0}, {"dbfs": -48.0}],
    ids=str,
)
def test_what_is_no_key_is_not_taken(how: dict[str, float]) -> None:
    for lead in LEADS:
        assert pressed(line(keys(ALL, lead=lead, **how))) == ""


def test_a_long_press_is_one_key_and_a_pause_makes_two() -> None:
    assert pressed(dtmf("5", 3.0)) == "5"
    assert pressed(line(keys("55577", lead=0.007))) == "55577"


def test_lost_packets_neither_add_nor_swallow_keys() -> None:
    dice = random.Random(5)
    for lead in (0.0, 0.004, 0.011, 0.017):
        sound = line(keys("15927384", on=0.1, off=0.08, lead=lead), 20.0)
        heard = b"".join(bytes(FRAME_BYTES) if dice.random() < 0.03 else frame for frame in frames(sound))
        assert pressed(heard) == "15927384"


def test_other_sounds_of_a_line_are_no_keys() -> None:
    sounds = [tone((440,), 2.0, -15), tone((350, 440), 2.0, -15), tone((480, 620), 2.0, -15), tone((1100,), 2.0, -12)]
    sounds += [tone((2100,), 3.0, -12), tone((425,), 2.0, -15), ringback(), hold_loop()]
    sounds += [white_noise(20, -20), pink_noise(20, -20)]
    assert [pressed(one) for one in sounds] == [""] * len(sounds)


@pytest.mark.parametrize(
    "voice",
    [EspeakVoice("en-us"), EspeakVoice("en-us+f3"), FliteVoice("slt")],
    ids=lambda voice: str(voice.name),
)
def test_no_voice_presses_a_key(voice: Voice) -> None:
    """Every tenth sentence of the hotline; all of them, with more voices, were tried by hand."""

    async def speak() -> list[bytes]:
        return [await voice.speak(text, keep=False) for text in prompts().fixed("en")[::10]]

    sound = b"".join(asyncio.run(speak()))
    assert len(sound) > 40 * 2 * RATE
    assert pressed(mulaw_decode(mulaw_encode(sound))) == ""


def test_a_key_over_soft_speech_is_heard() -> None:
    said = asyncio.run(EspeakVoice().speak("i have something to tell you about my health", keep=False))
    speech = np.frombuffer(said, dtype="<i2").astype(float) / 32768
    press = keys("7", on=0.15, dbfs=-12)
    speech[4000 : 4000 + press.size] = speech[4000 : 4000 + press.size] * 0.1 + press
    assert pressed(line(speech)) == "7"


def test_the_tones_are_kept_from_the_recogniser() -> None:
    both = Keys()
    sounding = []
    for frame in frames(silence(0.2) + dtmf("3", 0.2) + silence(0.2)):
        both.hear(frame)
        sounding.append(both.sounding)
    assert 8 <= sum(sounding) <= 13
    assert not sounding[-1]


def hear(both: Keys, sound: bytes) -> str:
    """The keys that count in a sound."""
    return "".join(both.hear(frame) for frame in frames(sound))


def test_a_press_that_comes_twice_counts_once() -> None:
    both = Keys()
    assert hear(both, dtmf("1", 0.1)) == "1"
    assert both.signalled("1") == ""
    assert both.signalled("1") == "1", "the next press"
    assert hear(both, silence(0.1) + dtmf("2", 0.1)) == "", "what a gateway leaks is no key once the network tells keys"
    assert both.signalled("2") == "2"


def test_a_key_told_by_the_network_first_is_not_heard_again() -> None:
    both = Keys()
    assert both.signalled("4") == "4"
    assert hear(both, dtmf("4", 0.2)) == ""


def test_another_key_or_a_later_one_is_a_press_of_its_own() -> None:
    both = Keys()
    hear(both, dtmf("1", 0.1))
    assert both.signalled("2") == "2"
    later = Keys()
    hear(later, dtmf("1", 0.1) + silence(SAME_SECONDS + 10 * FRAME_SECONDS))
    assert later.signalled("1") == "1"


def test_a_frame_has_a_size() -> None:
    with pytest.raises(ValueError, match="320"):
        DtmfDetector().feed(b"")
