"""Sizing and import."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.pools import need, read_csv
from masking.port import MaskingRefused, NumberState, Side


@pytest.mark.parametrize(
    ("per_day", "life", "rest", "numbers"), [(20, 2, 7, 223), (20, 7, 30, 826), (60, 1, 7, 549), (5, 7, 30, 228)]
)
def test_a_load_needs_what_poissons_law_says(per_day: float, life: float, rest: float, numbers: int) -> None:
    found = need(per_day=per_day, life_days=life, quarantine_days=rest)
    assert found.numbers == pytest.approx(numbers, abs=1)
    assert found.mean == per_day * (life + rest)


def test_no_load_needs_no_number_and_a_large_one_is_counted_quickly() -> None:
    assert need(per_day=0, life_days=1, quarantine_days=1).numbers == 0
    assert need(per_day=1e6, life_days=1, quarantine_days=1).numbers == pytest.approx(2_004_370, rel=1e-4)


@given(st.floats(0, 500), st.floats(0, 30), st.floats(0, 60))
def test_a_need_is_never_below_the_average(per_day: float, life: float, rest: float) -> None:
    found = need(per_day=per_day, life_days=life, quarantine_days=rest)
    assert found.numbers >= int(found.mean)


@pytest.mark.parametrize("field", ["per_day", "life_days", "quarantine_days", "odds"])
def test_bad_loads_are_refused_by_field(field: str) -> None:
    with pytest.raises(MaskingRefused) as refused:
        need(**{"per_day": 1, "life_days": 1, "quarantine_days": 1, "odds": 0.1} | {field: float("nan")})
    assert refused.value.field == field


def test_a_file_of_numbers_is_read() -> None:
    text = "\ufeffnumber,side,country,area,state\n+1 202 555 0110,patient,us,202,\n+12025550111,doctor,,,draining\n"
    one, two = read_csv(text)
    assert (one.number, one.side, one.country, one.area) == ("+1 202 555 0110", Side.PATIENT, "US", "202")
    assert (two.side, two.state) == (Side.DOCTOR, NumberState.DRAINING)
    assert len(read_csv(f"number,side\n700{1:012},patient\n")) == 1


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("", "file", "first line"),
        ("number,colour\n", "file", "first line"),
        ("number,side,colour\n", "file", "first line"),
        ("number,side\n+12025550110,left\n", "side", "line 2"),
        ("number,side\n+12025550110,\n", "side", "line 2"),
        ("number,side\nbanana,patient\n", "number", "line 2"),
        ("number,side\n911,patient\n", "number", "line 2"),
        ("number,side\n+12025550110,patient,US\n", "file", "line 2"),
        ("number,side,state\n+12025550110,patient,lost\n", "state", "line 2"),
    ],
)
def test_a_wrong_file_is_refused_by_line_and_field(text: str, field: str, words: str) -> None:
    with pytest.raises(MaskingRefused, match=words) as refused:
        read_csv(text)
    assert refused.value.field == field
