"""Tones of fax machines, and what is none."""

import pytest

from ivr.audio.fax import FaxTone
from ivr.audio.format import frames
from ivr.audio.tones import dtmf, pink_noise, ringback, tone


def heard(pcm: bytes) -> int:
    fax = FaxTone()
    return sum(fax.hear(frame) for frame in frames(pcm))


@pytest.mark.parametrize("hertz", [1100, 2100, 1090, 2110])
def test_a_fax_is_told_once_a_tone(hertz: float) -> None:
    assert heard(tone((hertz,), 0.5, -20)) == 1
    assert heard(tone((hertz,), 3.0, -30)) == 1


def test_others_are_none() -> None:
    others = [tone((1100,), 0.2, -20), tone((1400,), 1, -20), tone((425,), 1, -20), ringback(), pink_noise(3, -20)]
    others += [dtmf(key, 0.5) for key in "0123456789*#"]
    assert [heard(pcm) for pcm in others] == [0] * len(others)


def test_a_frame_has_its_size() -> None:
    with pytest.raises(ValueError, match="320"):
        FaxTone().hear(b"")
