"""How fast calls may begin."""

import pytest

from ivr.lines.sip_pace import Pace


def test_a_burst_has_to_rest_and_then_goes_on() -> None:
    pace = Pace(4)
    assert [pace.began(number * 0.01) for number in range(9)] == [0.0] * 9
    assert pace.began(0.1) == pytest.approx(0.5)
    assert pace.began(0.6) == pytest.approx(0.01)
    assert pace.began(1.3) == 0.0


def test_never_more_than_ten_begin_in_the_window() -> None:
    pace, now, begun = Pace(4), 0.0, []
    for _ in range(200):
        begun.append(now)
        now += pace.began(now)
    assert all(later - earlier >= 0.599 for earlier, later in zip(begun, begun[10:], strict=False))


def test_a_large_build_takes_calls_faster() -> None:
    pace = Pace(512)
    assert [pace.began(0.0) for _ in range(255)] == [0.0] * 255
    assert pace.began(0.0) == pytest.approx(0.6)
