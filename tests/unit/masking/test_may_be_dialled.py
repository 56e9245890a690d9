"""Numbers that a machine may call back: a caller id can be forged."""

import pytest

from masking.numbers import may_be_dialled
from masking.port import PhoneNumber


@pytest.mark.parametrize("number", ["+12025550142", "+447700900123"])
def test_ordinary_numbers_may(number: str) -> None:
    assert may_be_dialled(PhoneNumber(number))


@pytest.mark.parametrize("number", ["+19005550100", "+449098790000", "+1911", "+44999", "911", "", "anonymous", "+1"])
def test_premium_and_emergency_numbers_and_no_numbers_may_not(number: str) -> None:
    assert not may_be_dialled(PhoneNumber(number))
