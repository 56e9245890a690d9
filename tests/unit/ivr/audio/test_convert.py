import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.audio.convert import (
    Samples,
    active_level,
    alaw_decode,
    level,
    limit,
    mix_noise,
    mulaw_decode,
    mulaw_encode,
    normalise,
    resample,
    to_pcm,
    to_samples,
)
from ivr.audio.format import RATE, silence
from ivr.audio.tones import pink_noise, tone

RATES = (11025, 16000, 22050, 24000, 44100, 48000)


def sine(hertz: float, rate: int, seconds: float = 1.0) -> Samples:
    return np.asarray(0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate), dtype=np.float64)


@pytest.mark.parametrize("rate", RATES)
def test_a_voice_frequency_passes_in_place(rate: int) -> None:
    result = resample(sine(1000, rate), rate)
    assert result.size == RATE
    error = (result - sine(1000, RATE))[400:-400]
    assert level(error) < -60


@pytest.mark.parametrize("rate", RATES)
def test_what_a_telephone_cannot_carry_does_not_fold_back(rate: int) -> None:
    assert level(resample(sine(5000, rate), rate)[400:-400]) < -60


def test_up_again_keeps_the_wave() -> None:
    assert level((resample(sine(1000, RATE), RATE, 22050) - sine(1000, 22050))[1000:-1000]) < -60


def test_resampling_refuses_nonsense_and_takes_nothing() -> None:
    with pytest.raises(ValueError, match="rate"):
        resample(sine(100, RATE), 0)
    assert resample(np.zeros(0), 44100).size == 0
    assert resample(np.ones(1), 44100).size == 1


@settings(deadline=None, max_examples=20)  # the filter of an odd rate is large
@given(st.integers(min_value=4000, max_value=192_000), st.integers(min_value=1, max_value=300))
def test_every_rate_gives_the_right_length(rate: int, count: int) -> None:
    assert resample(np.zeros(count), rate).size == -(-count * RATE // rate)


def test_pauses_do_not_count_in_the_active_level() -> None:
    speech = to_samples(tone((300, 700), 1.0, -26) + silence(3.0))
    assert active_level(speech) == pytest.approx(-26, abs=0.5)
    assert level(speech) < -31
    assert active_level(np.zeros(8000)) == -120


@pytest.mark.parametrize("dbfs", [-60, -40, -6])
def test_loudness_becomes_the_same(dbfs: float) -> None:
    speech = to_samples(tone((300, 710, 1210), 1.0, dbfs) + silence(1.0))
    assert active_level(normalise(speech)) == pytest.approx(-20, abs=0.5)


def test_silence_stays_silence() -> None:
    assert not normalise(np.zeros(800)).any()


def test_peaks_are_bent_not_broken() -> None:
    loud = np.linspace(-3, 3, 1001)
    quiet = limit(loud)
    assert np.abs(quiet).max() <= 10 ** (-1 / 20)
    assert (np.diff(quiet) >= 0).all()
    soft = np.linspace(-0.4, 0.4, 101)
    assert np.array_equal(limit(soft), soft)


def test_mulaw_is_g711() -> None:
    values = np.array([0, -1, 32767, -32768, 1000, -1000], dtype="<i2").tobytes()
    assert mulaw_encode(values) == bytes([0xFF, 0x7F, 0x80, 0x00, 0xCE, 0x4E])
    assert all(mulaw_encode(mulaw_decode(bytes([code]))) == bytes([code]) for code in range(256) if code != 0x7F)


@given(st.integers(min_value=-32768, max_value=32767))
def test_mulaw_error_is_small_against_the_value(value: int) -> None:
    back = int(np.frombuffer(mulaw_decode(mulaw_encode(np.int16(value).tobytes())), dtype="<i2")[0])
    assert abs(back - value) <= max(8, abs(value) * 0.04)


def test_alaw_is_g711() -> None:
    assert np.frombuffer(alaw_decode(bytes([0xD5, 0x55, 0xAA, 0x2A])), dtype="<i2").tolist() == [8, -8, 32256, -32256]


def test_noise_lies_so_far_below_the_speech() -> None:
    speech = tone((300, 700), 1.0, -20) + silence(1.0)
    mixed = mix_noise(speech, pink_noise(0.5, -30), 15)
    assert len(mixed) == len(speech)
    assert level(to_samples(mixed)[9000:]) == pytest.approx(-35, abs=0.7)
    with pytest.raises(ValueError, match="silent"):
        mix_noise(speech, silence(1), 10)


def test_clipping_does_not_wrap() -> None:
    assert to_samples(to_pcm(np.array([2.0, -2.0]))).tolist() == [32767 / 32768, -1.0]
