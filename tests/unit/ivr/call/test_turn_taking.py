"""Steps around a voice over a sentence of ours, and around sentences that come in two halves."""

from dataclasses import replace

from dialogs.port import Heard, Prompt, Turn
from ivr.call import commands as do
from ivr.call import events as ev
from ivr.call.answers import HOLDS_A_SAY
from ivr.call.state import State
from scripts.call_world import AGE, TURNS
from tests.unit.ivr.call.test_machine_table import asking, holding, thinking


def test_a_hold_that_nobody_ends_goes_on_when_the_caller_is_silent() -> None:
    world = holding()
    world.call = replace(world.call, speaking=False)
    assert do.GoOn() in world.send(ev.TimerFired(name="hold"))
    assert (world.call.state, world.call.holding) == (State.ASKING, False)


def test_a_line_full_of_noises_holds_a_sentence_a_few_times_only() -> None:
    world, holds = asking(), 0
    for _ in range(HOLDS_A_SAY + 3):
        holds += do.Hold() in world.send(ev.SpeechStarted())
        world.send(ev.NothingHeard())
    assert holds == HOLDS_A_SAY
    world.send(ev.SpeechStarted())
    assert do.StopSaying() in world.send(ev.TurnTaken())


def test_what_must_be_heard_is_neither_held_nor_stopped() -> None:
    world = thinking()
    world.send(ev.TurnReady(ask=2, turn=TURNS[1]))
    assert world.send(ev.SpeechStarted()) == ()
    assert world.send(ev.TurnTaken()) == ()
    assert world.send(ev.Heard(words=Heard(text="mm hmm"), aside=True)) == ()
    assert world.call.early is None


def asked_words(commands: tuple[do.Command, ...]) -> list[str]:
    return [one.words.text for one in commands if isinstance(one, do.AskDialogue) and one.words]


def test_the_rest_of_a_sentence_goes_with_its_beginning_and_a_misfit_is_no_mistake() -> None:
    world, age = thinking(), Turn(say=(Prompt(key="ask.age"),), question=AGE)
    world.send(ev.TurnReady(ask=2, turn=age))
    world.send(ev.SpeechStarted())
    rest = ev.Heard(words=Heard(text="and my neck"), continues=True)
    assert asked_words(world.send(rest)) == ["my head hurts and my neck"]
    commands = world.send(ev.TurnReady(ask=3, turn=TURNS[2]))
    assert do.Say(say=4, prompts=age.say) in commands
    assert not world.call.on_keys


def test_the_rest_of_a_sentence_waits_for_the_dialogue_with_its_beginning() -> None:
    world = thinking()
    world.send(ev.SpeechStarted())
    assert asked_words(world.send(ev.Heard(words=Heard(text="and my neck"), continues=True))) == []
    assert asked_words(world.send(ev.TurnReady(ask=2, turn=TURNS[0]))) == ["my head hurts and my neck"]
