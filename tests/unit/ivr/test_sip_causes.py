"""SIP statuses as causes."""

import pytest

from ivr.lines.sip_causes import cause_of
from ivr.ports import Cause


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (200, Cause.NORMAL),
        (486, Cause.BUSY),
        (600, Cause.BUSY),
        (603, Cause.DECLINED),
        (408, Cause.NO_ANSWER),
        (480, Cause.NO_ANSWER),
        (487, Cause.NO_ANSWER),
        (404, Cause.UNREACHABLE),
        (502, Cause.UNREACHABLE),
        (503, Cause.UNREACHABLE),
        (302, Cause.FAILED),
        (403, Cause.FAILED),
        (488, Cause.FAILED),
        (500, Cause.FAILED),
        (0, Cause.FAILED),
    ],
)
def test_an_unanswered_leg(status: int, cause: Cause) -> None:
    assert cause_of(status, answered=False) is cause


@pytest.mark.parametrize(("status", "cause"), [(200, Cause.NORMAL), (408, Cause.FAILED), (503, Cause.FAILED)])
def test_an_answered_leg_ends_normally_or_fails(status: int, cause: Cause) -> None:
    assert cause_of(status, answered=True) is cause
