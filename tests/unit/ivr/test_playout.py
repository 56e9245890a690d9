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


def test_a_held_play_is_silent_from_the_next_frame_and_loses_nothing() -> None:
    ended: list[int] = []
    mouth = Playout(ended.append)
    frames = [bytes([number, 8]) * (FRAME_BYTES // 2) for number in range(1, 6)]
    mouth.start(3, b"".join(frames))
    heard = [mouth.take(), mouth.take()]
    mouth.hold()
    assert [mouth.take() for _ in range(100)] == [SILENCE] * 100
    assert (mouth.active, round(mouth.left, 2), ended) == (True, 0.06, [])
    mouth.go_on()
    heard += [mouth.take() for _ in range(3)]
    assert heard == frames
    assert mouth.take() == SILENCE
    assert ended == [3]


def test_a_play_goes_on_from_the_pause_before_its_place() -> None:
    mouth = Playout(lambda play: None)
    word, pause = b"\0\x20" * 160, bytes(FRAME_BYTES)
    mouth.start(1, word * 10 + pause * 3 + word * 20)
    for _ in range(18):
        mouth.take()
    mouth.hold()
    mouth.go_on()
    assert [mouth.take() for _ in range(3)] == [pause, word, word]


def test_what_has_left_already_is_not_held() -> None:
    ended: list[int] = []
    mouth = Playout(ended.append)
    mouth.start(9, b"\1" * FRAME_BYTES)
    mouth.take()
    mouth.hold()
    mouth.take()
    assert ended == [9]
    mouth.go_on()
    assert (mouth.take(), ended) == (SILENCE, [9])


def test_a_new_play_and_a_stop_end_the_hold() -> None:
    mouth = Playout(lambda play: None)
    mouth.start(1, b"\1" * 3200)
    mouth.hold()
    assert mouth.start(2, b"\2" * 3200) == 1
    assert mouth.take() == b"\2" * FRAME_BYTES
    mouth.hold()
    assert mouth.stop() == 2
    mouth.go_on()
    assert (mouth.take(), mouth.left) == (SILENCE, 0.0)
