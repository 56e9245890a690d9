"""A danger in the words reaches a human from every state, before the sentence is over."""

import pytest

from dialogs.scripted import ScriptedDialogue
from ivr.call.state import State
from tests.calls.parts import ADVISED, COMPLAINT
from tests.calls.people import NEVER, TAKES, Act, Habit, during, hangs_up, presses, says, talking
from tests.calls.runner import Held, hold
from tests.calls.world import World

PAIN = "i have chest pain and it hurts a lot since this morning"
LEAVES = hangs_up(during(State.BRIDGED, 2))
RASH, ZERO = says("i have a rash"), presses("0")


def check(held: Held) -> None:
    """The number was said, the agent was told, the two were joined."""
    assert "red_flag.dial" in held.said
    assert any("Red flag: chest pain" in text for text in held.briefed)
    assert held.bridged
    assert held.outcome == "bridged"


@pytest.mark.parametrize("state", [State.GREETING, State.ASKING, State.LISTENING])
def test_while_the_dialogue_leads(state: State) -> None:
    held = hold(World(acts=(says(PAIN, during(state, 0.3)), LEAVES)))
    check(held)
    assert held.kinds.index("RedFlagRaised") < held.kinds.index("Heard"), "raised by a partial"


def test_the_phone_rings_before_the_sentence_is_over() -> None:
    held = hold(World(acts=(says(PAIN), LEAVES)))
    at = {one.kind: float(str(one.data["t"])) for one in held.entries}
    assert at["AgentRinging"] < at["Heard"]


def test_the_emergency_number_is_heard_to_its_end_before_the_bridge() -> None:
    held = hold(World(nurses={"one": (Habit(rings=0.1),)}, acts=(says("chest pain"), LEAVES)))
    dial = next(number for number, one in enumerate(held.entries) if "red_flag.dial" in str(one.data.get("keys")))
    ended = next(number for number in range(dial, len(held.entries)) if held.entries[number].kind == "SayEnded")
    assert ended < held.kinds.index("Bridged")


def test_somebody_who_talks_on_hears_the_number_all_the_same() -> None:
    long = "i have chest pain and " + "it goes on and on " * 4
    held = hold(World(nurses={"one": (NEVER,)}, acts=(says(long), hangs_up(during(State.SEEKING, 9)))))
    at = {one.kind: float(str(one.data["t"])) for one in held.entries if one.kind != "Said"}
    said = [one for one in held.entries if one.kind == "Said" and "red_flag.dial" in str(one.data["keys"])]
    assert float(str(said[0].data["t"])) - at["RedFlagRaised"] <= 2.3


def test_a_danger_while_a_human_is_sought_makes_the_search_urgent() -> None:
    acts = (ZERO, says(PAIN, during(State.SEEKING, 1)), LEAVES)
    held = hold(World(nurses={"one": (NEVER, TAKES), "two": (NEVER, TAKES)}, acts=acts))
    check(held)
    assert held.kinds.count("PlanReady") == 2


def test_a_danger_is_told_to_the_agent_who_already_listens() -> None:
    acts = (ZERO, says(PAIN, during(State.SEEKING, 1)), LEAVES)
    held = hold(World(nurses={"one": (Habit(keys=""), TAKES), "two": (TAKES,)}, acts=acts))
    check(held)


@pytest.mark.parametrize("state", [State.PARTED, State.OFFERING, State.CLOSING])
def test_at_the_end_of_a_call(state: State) -> None:
    first, nurses = {
        State.PARTED: (ZERO, (Habit(stays=11.0), TAKES)),
        State.OFFERING: (ZERO, (NEVER, TAKES)),
        State.CLOSING: (RASH, (TAKES,)),
    }[state]
    talk = ScriptedDialogue((COMPLAINT, ADVISED))
    act = says(PAIN, during(state, 0.2))
    check(hold(World(talk=talk, nurses={"nurse": nurses}, acts=(first, act, LEAVES))))


def test_one_danger_is_raised_once_a_call() -> None:
    held = hold(World(nurses={"one": (NEVER,)}, acts=(says(PAIN), says("chest pain", during(State.SEEKING, 3)))))
    assert held.kinds.count("RedFlagRaised") == 1
    assert held.over


def test_a_yes_to_a_dangerous_question_is_a_danger() -> None:
    from dataclasses import replace

    assert COMPLAINT.question is not None
    tight = replace(COMPLAINT, question=replace(COMPLAINT.question, id="chest_tight", danger="chest_pain"))
    held = hold(World(talk=ScriptedDialogue((tight,)), acts=(says("yes"), LEAVES)))
    check(held)


def test_dangers_are_heard_without_any_dialogue() -> None:
    from dialogs.scripted import Trouble

    failing = ScriptedDialogue((Trouble.FAIL,))
    check(
        hold(World(nurses={"n": (Habit(rings=4),)}, talk=failing, keys=failing, acts=(says(PAIN, talking()), LEAVES)))
    )


def test_an_urgent_caller_who_hangs_up_early_is_called_back() -> None:
    held = hold(World(nurses={"one": (NEVER,)}, acts=(says(PAIN), Act(hang_up=True, when=during(State.SEEKING, 2)))))
    assert [one.urgency for one in held.promises] == [2]
    assert held.outcome == "callback"
