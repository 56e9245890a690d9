from hypothesis import given
from hypothesis import strategies as st

from ivr.audio.format import FRAME_BYTES, frame_count, frames, seconds, silence, whole_frames


@given(st.binary(max_size=2000))
def test_frames_hold_the_audio_and_are_all_of_one_size(pcm: bytes) -> None:
    cut = list(frames(pcm))
    assert all(len(frame) == FRAME_BYTES for frame in cut)
    assert b"".join(cut) == whole_frames(pcm)
    assert whole_frames(pcm)[: len(pcm)] == pcm


def test_time_is_counted_in_samples() -> None:
    assert seconds(silence(1.25)) == 1.25
    assert frame_count(0.45) == 22 or frame_count(0.45) == 23
    assert frame_count(0.3) == 15
