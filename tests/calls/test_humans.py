"""From the wish for a human to the bridge, and what happens when nobody comes."""

import pytest

from ivr.call.state import State
from records.memory import MemoryCallbacks
from records.port import Callback, JournalUnavailable
from routing.memory import StaticRouter
from routing.port import Urgency
from tests.calls.parts import roster
from tests.calls.people import (
    DECLINES,
    NEVER,
    PASSES,
    TAKES,
    UNREACHABLE,
    VOICEMAIL,
    Act,
    Habit,
    during,
    hangs_up,
    presses,
    says,
)
from tests.calls.runner import hold
from tests.calls.world import World

ZERO = presses("0")
PAIN = says("i have chest pain")
LEAVES = hangs_up(during(State.BRIDGED, 2))


def test_the_summary_is_whispered_before_the_bridge_and_the_shown_number_is_ours() -> None:
    held = hold(World(acts=(ZERO, LEAVES)))
    assert held.kinds.index("Briefed") < held.kinds.index("AgentDigit") < held.kinds.index("Bridged")
    assert held.shown == ("triage",)
    assert held.bridged
    assert held.outcome == "bridged"


def test_nobody_who_is_not_accepted_hears_the_caller() -> None:
    held = hold(World(nurses={"one": (VOICEMAIL,), "two": (TAKES,)}, acts=(ZERO, LEAVES)))
    assert [phone.heard_caller for phone in held.world.phones] == [False, True]


def test_an_unanswered_phone_gives_way_after_fifteen_seconds() -> None:
    held = hold(World(nurses={"one": (NEVER,), "two": (TAKES,)}, acts=(ZERO, LEAVES)))
    assert held.world.rung == ["one", "two"]
    assert held.world.phones[0].rang * 0.02 == pytest.approx(15, abs=0.5)
    assert held.bridged


def test_everybody_rings_together_and_then_the_on_call_phone() -> None:
    held = hold(World(nurses={"one": (NEVER,), "two": (NEVER,), "on-call": (TAKES,)}, acts=(ZERO, LEAVES)))
    assert held.world.rung == ["one", "two", "one", "two", "on-call"]
    assert held.bridged


def test_the_first_of_a_group_to_press_one_gets_the_call_and_the_others_stop_ringing() -> None:
    nurses = {"one": (NEVER, Habit(rings=2.0)), "two": (NEVER, Habit(rings=2.5))}
    held = hold(World(nurses=nurses, acts=(ZERO, LEAVES)))
    assert held.world.rung == ["one", "two", "one", "two"]
    assert [phone.heard_caller for phone in held.world.phones] == [False, False, True, False]
    assert held.over


@pytest.mark.parametrize("first", [DECLINES, UNREACHABLE, PASSES, Habit(rings=1, keys="", stays=0.0)])
def test_a_phone_that_does_not_take_the_call_gives_way_at_once(first: Habit) -> None:
    held = hold(World(nurses={"one": (first,), "two": (TAKES,)}, acts=(ZERO, LEAVES)))
    assert held.world.rung[:2] == ["one", "two"]
    assert held.bridged


def test_a_voicemail_never_gets_the_call() -> None:
    held = hold(World(nurses={"one": (VOICEMAIL,), "two": (TAKES,)}, acts=(ZERO, LEAVES)))
    assert held.world.rung == ["one", "two"]
    assert len(held.briefed) >= 3, "the summary is repeated while it is not accepted"
    assert held.bridged


def test_other_keys_of_the_agent_mean_nothing() -> None:
    held = hold(World(nurses={"one": (Habit(keys="7"),), "two": (TAKES,)}, acts=(ZERO, LEAVES)))
    assert held.bridged
    assert held.world.rung == ["one", "two"]


def test_an_agent_who_is_lost_at_once_is_rung_again() -> None:
    held = hold(World(nurses={"one": (Habit(stays=3.0), TAKES)}, acts=(ZERO, hangs_up(during(State.BRIDGED, 5)))))
    assert held.world.rung == ["one", "one"]
    assert held.kinds.count("Bridged") == 2
    assert held.over


def test_an_agent_who_hangs_up_later_leaves_the_caller_with_a_way_back() -> None:
    held = hold(World(nurses={"one": (Habit(stays=12.0),)}, acts=(ZERO,)))
    assert held.over
    assert held.said[-2:] == ["call.agent_lost", "call.goodbye"]
    assert held.outcome == "bridged"


def test_a_caller_hears_us_again_after_the_agent_has_left() -> None:
    held = hold(
        World(nurses={"one": (Habit(stays=12.0), TAKES)}, acts=(ZERO, says("agent", during(State.PARTED, 6)), LEAVES))
    )
    parted = [frame.heard for frame in held.caller.frames if frame.state is State.PARTED]
    assert sum(parted) > 50
    assert held.world.rung == ["one", "one"], "the spoken wish is heard after a bridge"


def accepts(how: Act) -> World:
    return World(nurses={"one": (NEVER,)}, acts=(ZERO, how))


@pytest.mark.parametrize("how", [says("yes", during(State.OFFERING, 6)), presses("1", during(State.OFFERING, 1))])
def test_when_nobody_answers_a_callback_is_offered_and_written_before_it_is_promised(how: Act) -> None:
    held = hold(accepts(how))
    assert held.over
    assert held.said[-4:] == ["call.nobody", "call.callback_offer", "call.callback_noted", "call.goodbye"]
    assert [one.urgency for one in held.promises] == [Urgency.NORMAL]
    assert held.kinds.index("CallbackNoted") < len(held.kinds) - 1 - held.kinds[::-1].index("Said")
    assert held.outcome == "callback"


@pytest.mark.parametrize("how", [says("no", during(State.OFFERING, 6)), presses("2", during(State.OFFERING, 1))])
def test_a_callback_can_be_declined(how: Act) -> None:
    held = hold(accepts(how))
    assert held.said[-1] == "call.goodbye"
    assert held.promises == ()
    assert held.outcome == "unanswered"


def test_silence_after_an_emergency_is_called_back_unasked() -> None:
    held = hold(World(nurses={"one": (NEVER,)}, acts=(PAIN,)))
    assert [one.urgency for one in held.promises] == [Urgency.EMERGENCY]
    assert held.outcome == "callback"


def test_silence_after_a_routine_wish_is_not_called_back() -> None:
    held = hold(World(nurses={"one": (NEVER,)}, acts=(ZERO,)))
    assert held.promises == ()
    assert held.over


def test_a_caller_without_a_number_is_told_so() -> None:
    held = hold(World(nurses={"one": (NEVER,)}, number=None, acts=(PAIN,)))
    assert held.said[-2:] == ["call.nobody", "call.callback_impossible"]
    assert held.promises == ()
    assert held.outcome == "unanswered"
    assert held.over


def test_the_emergency_number_is_said_when_nobody_answers() -> None:
    held = hold(World(nurses={"one": (UNREACHABLE,)}, acts=(ZERO,)))
    texts = [str(one.data["text"]) for one in held.entries if one.kind == "Said"]
    assert any("nobody can take your call" in text and "9 1 1" in text for text in texts)


class FullDisk(MemoryCallbacks):
    """Nothing can be written."""

    async def promise(self, callback: Callback) -> None:
        """Raises JournalUnavailable."""
        raise JournalUnavailable


def test_nothing_is_promised_that_is_not_written() -> None:
    held = hold(World(nurses={"one": (NEVER,)}, callbacks=FullDisk(), acts=(PAIN,)))
    assert "call.callback_impossible" in held.said
    assert "call.callback_noted" not in held.said
    assert held.over


def test_every_agent_is_free_after_the_call() -> None:
    for nurses in ({"one": (NEVER,), "two": (TAKES,)}, {"one": (Habit(stays=3.0), TAKES), "two": (PASSES,)}):
        router = StaticRouter(roster(*nurses))
        held = hold(World(nurses=nurses, router=router, acts=(ZERO, LEAVES)))
        assert held.over
        assert router._holders == {}
