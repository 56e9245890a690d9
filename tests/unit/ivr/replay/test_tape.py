"""Pieces of a tape, the recorder that makes them, and tapes as folders."""

from pathlib import Path

import pytest

from ivr.audio.format import FRAME_BYTES
from ivr.ports import AudioHeard, Elapsed, KeyPressed, LegAnswered
from ivr.replay import folder
from ivr.replay.recorder import PIECE_FRAMES, PIECE_MARKS, Recorder
from ivr.replay.tape import Mark, Tape, TapeError, decode, encode
from tests.unit.ivr.replay.tapes import MemoryTapes

FRAME = b"\1\2" * (FRAME_BYTES // 2)
KEY = Mark(frame=3, kind="key", data={"digit": "5"})


def recorder(kept: MemoryTapes) -> Recorder:
    """Of an answered call."""
    made = Recorder(kept, "bcd", "en")
    made.sensed(LegAnswered(leg="1"))
    return made


def test_pieces_become_a_tape() -> None:
    tape = decode([encode("en", FRAME, [KEY]), encode("en", b"", []), encode("en", FRAME * 2, [])])
    assert tape == Tape(language="en", pcm=FRAME * 3, marks=(KEY,))


@pytest.mark.parametrize(
    "pieces",
    [[], [b""], [b"\0\0\0\1x"], [encode("en", FRAME, [])[:20]], [encode("en", FRAME[:-1], [])],
     [encode("en", FRAME, []).replace(b'"version":1', b'"version":9')]],
)  # fmt: skip
def test_what_is_no_tape_is_refused_in_a_sentence(pieces: list[bytes]) -> None:
    with pytest.raises(TapeError, match="recording"):
        decode(pieces)


def test_a_call_holds_little_in_memory_and_loses_little() -> None:
    kept = MemoryTapes()
    made = recorder(kept)
    for _ in range(3 * PIECE_FRAMES + 1):
        made.sensed(AudioHeard(leg="1", pcm=FRAME))
    assert [len(piece) > PIECE_FRAMES * FRAME_BYTES for piece in kept.pieces["bcd"]] == [True, True, True]
    assert not kept.ended
    made.over()
    assert decode(kept.pieces["bcd"]).frames == 3 * PIECE_FRAMES + 1
    assert kept.ended == {"bcd"}


def test_many_keys_end_a_piece_as_well() -> None:
    kept = MemoryTapes()
    made = recorder(kept)
    for _ in range(PIECE_MARKS):
        made.sensed(KeyPressed(leg="1", digit="1"))
    assert len(kept.pieces["bcd"]) == 1


def test_time_without_sound_is_silence_but_a_late_packet_is_not() -> None:
    kept = MemoryTapes()
    made = recorder(kept)
    made.sensed(AudioHeard(leg="1", pcm=FRAME))
    for seconds in (0.1, 0.1, 0.1):
        made.sensed(Elapsed(leg="1", seconds=seconds))
    made.sensed(AudioHeard(leg="1", pcm=FRAME))
    for _ in range(20):
        made.sensed(Elapsed(leg="1", seconds=0.1))
    made.over()
    tape = decode(kept.pieces["bcd"])
    assert tape.pcm[: 2 * FRAME_BYTES] == FRAME * 2
    assert 2 + 75 <= tape.frames <= 2 + 100


def test_a_tape_that_is_given_up_stays_so() -> None:
    kept = MemoryTapes(refuses_after=1)
    made = recorder(kept)
    for _ in range(4 * PIECE_FRAMES):
        made.sensed(AudioHeard(leg="1", pcm=FRAME))
    made.over()
    assert len(kept.pieces["bcd"]) == 1


def test_a_disk_that_breaks_does_not_reach_the_call() -> None:
    class Broken(MemoryTapes):
        def keep(self, call: str, piece: bytes, *, last: bool) -> bool:
            raise RuntimeError("no disk")

    made = recorder(Broken())
    for _ in range(2 * PIECE_FRAMES):
        made.sensed(AudioHeard(leg="1", pcm=FRAME))
    made.over()


def test_a_folder_gives_the_tape_back(tmp_path: Path) -> None:
    tape = Tape(language="en", pcm=FRAME * 50, marks=(KEY, Mark(frame=9, kind="Heard", data={"words": {"text": "ü"}})))
    folder.save(tmp_path / "call", tape)
    assert folder.load(tmp_path / "call") == tape
    with pytest.raises(FileExistsError):
        folder.save(tmp_path / "call", tape)


@pytest.mark.parametrize(("name", "content"), [(folder.STORY, b"{"), (folder.STORY, b"{}"), (folder.SOUND, b"no xz")])
def test_a_broken_folder_is_refused_in_a_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    folder.save(tmp_path, Tape(language="en", pcm=FRAME, marks=()))
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TapeError, match="holds a call"):
        folder.load(tmp_path)


def test_an_empty_folder_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(TapeError, match="holds no call"):
        folder.load(tmp_path)
