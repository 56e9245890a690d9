"""How fast calls may begin."""

from ivr.lines.sip_pace import Pace


def test_a_burst_has_to_wait_and_then_goes_on() -> None:
    pace = Pace(4)
    for number in range(9):
        pace.began(number * 0.01)
    assert not pace.too_fast(0.1)
    pace.began(0.1)
    assert pace.too_fast(0.1)
    assert pace.too_fast(0.59)
    assert not pace.too_fast(0.61)


def test_a_large_build_takes_calls_faster() -> None:
    pace = Pace(512)
    for _ in range(255):
        pace.began(0.0)
    assert not pace.too_fast(0.0)
    pace.began(0.0)
    assert pace.too_fast(0.0)
