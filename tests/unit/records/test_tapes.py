"""Recordings for test on disk: sealed, bounded, never in the way of a call."""

import os
import stat
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from records.keys import KEY_BYTES, KeyRing
from records.port import TapesUnavailable
from records.tapes import HEAD_BYTES, PENDING, FileTapes

RING = KeyRing({1: bytes(range(KEY_BYTES))})
DAY = 86_400.0
NOW = 1_800_000_000.0
SOUND = bytes(range(256)) * 125


class Clock:
    """Stands until it is put forward."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """At a fixed moment."""
    return Clock()


@pytest.fixture
def tapes(tmp_path: Path, clock: Clock) -> Iterator[FileTapes]:
    """In a folder that is not there yet."""
    made = FileTapes(tmp_path / "tapes", RING, days=14, clock=clock)
    yield made
    made.close()


def keep(tapes: FileTapes, call: str, *pieces: bytes, whole: bool = True) -> None:
    """A recording, on disk when this returns."""
    for number, piece in enumerate(pieces, 1):
        assert tapes.keep(call, piece, last=whole and number == len(pieces))
    tapes.close()


def file_of(tmp_path: Path, call: str = "bcd") -> Path:
    """Where it lies."""
    return tmp_path / "tapes" / f"{call}.tape"


def test_what_was_kept_can_be_read(tapes: FileTapes) -> None:
    keep(tapes, "bcd", b"one", b"", SOUND)
    assert tapes.read("bcd") == (b"one", b"", SOUND)
    (line,) = tapes.list()
    assert (line.call, line.started, line.whole) == ("bcd", NOW, True)


def test_nothing_lies_there_in_clear_and_nobody_else_may_read(tapes: FileTapes, tmp_path: Path) -> None:
    keep(tapes, "bcd", SOUND, b"i have chest pain" * 20)
    data = file_of(tmp_path).read_bytes()
    assert SOUND[:16] not in data
    assert b"chest" not in data
    assert stat.S_IMODE(file_of(tmp_path).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "tapes").stat().st_mode) == 0o700


def test_the_same_call_twice_looks_different(tapes: FileTapes, tmp_path: Path) -> None:
    keep(tapes, "bcd", SOUND)
    keep(tapes, "fgh", SOUND)
    assert file_of(tmp_path).read_bytes()[HEAD_BYTES:] != file_of(tmp_path, "fgh").read_bytes()[HEAD_BYTES:]


def test_a_crash_costs_the_last_piece_only(tapes: FileTapes, tmp_path: Path) -> None:
    keep(tapes, "bcd", b"one", b"two", b"three", whole=False)
    path = file_of(tmp_path)
    path.write_bytes(path.read_bytes()[:-3])
    assert tapes.read("bcd") == (b"one", b"two")
    assert [line.whole for line in tapes.list()] == [False]


def test_other_keys_do_not_open_it(tapes: FileTapes, tmp_path: Path) -> None:
    keep(tapes, "bcd", b"one")
    other = FileTapes(tmp_path / "tapes", KeyRing({1: bytes(KEY_BYTES)}), days=14)
    with pytest.raises(TapesUnavailable, match="other keys"):
        other.read("bcd")


@pytest.mark.parametrize("at", [9, 20, HEAD_BYTES, HEAD_BYTES + 30, -1])
def test_a_changed_byte_is_seen(tapes: FileTapes, tmp_path: Path, at: int) -> None:
    keep(tapes, "bcd", b"one", b"two")
    data = bytearray(file_of(tmp_path).read_bytes())
    data[at] ^= 1
    file_of(tmp_path).write_bytes(data)
    with pytest.raises(TapesUnavailable, match="changed"):
        tapes.read("bcd")


def test_a_piece_taken_out_or_a_tape_renamed_is_seen(tapes: FileTapes, tmp_path: Path) -> None:
    keep(tapes, "bcd", b"one", b"two", b"three")
    data = file_of(tmp_path).read_bytes()
    length = 5 + struct.unpack_from(">I", data, HEAD_BYTES + 1)[0]
    file_of(tmp_path, "fgh").write_bytes(data)
    file_of(tmp_path).write_bytes(data[:HEAD_BYTES] + data[HEAD_BYTES + length :])
    for call in ("bcd", "fgh"):
        with pytest.raises(TapesUnavailable, match="changed"):
            tapes.read(call)


def test_a_file_that_is_no_tape_is_told(tapes: FileTapes, tmp_path: Path) -> None:
    (tmp_path / "tapes").mkdir()
    file_of(tmp_path).write_bytes(b"nothing")
    with pytest.raises(TapesUnavailable, match="damaged"):
        tapes.read("bcd")
    assert [line.whole for line in tapes.list()] == [False]


def test_old_ones_are_destroyed_and_young_ones_stay(tapes: FileTapes, clock: Clock) -> None:
    keep(tapes, "old", b"one")
    clock.now += 13 * DAY
    keep(tapes, "young", b"one")
    assert tapes.expire() == 0
    clock.now += 1.5 * DAY
    assert tapes.expire() == 1
    assert [line.call for line in tapes.list()] == ["young"]


def test_old_ones_go_also_where_nothing_is_recorded_any_more(tapes: FileTapes, tmp_path: Path, clock: Clock) -> None:
    keep(tapes, "old", b"one")
    clock.now += 15 * DAY
    tidy = FileTapes(tmp_path / "tapes", RING, days=14, clock=clock, tidy=True)
    until = time.monotonic() + 5
    while tidy.list():
        assert time.monotonic() < until
        time.sleep(0.01)
    tidy.close()


def test_who_removes_one_takes_its_key_first(tapes: FileTapes, tmp_path: Path) -> None:
    keep(tapes, "bcd", b"one")
    os.link(file_of(tmp_path), tmp_path / "still")
    tapes.remove("bcd")
    assert (tmp_path / "still").read_bytes()[:HEAD_BYTES] == bytes(HEAD_BYTES)
    assert tapes.list() == ()


@pytest.mark.parametrize("name", ["nosuch", "../bcd", "", "a/b", ".", "b" * 65, "b\0d"])
def test_an_unknown_name_is_a_key_error(tapes: FileTapes, name: str) -> None:
    with pytest.raises(KeyError):
        tapes.read(name)
    with pytest.raises(KeyError):
        tapes.remove(name)


def test_a_disk_that_refuses_ends_the_recording_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "tapes").write_text("in the way")
    tapes = FileTapes(tmp_path / "tapes", RING, days=14)
    assert tapes.keep("bcd", b"one", last=False)
    until = time.monotonic() + 5
    while tapes.keep("bcd", b"more", last=False):
        assert time.monotonic() < until
        time.sleep(0.01)
    tapes.close()


def test_a_disk_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "tapes").mkdir()
    os.mkfifo(tmp_path / "tapes" / "hang.tape")
    tapes = FileTapes(tmp_path / "tapes", RING, days=14, tidy=True)  # its thread waits for somebody to write
    took = [tapes.keep("bcd", b"one", last=False) for _ in range(PENDING + 1)]
    assert took == [True] * PENDING + [False]
    with (tmp_path / "tapes" / "hang.tape").open("wb"):
        pass
    tapes.close()


def test_a_call_is_never_written_twice(tapes: FileTapes, tmp_path: Path) -> None:
    keep(tapes, "bcd", b"one")
    before = file_of(tmp_path).read_bytes()
    assert FileTapes(tmp_path / "tapes", RING, days=14).keep("bcd", b"other", last=True)
    tapes.keep("fgh", b"x", last=True)
    tapes.close()
    assert file_of(tmp_path).read_bytes() == before
