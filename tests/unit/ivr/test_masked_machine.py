"""The machine of masked calls: whatever happens in whatever order, nobody is joined who may not be."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.masked import commands as do
from ivr.masked import events as ev
from ivr.masked.machine import LIVE, TABLE, IllegalEvent, advance
from ivr.masked.state import Call, Leg, State
from ivr.ports import Cause
from masking.port import Admission, ClickPlan, Decision, LegEnd, Outcome, Verdict

CALLEE, SHOWN = "party-callee", "+12025550102"
CONNECT = Verdict(outcome=Outcome.CONNECT, binding="b", owner="o", callee=CALLEE, shown=SHOWN, seconds=600)
PLAN = ClickPlan(
    binding="b", first="party-doctor", first_sees="+12025550102", second=CALLEE, second_sees="+12025550101", seconds=600
)
ARRIVED = ev.Arrived(caller="party-caller", reachable=True, to_doctor=True)


@dataclass(slots=True)
class Story:
    """A call, and all that was ordered."""

    call: Call = field(default_factory=Call)
    done: list[do.Command] = field(default_factory=list)

    def send(self, *events: ev.Event) -> "Story":
        for event in events:
            self.call, commands = advance(self.call, event)
            self.done.extend(commands)
        return self

    def last(self, kind: type) -> do.Command:
        return next(one for one in reversed(self.done) if isinstance(one, kind))

    def said(self) -> str:
        found = self.last(do.Say)
        assert isinstance(found, do.Say)
        return found.prompts[0].key.removeprefix("masked.")

    def count(self, kind: type) -> int:
        return sum(isinstance(one, kind) for one in self.done)


def up(leg: Leg) -> ev.LegUp:
    return ev.LegUp(leg=leg)


def down(leg: Leg, cause: Cause = Cause.NORMAL) -> ev.LegDown:
    return ev.LegDown(leg=leg, cause=cause)


def key(leg: Leg, digit: str) -> ev.KeyPressed:
    return ev.KeyPressed(leg=leg, digit=digit)


def resolved(outcome: Outcome) -> ev.Resolved:
    return ev.Resolved(verdict=Verdict(outcome=outcome))


YES = ev.HookSaid(decision=Decision.CONNECT)
INBOUND: tuple[ev.Event, ...] = (ARRIVED, ev.Resolved(verdict=CONNECT), up(Leg.A), YES)
WAYS: dict[State, tuple[ev.Event, ...]] = {
    State.ASKED: (ARRIVED,),
    State.CODING: (ARRIVED, resolved(Outcome.ASK_CODE), up(Leg.A)),
    State.CHECKING: (
        ARRIVED, resolved(Outcome.ASK_CODE), up(Leg.A), *(key(Leg.A, digit) for digit in "123456#")
    ),
    State.ADMITTING: INBOUND[:3],
    State.CALLING: (ev.Clicked(plan=PLAN, owner="o"), YES),
    State.GREETING: (ev.Clicked(plan=PLAN, owner="o"), YES, up(Leg.A)),
    State.RINGING: INBOUND,
    State.CONFIRMING: (*INBOUND, up(Leg.B)),
    State.BRIDGED: (*INBOUND, up(Leg.B), key(Leg.B, "1")),
    State.OFFERING: (ARRIVED, resolved(Outcome.EXPIRED), up(Leg.A)),
    State.TELLING: (ARRIVED, ev.Resolved(verdict=CONNECT, admission=Admission.PAIR), up(Leg.A)),
}  # fmt: skip


def at(state: State) -> Story:
    story = Story().send(*WAYS[state])
    assert story.call.state is state
    return story


def test_every_state_has_a_way_to_it() -> None:
    assert set(WAYS) == set(LIVE)


@pytest.mark.parametrize("state", LIVE)
def test_the_caller_hangs_up(state: State) -> None:
    story = at(state)
    there = story.call.there
    story.send(down(Leg.A))
    assert story.call.state is State.ENDED
    assert story.count(do.Finish) == 1
    assert (do.HangUp(leg=Leg.B) in story.done) is there
    finish = story.last(do.Finish)
    assert isinstance(finish, do.Finish)
    assert finish.joined is (state is State.BRIDGED)


@pytest.mark.parametrize(
    ("state", "cause", "end"),
    [
        (State.RINGING, Cause.BUSY, LegEnd.BUSY),
        (State.RINGING, Cause.DECLINED, LegEnd.DECLINED),
        (State.RINGING, Cause.NO_ANSWER, LegEnd.NO_ANSWER),
        (State.RINGING, Cause.UNREACHABLE, LegEnd.UNREACHABLE),
        (State.RINGING, Cause.FAILED, LegEnd.FAILED),
        (State.CONFIRMING, Cause.NORMAL, LegEnd.NOT_CONFIRMED),
        (State.BRIDGED, Cause.NORMAL, LegEnd.COMPLETED),
        (State.BRIDGED, Cause.FAILED, LegEnd.FAILED),
    ],
)
def test_the_other_side_goes(state: State, cause: Cause, end: LegEnd) -> None:
    story = at(state).send(down(Leg.B, cause))
    assert story.call.end is end
    if state is State.BRIDGED:
        assert do.HangUp(leg=Leg.A) in story.done
        assert story.call.released_by == "callee"
    else:
        assert story.said() == "unreachable"


@pytest.mark.parametrize("state", LIVE)
def test_a_killed_binding_ends_its_calls(state: State) -> None:
    story = at(state).send(ev.Killed())
    if story.call.binding and state not in (State.OFFERING, State.TELLING):
        assert (story.call.state, story.call.end) == (State.TELLING, LegEnd.KILLED)
        assert do.HangUp(leg=Leg.A) in story.done


def test_masking_lost_is_a_human_of_ours_at_once() -> None:
    story = Story().send(ARRIVED, ev.ResolveFailed())
    assert story.call.state is State.HANDED
    assert do.TakeOver(human=True) in story.done
    assert story.call.end is LegEnd.UNAVAILABLE


def test_a_caller_who_is_limited_reaches_a_human_by_0() -> None:
    story = at(State.TELLING)
    assert story.said() == "limited"
    assert story.send(key(Leg.A, "1")).call.state is State.TELLING
    assert story.send(key(Leg.B, "0")).call.state is State.TELLING
    story.send(key(Leg.A, "0"))
    assert (story.call.state, story.call.end) == (State.HANDED, LegEnd.LIMITED)
    assert do.TakeOver(human=True) in story.done
    assert story.count(do.Finish) == 1


def test_whoever_has_spoken_to_the_other_side_is_let_go() -> None:
    story = at(State.BRIDGED).send(down(Leg.B))
    assert story.call.state is State.TELLING
    assert story.send(key(Leg.A, "0")).call.state is State.TELLING


@pytest.mark.parametrize(
    ("decision", "state"), [(Decision.OPERATOR, State.HANDED), (Decision.REFUSE, State.TELLING)]
)
def test_only_a_plain_yes_of_the_hook_goes_on(decision: Decision, state: State) -> None:
    story = at(State.ADMITTING).send(ev.HookSaid(decision=decision))
    assert (story.call.state, story.call.end) == (state, LegEnd.INTERCEPTED)
    assert story.count(do.Dial) == 0


def test_three_wrong_codes_and_no_more() -> None:
    story = Story().send(ARRIVED, resolved(Outcome.ASK_CODE), up(Leg.A))
    for tries in range(1, 4):
        assert story.call.state is State.CODING
        story.send(*(key(Leg.A, digit) for digit in "654321#"))
        assert story.said() == "code_back"
        story.send(key(Leg.A, "1"), resolved(Outcome.ASK_CODE))
        assert story.call.tries == tries
    assert (story.call.state, story.call.end, story.said()) == (State.OFFERING, LegEnd.LOCKED, "unknown")
    assert "654321" not in repr(story.call) + repr(story.done[-1])


def test_a_code_is_read_back_before_it_counts() -> None:
    story = at(State.CHECKING)
    assert story.count(do.Resolve) == 1, "the look-up before the code"
    story.send(key(Leg.A, "*"))
    assert story.call.state is State.CODING
    story.send(*(key(Leg.A, digit) for digit in "87654321"), ev.TimerFired(name="code"), key(Leg.A, "#"))
    resolve = story.last(do.Resolve)
    assert isinstance(resolve, do.Resolve)
    assert resolve.code == "87654321"
    assert "87654321" not in repr(story.done)
    story.send(ev.Resolved(verdict=CONNECT), YES)
    assert (story.call.state, story.call.digits) == (State.RINGING, "")


def test_a_fax_is_nobody() -> None:
    story = at(State.CONFIRMING).send(ev.FaxHeard(leg=Leg.B), key(Leg.B, "1"))
    assert story.call.end is LegEnd.FAX
    assert story.count(do.Bridge) == 0


def test_the_last_minute_is_told_and_then_it_is_over() -> None:
    story = at(State.BRIDGED)
    assert do.StartTimer(name="last_minute", seconds=540) in story.done
    assert do.StartTimer(name="time_up", seconds=600) in story.done
    story.send(ev.TimerFired(name="last_minute"))
    assert story.done[-1] == do.Warn()
    story.send(ev.TimerFired(name="time_up"))
    assert story.call.end is LegEnd.TIME_UP
    assert all(do.HangUp(leg=leg) in story.done for leg in Leg)


@pytest.mark.parametrize("press", [True, False])
def test_who_stays_after_the_end_of_a_binding_is_connected_to_the_hotline(press: bool) -> None:
    story = at(State.OFFERING)
    assert story.said() == "expired"
    if press:
        story.send(key(Leg.A, "1"))
    else:
        story.send(ev.SayEnded(say=story.call.saying), ev.TimerFired(name="offer"))
    assert do.TakeOver(human=False) in story.done


@pytest.mark.parametrize("state", [State.RINGING, State.CONFIRMING, State.OFFERING])
def test_zero_is_a_human(state: State) -> None:
    story = at(state).send(key(Leg.A, "0"))
    assert story.call.state is State.HANDED
    assert do.TakeOver(human=True) in story.done
    assert (do.HangUp(leg=Leg.B) in story.done) is (state is not State.OFFERING)


def test_a_looped_call_is_refused_before_it_is_answered() -> None:
    looped = ev.Arrived(caller="", reachable=False, to_doctor=True, loop=True)
    story = Story().send(looped)
    assert (story.call.state, story.call.end) == (State.ENDED, LegEnd.LOOP)
    assert story.count(do.Answer) == 0


def test_what_comes_before_the_call_is_a_mistake() -> None:
    with pytest.raises(IllegalEvent):
        advance(Call(), up(Leg.A))
    late = [kind for kind in ev.Event.__args__ if kind not in (ev.Arrived, ev.Clicked)]
    assert all((state, kind) in TABLE for state in LIVE for kind in late)


LEGS = st.sampled_from(list(Leg))
VERDICTS = st.one_of(
    st.just(CONNECT),
    st.builds(Verdict, outcome=st.sampled_from([one for one in Outcome if one is not Outcome.CONNECT])),
)
EVENTS = st.one_of(
    st.builds(ev.Resolved, verdict=VERDICTS, admission=st.sampled_from([Admission.ADMITTED] * 5 + [Admission.PAIR])),
    st.just(ev.ResolveFailed()),
    st.builds(ev.HookSaid, decision=st.sampled_from([Decision.CONNECT] * 4 + list(Decision))),
    st.builds(ev.LegUp, leg=LEGS),
    st.builds(ev.LegDown, leg=LEGS, cause=st.sampled_from(list(Cause))),
    st.builds(ev.DialFailed, leg=LEGS, end=st.sampled_from(list(LegEnd))),
    st.builds(ev.KeyPressed, leg=LEGS, digit=st.sampled_from("0123456789*#A")),
    st.builds(ev.SayEnded, say=st.integers(0, 8)),
    st.builds(ev.TimerFired, name=st.sampled_from(["ring", "confirm", "last_minute", "time_up", "code", "offer"])),
    st.builds(ev.FaxHeard, leg=LEGS),
    st.sampled_from([ev.Killed(), ev.BridgeFailed(), ev.Promised(noted=True), ev.Broken()]),
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([ARRIVED, ev.Clicked(plan=PLAN, owner="o")]), st.lists(EVENTS, max_size=25),
    st.sampled_from([(), *WAYS.values()]),
)  # fmt: skip
def test_nobody_is_joined_unconfirmed_or_with_another(
    first: ev.Event, events: list[ev.Event], way: tuple[ev.Event, ...]
) -> None:
    story = Story()
    pressed = False
    for event in (*(way or (first,)), *events):
        before = story.call
        if before.finished and isinstance(event, ev.Arrived | ev.Clicked):
            continue
        story.send(event)
        if before.state is State.CONFIRMING and event == key(Leg.B, "1"):
            pressed = True
        if story.count(do.Bridge):
            assert pressed, "joined though nobody pressed 1"
    for one in story.done:
        if isinstance(one, do.Dial):
            assert (one.leg, one.party) in ((Leg.B, CALLEE), (Leg.A, PLAN.first))
    assert story.count(do.Bridge) <= 1
    assert story.count(do.Finish) == int(story.call.finished)
    story.send(*([down(Leg.A)] if not story.call.finished else []))
    assert story.call.finished, "every call ends when its first leg does"
