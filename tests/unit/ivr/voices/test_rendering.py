import numpy as np
import pytest

from ivr.audio.convert import active_level, to_samples
from ivr.audio.format import FRAME_BYTES, seconds, silence
from ivr.audio.tones import tone
from ivr.ports import VoiceError
from ivr.voices.rendering import MAX_CHARACTERS, sayable, telephone


def test_text_becomes_one_clean_line() -> None:
    assert sayable(" one\n two\x07\t[[three]] ") == "one two three"
    assert sayable("... !?") == ""
    with pytest.raises(VoiceError, match="too long"):
        sayable("a" * (MAX_CHARACTERS + 1))


def test_silence_at_the_ends_is_cut_to_fifty_milliseconds() -> None:
    raw = to_samples(silence(0.8) + tone((300, 700), 1.0, -30) + silence(0.5) + tone((300,), 0.2, -30) + silence(1.2))
    pcm = telephone(raw, 8000)
    assert seconds(pcm) == pytest.approx(1.7 + 0.1, abs=0.03)
    assert len(pcm) % FRAME_BYTES == 0
    assert active_level(to_samples(pcm)) == pytest.approx(-20, abs=0.7)


def test_an_engine_that_gives_silence_has_failed() -> None:
    for nothing in (np.zeros(16000), np.zeros(0), np.zeros(3)):
        with pytest.raises(VoiceError, match="silence"):
            telephone(nothing, 16000)
