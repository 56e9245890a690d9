"""The table itself: every live state can be left, impossible pairs change nothing, and selected ways through it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from dialogs.port import Command as Spoken
from dialogs.port import Heard
from ivr.call import commands as do
from ivr.call import events as ev
from ivr.call.machine import LIVE, TABLE, IllegalEvent, advance
from ivr.call.state import Call, State
from ivr.ports import Cause
from scripts.call_world import FLAG, OPEN, PLANS, TURNS, World

GONE = ev.HungUp(cause=Cause.NORMAL)
ARRIVED = ev.CallArrived(call="c", party="p", reachable=True, language="en")


def greeting() -> World:
    """Answered, the greeting is being said."""
    world = World()
    world.send(ARRIVED)
    world.send(ev.CallAnswered())
    return world


def asking() -> World:
    world = greeting()
    world.send(ev.TurnReady(ask=1, turn=TURNS[0]))
    world.send(ev.SayEnded(say=world.call.saying))
    return world


def holding() -> World:
    """A voice came over the question."""
    world = asking()
    world.send(ev.SpeechStarted())
    return world


def listening() -> World:
    world = asking()
    world.send(ev.SayEnded(say=world.call.saying))
    return world


def thinking() -> World:
    world = listening()
    world.send(ev.Heard(words=Heard(text="my head hurts")))
    return world


def seeking() -> World:
    world = listening()
    world.send(ev.DigitPressed(digit="0"))
    return world


def ringing() -> World:
    world = seeking()
    world.send(ev.PlanReady(steps=PLANS[1]))
    return world


def bridged() -> World:
    world = ringing()
    world.send(ev.AgentAnswered(slot="a1"))
    world.send(ev.AgentDigit(slot="a1", digit="1"))
    return world


def parted() -> World:
    world = bridged()
    world.send(ev.TimerFired(name="fresh"))
    world.send(ev.AgentGone(slot="a1", cause=Cause.NORMAL))
    return world


def offering() -> World:
    world = seeking()
    world.send(ev.PlanReady(steps=PLANS[0]))
    return world


def returning() -> World:
    """Rung back; whoever picked up is being asked."""
    world = World()
    world.send(replace(ARRIVED, earlier="b", rung_back=True))
    world.send(ev.CallAnswered())
    return world


def closing() -> World:
    world = offering()
    world.send(ev.DigitPressed(digit="2"))
    return world


def ended() -> World:
    world = greeting()
    world.send(GONE)
    return world


Make = Callable[[], World]
IN: dict[State, Make] = {
    State.NEW: World,
    State.GREETING: greeting,
    State.ASKING: asking,
    State.LISTENING: listening,
    State.THINKING: thinking,
    State.SEEKING: seeking,
    State.BRIDGED: bridged,
    State.PARTED: parted,
    State.OFFERING: offering,
    State.RETURNING: returning,
    State.CLOSING: closing,
    State.ENDED: ended,
}


@pytest.mark.parametrize("state", State)
def test_the_worlds_of_these_tests_are_where_they_say(state: State) -> None:
    assert IN[state]().call.state is state


@pytest.mark.parametrize("state", [state for state in State if state is not State.ENDED])
def test_hanging_up_ends_the_call_in_every_state(state: State) -> None:
    world = IN[state]()
    commands = world.send(GONE)
    assert world.call.state is State.ENDED
    assert [type(one) for one in commands].count(do.Finish) == 1


@pytest.mark.parametrize("state", LIVE)
def test_every_event_of_a_live_call_is_in_the_table(state: State) -> None:
    missing = {kind.__name__ for kind in ev.Event.__args__ if (state, kind) not in TABLE} - {
        "CallArrived",
        "CallAnswered",
        "DigitPressed",
        "CommandHeard",
    }
    assert missing == set()


@pytest.mark.parametrize("state", LIVE)
def test_keys_and_spoken_commands_are_heard_in_every_live_state(state: State) -> None:
    assert (state, ev.DigitPressed) in TABLE
    assert (state, ev.CommandHeard) in TABLE


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (State.NEW, ev.CallAnswered()),
        (State.NEW, ev.SayEnded(say=1)),
        (State.NEW, ev.RedFlagRaised(flag=FLAG)),
        (State.GREETING, ARRIVED),
        (State.LISTENING, ARRIVED),
        (State.ASKING, ev.CallAnswered()),
        (State.BRIDGED, ARRIVED),
        (State.ENDED, ARRIVED),
    ],
)
def test_impossible_pairs_raise_and_change_nothing(state: State, event: ev.Event) -> None:
    call = IN[state]().call
    before = repr(call)
    with pytest.raises(IllegalEvent) as refused:
        advance(call, event)
    assert str(refused.value) == f"{type(event).__name__} cannot happen in state {state}"
    assert repr(call) == before


ZERO, AGENT = ev.DigitPressed(digit="0"), ev.CommandHeard(command=Spoken.HUMAN)
LATE = [
    ev.SayEnded(say=99),
    ev.TurnReady(ask=99, turn=TURNS[0]),
    ev.DialogueFailed(ask=99),
    ev.AgentAnswered(slot="a99"),
    ev.AgentGone(slot="a99", cause=Cause.BUSY),
    ev.AgentDigit(slot="a99", digit="1"),
    ev.BridgeFailed(slot="a99"),
    ev.TimerFired(name="long ago"),
]


@pytest.mark.parametrize("event", LATE, ids=lambda event: type(event).__name__)
@pytest.mark.parametrize("state", LIVE)
def test_what_comes_late_means_nothing(state: State, event: ev.Event) -> None:
    call = IN[state]().call
    assert advance(call, event) == (call, ())


UNFILLED, NO_KEYS, NO_HUMAN = (ev.DeadAir(level=level) for level in ev.Lull)
WAYS: list[tuple[Make, ev.Event, State, tuple[type, ...]]] = [
    (World, ARRIVED, State.GREETING, (do.Answer, do.AskDialogue)),
    (greeting, ev.TurnReady(ask=1, turn=TURNS[0]), State.GREETING, ()),
    (greeting, ev.SayEnded(say=1), State.THINKING, (do.StartTimer,)),
    (greeting, ev.SpeechStarted(), State.GREETING, (do.Hold, do.StartTimer)),
    (greeting, ev.TurnTaken(), State.GREETING, (do.StopSaying,)),
    (greeting, ZERO, State.SEEKING, (do.FindAgent, do.Say)),
    (greeting, ev.DigitPressed(digit="5"), State.THINKING, (do.AskDialogue,)),
    (asking, ev.SpeechStarted(), State.ASKING, (do.Hold, do.StartTimer)),
    (asking, ev.TurnTaken(), State.LISTENING, (do.StopSaying,)),
    (holding, ev.TurnTaken(), State.LISTENING, (do.StopSaying,)),
    (holding, ev.NothingHeard(), State.ASKING, (do.GoOn,)),
    (holding, ev.Heard(words=Heard(text="mm hmm"), aside=True), State.ASKING, (do.GoOn,)),
    (holding, ev.Heard(words=Heard(text="my head hurts")), State.THINKING, (do.StopSaying, do.AskDialogue)),
    (holding, ev.TimerFired(name="hold"), State.LISTENING, (do.StopSaying,)),
    (holding, ev.SayEnded(say=2), State.LISTENING, ()),
    (holding, ZERO, State.SEEKING, (do.FindAgent, do.StopSaying)),
    (holding, ev.RedFlagRaised(flag=FLAG), State.SEEKING, (do.FindAgent, do.StopSaying)),
    (asking, ev.SayEnded(say=2), State.LISTENING, (do.StartTimer,)),
    (listening, ev.Heard(words=Heard(text="my head hurts")), State.THINKING, (do.AskDialogue,)),
    (listening, ev.Heard(words=Heard(text="[unk]")), State.ASKING, (do.Say,)),
    (listening, ev.NothingHeard(), State.LISTENING, (do.StartTimer,)),
    (listening, ev.TimerFired(name="no_input"), State.ASKING, (do.Say,)),
    (listening, ev.CommandHeard(command=Spoken.REPEAT), State.ASKING, (do.Say,)),
    (listening, AGENT, State.SEEKING, (do.FindAgent, do.Say)),
    (thinking, ev.TimerFired(name="filler"), State.THINKING, (do.Say,)),
    (thinking, ev.TimerFired(name="dialogue"), State.SEEKING, (do.FindAgent,)),
    (thinking, ev.DialogueFailed(ask=2), State.SEEKING, (do.FindAgent,)),
    (thinking, ev.TurnReady(ask=2, turn=TURNS[1]), State.ASKING, (do.Listen, do.Say)),
    (thinking, ev.TurnReady(ask=2, turn=TURNS[3]), State.SEEKING, (do.FindAgent, do.Say)),
    (thinking, ev.TurnReady(ask=2, turn=TURNS[4]), State.CLOSING, (do.Say,)),
    (thinking, ev.Trouble(what="recogniser"), State.THINKING, (do.AskDialogue,)),
    (thinking, ev.Trouble(what="voice"), State.SEEKING, (do.FindAgent,)),
    (thinking, ZERO, State.SEEKING, (do.FindAgent,)),
    (seeking, ev.PlanReady(steps=PLANS[1]), State.SEEKING, (do.Ring, do.StartTimer)),
    (seeking, ev.PlanReady(steps=PLANS[0]), State.OFFERING, (do.Listen, do.Say)),
    (seeking, ev.RedFlagRaised(flag=FLAG), State.SEEKING, (do.FindAgent, do.Say)),
    (ringing, ev.AgentAnswered(slot="a1"), State.SEEKING, (do.Brief, do.StartTimer)),
    (ringing, ev.AgentGone(slot="a1", cause=Cause.BUSY), State.SEEKING, (do.Ring,)),
    (ringing, ev.TimerFired(name="ring"), State.SEEKING, (do.DropAgent, do.Ring)),
    (bridged, ev.AgentGone(slot="a1", cause=Cause.NORMAL), State.SEEKING, (do.FindAgent,)),
    (bridged, ev.BridgeFailed(slot="a1"), State.SEEKING, (do.DropAgent, do.FindAgent)),
    (bridged, ZERO, State.BRIDGED, ()),
    (parted, ZERO, State.SEEKING, (do.FindAgent,)),
    (parted, ev.TimerFired(name="no_input"), State.CLOSING, (do.Say,)),
    (offering, ev.DigitPressed(digit="1"), State.OFFERING, (do.NoteCallback,)),
    (offering, ev.DigitPressed(digit="2"), State.CLOSING, (do.Say,)),
    (offering, ev.Heard(words=Heard(text="no"), yes=False), State.CLOSING, (do.Say,)),
    (offering, ev.Heard(words=Heard(text="well")), State.OFFERING, (do.NoteCallback,)),
    (returning, ev.DigitPressed(digit="1"), State.THINKING, (do.AskDialogue,)),
    (returning, ev.DigitPressed(digit="2"), State.CLOSING, (do.Say,)),
    (returning, ZERO, State.SEEKING, (do.FindAgent, do.Say)),
    (returning, AGENT, State.SEEKING, (do.FindAgent, do.Say)),
    (returning, ev.Heard(words=Heard(text="yes"), yes=True), State.THINKING, (do.AskDialogue,)),
    (returning, ev.Heard(words=Heard(text="no"), yes=False), State.CLOSING, (do.Say,)),
    (returning, ev.Heard(words=Heard(text="leave a message")), State.RETURNING, ()),
    (returning, ev.RedFlagRaised(flag=FLAG), State.SEEKING, (do.FindAgent, do.Say)),
    (returning, ev.SayEnded(say=1), State.RETURNING, (do.StartTimer,)),
    (returning, NO_KEYS, State.RETURNING, (do.Say,)),
    (returning, NO_HUMAN, State.SEEKING, (do.FindAgent, do.Say)),
    (closing, AGENT, State.SEEKING, (do.FindAgent,)),
    *((IN[state], UNFILLED, state, ()) for state in State if state in LIVE and state in IN),
    *((make, NO_KEYS, State.THINKING, (do.AskDialogue,)) for make in (greeting, asking, listening, thinking)),
    *((make, NO_HUMAN, State.SEEKING, (do.FindAgent, do.Say)) for make in (greeting, asking, listening, thinking)),
    (seeking, NO_KEYS, State.SEEKING, (do.Say,)),
    (ringing, NO_HUMAN, State.SEEKING, (do.Say,)),
    (bridged, NO_KEYS, State.BRIDGED, ()),
    (bridged, NO_HUMAN, State.SEEKING, (do.DropAgent, do.FindAgent)),
    (parted, NO_HUMAN, State.SEEKING, (do.FindAgent,)),
    (offering, NO_KEYS, State.OFFERING, (do.Say,)),
    (offering, NO_HUMAN, State.OFFERING, (do.NoteCallback,)),
    (closing, NO_HUMAN, State.CLOSING, (do.HangUp,)),
    *((IN[state], ev.RedFlagRaised(flag=FLAG), State.SEEKING, (do.FindAgent, do.Say)) for state in LIVE[:4]),
]


@pytest.mark.parametrize(
    ("make", "event", "to", "commands"), WAYS, ids=[f"{m.__name__}-{type(e).__name__}" for m, e, _, _ in WAYS]
)
def test_selected_ways(make: Make, event: ev.Event, to: State, commands: tuple[type, ...]) -> None:
    world = make()
    given = [type(one) for one in world.send(event)]
    assert world.call.state is to
    assert [kind for kind in commands if kind not in given] == []
    if not commands:
        assert do.Say not in given


def test_a_call_is_a_value() -> None:
    call = Call()
    after, _ = advance(call, ARRIVED)
    assert call == Call()
    assert after is not call
    assert listening().call.question == OPEN
