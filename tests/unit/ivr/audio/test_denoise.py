"""The denoiser takes steady noise down, leaves a clean voice alone, and is one frame late."""

import numpy as np
import pytest

from ivr.audio import tones
from ivr.audio.convert import active_level, level, mix_noise, to_samples
from ivr.audio.denoise import Denoiser
from ivr.audio.format import FRAME_BYTES, frames, silence


def cleaned(pcm: bytes) -> bytes:
    denoiser = Denoiser()
    return b"".join(denoiser.clean(frame) for frame in frames(pcm))


@pytest.mark.parametrize("dbfs", [-50, -35])
def test_steady_noise_is_taken_down(dbfs: float) -> None:
    noise = tones.pink_noise(3, dbfs, seed=3)
    assert level(to_samples(cleaned(noise)[16000:])) < dbfs - 3


def test_a_clean_sound_keeps_its_level() -> None:
    sound = silence(0.5) + tones.tone((300, 700, 1900), 0.4, -20) + silence(0.5) + tones.tone((500, 900), 0.4, -20)
    assert active_level(to_samples(cleaned(sound))) == pytest.approx(active_level(to_samples(sound)), abs=1.0)


def test_a_sound_in_noise_stands_out_more() -> None:
    tone = silence(1.0) + tones.tone((400, 1100), 0.3, -20) + silence(0.7)
    noisy = mix_noise(tone, tones.pink_noise(2, -30, seed=4), 10)
    out = cleaned(noisy)

    def contrast(pcm: bytes) -> float:
        return level(to_samples(pcm[16500:20500])) - level(to_samples(pcm[8000:14000]))

    assert contrast(out) > contrast(noisy) + 3


def test_it_is_one_frame_late_and_complete() -> None:
    click = bytearray(silence(0.4))
    click[3200:3202] = np.int16(20000).tobytes()
    out = to_samples(cleaned(bytes(click)))
    assert int(np.abs(out).argmax()) == 1600 + FRAME_BYTES // 2


def test_digital_silence_stays_silent() -> None:
    assert not any(cleaned(silence(0.5)))
