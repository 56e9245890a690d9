"""What is said on a leg, frame by frame."""

from ivr.lines.sip_media import FRAME_BYTES, SILENCE, LegAudio, Playout


def test_frames_come_in_order_and_the_last_is_filled_up() -> None:
    ended: list[int] = []
    mouth = Playout(ended.append)
    assert mouth.start(4, b"\1" * FRAME_BYTES + b"\2" * 10) is None
    assert mouth.take() == b"\1" * FRAME_BYTES
    assert mouth.take() == b"\2" * 10 + bytes(FRAME_BYTES - 10)
    assert (ended, mouth.active) == ([], True)
    assert mouth.take() == SILENCE
    assert (ended, mouth.active) == ([4], False)
    assert mouth.take() == SILENCE
    assert ended == [4]


def test_a_new_play_replaces_the_old_one_at_once() -> None:
    ended: list[int] = []
    mouth = Playout(ended.append)
    mouth.start(1, b"\1" * 3200)
    mouth.take()
    assert mouth.start(2, b"\2" * FRAME_BYTES) == 1
    assert mouth.take() == b"\2" * FRAME_BYTES
    mouth.take()
    assert ended == [2]


def test_a_stopped_play_is_silent_and_not_told_twice() -> None:
    ended: list[int] = []
    mouth = LegAudio(ended.append).mouth
    mouth.start(1, b"\1" * 3200)
    assert mouth.stop() == 1
    assert (mouth.take(), mouth.stop(), ended) == (SILENCE, None, [])


def test_nothing_to_say_ends_too() -> None:
    ended: list[int] = []
    mouth = Playout(ended.append)
    mouth.start(1, b"")
    assert mouth.take() == SILENCE
    assert ended == [1]
