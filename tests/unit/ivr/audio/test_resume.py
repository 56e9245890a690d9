"""Where a held sentence goes on."""

from hypothesis import given
from hypothesis import strategies as st

from ivr.audio.format import BYTES_PER_SECOND, silence
from ivr.audio.resume import BACK_SECONDS, resume_at

WORD = b"\0\x20" * 2400


def seconds(pcm: bytes, at: float) -> float:
    return resume_at(pcm, round(at * BYTES_PER_SECOND)) / BYTES_PER_SECOND


def test_it_goes_back_to_the_nearest_pause() -> None:
    pcm = WORD + silence(0.1) + WORD + silence(0.1) + WORD
    assert 0.7 <= seconds(pcm, 1.0) <= 0.8
    assert 0.3 <= seconds(pcm, 0.6) <= 0.4
    assert seconds(pcm, 0.75) <= 0.75


def test_an_even_sound_goes_on_where_it_was() -> None:
    assert seconds(WORD * 10, 2.0) == 2.0


def test_without_a_pause_it_goes_back_to_the_softest_moment() -> None:
    soft = b"\0\x08" * 320
    assert 1.2 <= seconds(WORD * 4 + soft + WORD, 1.5) <= 1.24


def test_the_very_beginning_and_the_end() -> None:
    assert resume_at(b"", 0) == resume_at(WORD, 0) == resume_at(WORD, 100) - 100 == 0
    assert resume_at(WORD, 10**9) <= len(WORD)


@given(st.lists(st.tuples(st.integers(0, 32000), st.integers(1, 900)), max_size=30), st.floats(0, 1))
def test_nothing_is_lost_and_at_most_half_a_second_is_said_twice(parts: list[tuple[int, int]], share: float) -> None:
    pcm = b"".join(level.to_bytes(2, "little") * count for level, count in parts)
    at = round(share * len(pcm))
    back = resume_at(pcm, at)
    assert 0 <= back <= at
    assert back % 2 == 0
    assert at - back <= BACK_SECONDS * BYTES_PER_SECOND + 1
