"""What may be written into a record, and what may not."""

import json

import pytest

from dialogs.port import Expect, Heard, Prompt, Question, Turn
from ivr.call import events as ev
from ivr.plain import plain
from ivr.ports import Cause
from masking.port import PhoneNumber
from scripts.call_world import FLAG, PLANS, TURNS


@pytest.mark.parametrize(
    "event",
    [
        ev.CallArrived(call="c", party="p", reachable=True, language="en"),
        ev.Heard(words=Heard(text="my head hurts"), yes=None),
        ev.RedFlagRaised(flag=FLAG),
        ev.TurnReady(ask=1, turn=TURNS[4]),
        ev.PlanReady(steps=PLANS[1]),
        ev.HungUp(cause=Cause.BUSY),
    ],
    ids=lambda event: type(event).__name__,
)
def test_every_event_becomes_json(event: ev.Event) -> None:
    assert json.loads(json.dumps(plain(event))) == plain(event)


def test_nested_values_keep_their_names() -> None:
    turn = Turn(say=(Prompt(key="a", values={"n": "1"}),), question=Question(id="q", expect=Expect.NUMBER))
    assert plain(turn)["say"][0] == {"key": "a", "values": {"n": "1"}, "interruptible": True}
    assert plain(turn)["question"]["expect"] == "number"


@pytest.mark.parametrize("secret", [PhoneNumber("+12025550142"), b"audio", {1, 2}, object(), ValueError("x")])
def test_nothing_else_slips_in(secret: object) -> None:
    for value in (secret, (secret,), {"a": secret}):
        with pytest.raises(TypeError) as refused:
            plain(value)
        assert "2025550142" not in str(refused.value)


def test_classes_are_not_values() -> None:
    with pytest.raises(TypeError):
        plain(Heard)
