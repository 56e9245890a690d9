"""What is measured of a call, step by step, with times given by hand."""

from dataclasses import replace

import pytest

from dialogs.fallback import INSTEAD
from dialogs.port import Heard as Words
from dialogs.port import Level, Prompt, RedFlag, Turn
from ivr.call import commands as do
from ivr.call import events as ev
from ivr.call.state import Call, State
from ivr.ports import Cause
from ivr.watch.moments import Moment, What
from ivr.watch.story import COMMANDS, EVENTS, Story
from ivr.watch.watcher import Joined, Listened, Played, Step
from routing.port import Agent

LISTENING = Call(state=State.LISTENING)
FLAG = ev.RedFlagRaised(flag=RedFlag(rule="chest_pain", words="", prompts=(), summary=Prompt(key="x")))
NURSE = Agent(id="nurse", address="sip:nurse@127.0.0.1")
SAY = do.Say(say=3, prompts=())


def step(event: ev.Event, *commands: do.Command, before: Call = LISTENING, **after: object) -> Step:
    return Step(before=before, event=event, after=replace(before, **after), commands=commands)  # type: ignore[arg-type]


def heard(**more: object) -> ev.Heard:
    return ev.Heard(words=Words(text="x"), **more)  # type: ignore[arg-type]


def of(moments: list[Moment], what: What) -> list[float]:
    return [round(one.seconds, 6) for one in moments if one.what is what]


def test_the_gap_is_from_the_last_sound_to_the_first_of_ours() -> None:
    story = Story(0.0)
    story.fact(Listened(silence=0.6, delay=0.1, lost=0), 10.0)
    story.step(step(heard(), SAY), 10.0)
    assert of(story.fact(Played(say=3, lead=0.05), 10.2), What.GAP) == [0.95]


@pytest.mark.parametrize(
    "between",
    [
        step(ev.SpeechStarted()),
        step(ev.HungUp(cause=Cause.NORMAL), state=State.ENDED),
        step(ev.AgentDigit(slot="a1", digit="1"), state=State.BRIDGED),
    ],
)
def test_a_turn_that_comes_to_nothing_has_no_gap(between: Step) -> None:
    story = Story(0.0)
    story.step(step(heard()), 10.0)
    assert What.TURN_GONE in [one.what for one in story.step(between, 10.1)]
    assert of(story.fact(Played(say=3, lead=0.0), 12.0), What.GAP) == []


def only(what: What, moments: list[Moment]) -> Moment:
    (found,) = [one for one in moments if one.what is what]
    return found


@pytest.mark.parametrize(
    "told",
    [step(heard(aside=True)), step(heard(), saying=2), step(ev.NothingHeard()), step(heard(), state=State.BRIDGED)],
)
def test_not_everything_heard_waits_for_an_answer(told: Step) -> None:
    assert What.TURN_BEGAN not in [one.what for one in Story(0.0).step(told, 1.0)]


def test_a_flag_is_timed_to_ringing_and_to_the_bridge_once() -> None:
    story = Story(0.0)
    story.step(step(FLAG, do.FindAgent(level=Level.EMERGENCY, department="")), 5.0)
    story.step(step(ev.PlanReady(steps=()), do.Ring(slot="a1", agent=NURSE)), 5.1)
    assert of(story.step(step(ev.AgentRinging(slot="a1")), 5.5), What.FLAG_RANG) == [0.5]
    assert of(story.step(step(ev.AgentRinging(slot="a1")), 6.0), What.FLAG_RANG) == []
    assert of(story.step(step(FLAG), 6.1), What.FLAG) == []
    assert of(story.step(step(ev.AgentAnswered(slot="a1")), 8.1), What.PICKED_UP) == [3.0]
    accepted = step(ev.AgentDigit(slot="a1", digit="1"), do.Bridge(slot="a1"), accepted="a1")
    assert of(story.step(accepted, 9.1), What.ACCEPTED) == [1.0]
    joined = story.fact(Joined(slot="a1"), 9.2)
    assert of(joined, What.JOINED) == [0.1]
    assert of(joined, What.FLAG_BRIDGED) == [4.2]
    assert of(story.fact(Joined(slot="a1"), 99.0), What.FLAG_BRIDGED) == []


def test_a_flag_while_a_phone_rings_already_has_rung_at_once() -> None:
    story = Story(0.0)
    story.step(step(ev.PlanReady(steps=()), do.Ring(slot="a1", agent=NURSE)), 1.0)
    story.step(step(ev.AgentRinging(slot="a1")), 2.0)
    assert of(story.step(step(FLAG), 5.0), What.FLAG_RANG) == [0.0]


def test_a_leg_is_told_gone_once_with_what_became_of_it() -> None:
    story = Story(0.0)
    story.step(step(ev.PlanReady(steps=()), do.Ring(slot="a1", agent=NURSE), do.Ring(slot="a2", agent=NURSE)), 1.0)
    story.step(step(ev.AgentAnswered(slot="a2")), 2.0)
    gone = [
        one
        for slot in ("a1", "a2", "a1")
        for one in story.step(step(ev.AgentGone(slot=slot, cause=Cause.BUSY)), 3.0)
    ]
    assert [(one.key, one.word, one.good) for one in gone] == [("a1", "busy", False), ("a2", "busy", True)]


def test_a_turn_of_the_dialogue_is_timed_by_its_number() -> None:
    story = Story(0.0)
    story.step(step(heard(), do.AskDialogue(ask=1, engine=do.Engine.TALK)), 1.0)
    story.step(step(heard(), do.AskDialogue(ask=2, engine=do.Engine.KEYS)), 2.0)
    late = only(What.ANSWERED, story.step(step(ev.TurnReady(ask=1, turn=Turn(say=()))), 4.0))
    assert (late.word, late.seconds, late.good) == ("talk", 3.0, True)
    failed = only(What.ANSWERED, story.step(step(ev.DialogueFailed(ask=2)), 4.5))
    assert (failed.word, failed.seconds, failed.good) == ("keys", 2.5, False)


def test_changes_of_the_call_are_moments() -> None:
    found = Story(0.0).step(step(ev.SpeechStarted(), cut=True, on_keys=True, state=State.ASKING), 1.0)
    assert {What.BARGED_IN, What.KEYS, What.STATE} <= {one.what for one in found}
    unchanged = Story(0.0).step(step(ev.SpeechStarted(), before=replace(LISTENING, cut=True, on_keys=True)), 1.0)
    assert unchanged == []


def test_keys_are_told_once_whoever_went_over_to_them() -> None:
    story = Story(0.0)
    instead = ev.TurnReady(ask=1, turn=Turn(say=(INSTEAD,)))
    assert What.KEYS in [one.what for one in story.step(step(instead), 1.0)]
    assert What.KEYS not in [one.what for one in story.step(step(ev.Trouble(what="recogniser"), on_keys=True), 2.0)]


def test_filled_silence_is_told_with_what_filled_it() -> None:
    told = [only(What.DEAD_AIR, Story(0.0).step(step(ev.DeadAir(level=lull)), 1.0)).word for lull in ev.Lull]
    assert told == ["filler", "keys", "human"]


def test_lost_frames_are_counted_as_they_are_lost() -> None:
    story = Story(0.0)
    lost = [story.fact(Listened(silence=0.1, delay=0.1, lost=count), 1.0) for count in (0, 5, 5, 7)]
    assert [one.count for moments in lost for one in moments if one.what is What.LOST] == [5, 2]


def test_a_call_that_ends_without_its_record_has_failed() -> None:
    assert [one.word for one in Story(0.0).end(3.0)] == ["failed"]
    story = Story(0.0)
    story.step(step(ev.HungUp(cause=Cause.NORMAL), do.Finish(outcome="hung_up")), 2.0)
    assert [(one.word, one.seconds) for one in story.end(3.0)] == [("hung_up", 3.0)]


def test_every_name_that_the_story_waits_for_is_an_event_or_a_command() -> None:
    assert set(EVENTS) <= {one.__name__ for one in ev.Event.__args__}
    assert set(COMMANDS) <= set(do.Command.__args__)
