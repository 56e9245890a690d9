import numpy as np
import pytest

from ivr.audio import tones
from ivr.audio.convert import level, to_samples
from ivr.audio.format import seconds


def test_the_hold_loop_is_soft_and_closes_without_a_click() -> None:
    loop = tones.hold_loop()
    samples = to_samples(loop)
    assert seconds(loop) == 8.0
    assert -42 < level(samples) < -28
    assert abs(samples[0]) < 0.001 > abs(samples[-1])
    assert np.abs(np.diff(samples)).max() < 0.05


def test_ringback_is_one_second_on_and_four_off() -> None:
    samples = to_samples(tones.ringback())
    assert samples.size == 5 * 8000
    assert level(samples[:8000]) > -21
    assert not samples[8000:].any()
    spectrum = np.abs(np.fft.rfft(samples[:8000]))
    assert spectrum.argmax() == 425


def test_the_beep_is_short() -> None:
    assert seconds(tones.accept_beep()) == pytest.approx(0.14)


def test_a_key_has_its_two_frequencies() -> None:
    spectrum = np.abs(np.fft.rfft(to_samples(tones.dtmf("5", 1.0))))
    assert sorted(np.argsort(spectrum)[-2:].tolist()) == [770, 1336]
    with pytest.raises(KeyError):
        tones.dtmf("x")


def test_noise_has_its_level_and_repeats_by_seed() -> None:
    assert level(to_samples(tones.pink_noise(2, -40))) == pytest.approx(-40, abs=0.3)
    assert tones.white_noise(0.1, -40, 1) == tones.white_noise(0.1, -40, 1) != tones.white_noise(0.1, -40, 2)
    assert level(to_samples(tones.comfort_noise(1))) < -58
