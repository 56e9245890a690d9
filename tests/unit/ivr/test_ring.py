"""The byte ring: order kept, oldest dropped and counted."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.audio.ring import ByteRing


def test_what_goes_in_comes_out_in_order() -> None:
    ring = ByteRing(10)
    ring.write(b"abc")
    ring.write(b"def")
    assert (ring.read(4), ring.read(2), len(ring)) == (b"abcd", b"ef", 0)


def test_nothing_comes_out_before_enough_is_there() -> None:
    ring = ByteRing(10)
    ring.write(b"abc")
    assert ring.read(4) == b""
    assert ring.read(3) == b"abc"


def test_the_oldest_goes_first_and_is_counted() -> None:
    ring = ByteRing(4)
    ring.write(b"abc")
    ring.write(b"def")
    assert (ring.dropped, ring.read(4)) == (2, b"cdef")


def test_more_than_fits_at_once_keeps_the_newest() -> None:
    ring = ByteRing(4)
    ring.write(b"ab")
    ring.write(b"cdefghi")
    assert (ring.dropped, ring.read(4)) == (5, b"fghi")


def test_clearing_is_not_dropping() -> None:
    ring = ByteRing(4)
    ring.write(b"abc")
    ring.clear()
    assert (len(ring), ring.dropped) == (0, 0)


def test_a_ring_needs_room() -> None:
    with pytest.raises(ValueError, match="room"):
        ByteRing(0)


@given(st.integers(1, 12), st.lists(st.one_of(st.binary(max_size=20), st.integers(0, 12))))
def test_it_behaves_like_a_cut_string(capacity: int, steps: list[bytes | int]) -> None:
    ring, model, dropped = ByteRing(capacity), b"", 0
    for step in steps:
        if isinstance(step, bytes):
            ring.write(step)
            dropped += max(0, len(model) + len(step) - capacity)
            model = (model + step)[-capacity:]
        else:
            expected = model[:step] if len(model) >= step else b""
            assert ring.read(step) == expected
            model = model[len(expected) :]
        assert (len(ring), ring.dropped) == (len(model), dropped)


def test_a_writer_and_a_reader_at_once_lose_nothing_but_what_is_counted() -> None:
    ring, total, read = ByteRing(64), 4000, 0

    def write() -> None:
        for _ in range(total):
            ring.write(b"12345678")

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive() or len(ring) >= 8:
        taken = ring.read(8)
        assert taken in (b"", b"12345678")
        read += len(taken)
    writer.join()
    assert read + ring.dropped == total * 8
