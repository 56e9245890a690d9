"""No sequence of events loses a caller: explored by hypothesis over everything that the world can send."""

from hypothesis import given, settings
from hypothesis import strategies as st

from dialogs.port import Command
from ivr.call import commands as do
from ivr.call import events as ev
from ivr.call.state import State
from ivr.ports import Cause
from scripts.call_world import FLAG, PLANS, World

CHOICES = st.lists(st.integers(min_value=0, max_value=10_000), max_size=60)
SPOKEN = (do.Say, do.Brief, do.Ring, do.Bridge, do.AskDialogue, do.Answer, do.StartTimer)
MANY = settings(max_examples=1500, deadline=None)
SOME = settings(max_examples=600, deadline=None)


def walk(choices: list[int], reachable: bool) -> World:
    """A world after a sequence of its own possible events."""
    world = World(reachable=reachable)
    for choice in choices:
        possible = world.possible()
        world.send(possible[choice % len(possible)])
    return world


@MANY
@given(CHOICES, st.booleans())
def test_a_live_call_always_has_something_coming(choices: list[int], reachable: bool) -> None:
    world = walk(choices, reachable)
    if world.call.state not in (State.NEW, State.BRIDGED, State.ENDED) and not world.call.speaking:
        assert world.pending(), world.call


@MANY
@given(CHOICES, st.booleans())
def test_a_silent_caller_reaches_a_human_or_hears_a_result(choices: list[int], reachable: bool) -> None:
    """From any reachable state, a world where every part works and the caller is silent ends well."""
    world = walk(choices, reachable)
    if world.call.state in (State.NEW, State.ENDED):
        return
    world.send(ev.CallAnswered() if world.answering else ev.NothingHeard())
    for _ in range(400):
        if world.call.state in (State.BRIDGED, State.ENDED):
            return
        world.send(helpful(world))
    raise AssertionError(f"nothing ends: {world.call}")


def helpful(world: World) -> ev.Event:
    """What a working world sends next; an agent who hears a summary takes the call."""
    for slot in sorted(world.call.briefing):
        return ev.AgentDigit(slot=slot, digit="1")
    return world.pending()[0]


@MANY
@given(CHOICES, st.booleans(), st.sampled_from(["key", "words", "flag"]))
def test_a_human_can_be_had_at_any_moment(choices: list[int], reachable: bool, how: str) -> None:
    world = walk(choices, reachable)
    collecting = bool(world.call.digits)
    if world.call.state in (State.NEW, State.BRIDGED, State.ENDED) or world.answering or (how == "key" and collecting):
        return
    wish: dict[str, ev.Event] = {
        "key": ev.DigitPressed(digit="0"),
        "words": ev.CommandHeard(command=Command.HUMAN),
        "flag": ev.RedFlagRaised(flag=FLAG),
    }
    world.send(wish[how])
    assert world.call.state is State.SEEKING
    assert world.plans or world.call.ringing or world.call.briefing or world.call.accepted


@MANY
@given(CHOICES, st.booleans())
def test_hanging_up_frees_everybody_and_silences_everything(choices: list[int], reachable: bool) -> None:
    world = walk(choices, reachable)
    if world.call.finished:
        return
    held = world.call.ringing | world.call.briefing | ({world.call.accepted} - {""})
    commands = world.send(ev.HungUp(cause=Cause.NORMAL))
    assert world.call.state is State.ENDED
    assert {one.slot for one in commands if isinstance(one, do.DropAgent)} >= held
    assert sum(isinstance(one, do.Finish) for one in commands) == 1
    assert not any(isinstance(one, SPOKEN) for one in commands)
    for event in world.possible():
        assert world.send(event) == (), "after hang-up nothing is said or done"


@MANY
@given(CHOICES, st.booleans())
def test_an_urgent_caller_lost_before_the_bridge_is_called_back(choices: list[int], reachable: bool) -> None:
    world = walk(choices, reachable)
    if world.call.state is not State.SEEKING:
        return
    world.send(ev.RedFlagRaised(flag=FLAG))
    before = sum(isinstance(one, do.NoteCallback) for one in world.done)
    world.send(ev.HungUp(cause=Cause.NORMAL))
    noted = sum(isinstance(one, do.NoteCallback) for one in world.done)
    assert noted > before or not reachable or world.call.bridged or before


@MANY
@given(CHOICES, st.booleans())
def test_what_is_held_goes_on_or_is_stopped_within_a_bounded_time(choices: list[int], reachable: bool) -> None:
    world = walk(choices, reachable)
    if world.call.finished:
        return
    assert world.held <= world.call.holding, "the line holds what the machine thinks is being said"
    if world.held:
        assert "hold" in world.timers
        world.send(ev.TimerFired(name="hold"))
        assert not world.held


@MANY
@given(CHOICES, st.booleans())
def test_only_what_is_being_said_is_held_and_only_what_is_held_goes_on(choices: list[int], reachable: bool) -> None:
    world, held, saying = walk(choices, reachable), False, False
    for command in world.done:
        match command:
            case do.Say():
                held, saying = False, True
            case do.StopSaying():
                held = saying = False
            case do.Hold():
                assert saying
                assert not held
                held = True
            case do.GoOn():
                assert held
                held = False


@MANY
@given(CHOICES, st.booleans())
def test_slots_are_used_once_and_every_bridge_was_accepted(choices: list[int], reachable: bool) -> None:
    world = walk(choices, reachable)
    rings = [one.slot for one in world.done if isinstance(one, do.Ring)]
    assert len(rings) == len(set(rings))
    says = [one.say for one in world.done if isinstance(one, do.Say)]
    assert says == sorted(set(says))


@SOME
@given(CHOICES, st.booleans())
def test_dead_air_ends_at_a_human_from_any_reachable_state(choices: list[int], reachable: bool) -> None:
    """The last level is ignored nowhere: a human is sought or there, or will call, or nobody is left to be sought."""
    world = walk(choices, reachable)
    if world.call.state in (State.NEW, State.ENDED) or world.answering:
        return
    world.send(ev.DeadAir(level=ev.Lull.HUMAN))
    call = world.call
    if call.state is State.SEEKING:
        assert world.plans or call.ringing or call.briefing
    elif call.state is not State.BRIDGED:
        assert call.noted or world.hanging_up, call


@SOME
@given(CHOICES, st.booleans(), st.sampled_from(ev.Lull))
def test_dead_air_is_no_loop(choices: list[int], reachable: bool, level: ev.Lull) -> None:
    """Where no sentence is ever heard and no agent answers, the call still comes to its end."""
    world = walk(choices, reachable)
    if world.call.state in (State.NEW, State.ENDED) or world.answering:
        return
    world.send(ev.DeadAir(level=level))
    for _ in range(40):
        if world.hanging_up:
            return
        world.send(unheard(world))
    raise AssertionError(f"never ends: {world.call}")


def unheard(world: World) -> ev.Event:
    """What comes in a world in which nothing can be said and nobody picks up."""
    if world.plans:
        return ev.PlanReady(steps=PLANS[1])
    if world.notes:
        return ev.CallbackNoted()
    for slot in sorted(world.call.briefing):
        return ev.AgentGone(slot=slot, cause=Cause.NO_ANSWER)
    return ev.TimerFired(name="ring") if world.call.ringing else ev.DeadAir(level=ev.Lull.HUMAN)
