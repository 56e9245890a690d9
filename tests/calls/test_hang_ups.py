"""The caller hangs up, in every state: everybody is free, nothing more is said, and the record has the right end."""

import asyncio
from dataclasses import dataclass, field

import pytest

from dialogs.port import Heard, Turn
from dialogs.scripted import ScriptedDialogue, Trouble
from ivr.call.state import State
from routing.memory import StaticRouter
from tests.calls.parts import ADVISED, COMPLAINT, roster
from tests.calls.people import NEVER, TAKES, Act, Habit, after, during, hangs_up, presses, says, talking
from tests.calls.runner import Held, hold
from tests.calls.world import World

ZERO, RASH, PAIN = presses("0"), says("i have a rash"), says("i have chest pain")


@dataclass(slots=True)
class Slow:
    """A dialogue that never answers what was heard, and can be told to end."""

    ended: list[str] = field(default_factory=list)

    async def start(self, call: str, language: str) -> Turn:
        """The first question."""
        return COMPLAINT

    async def hear(self, call: str, heard: Heard) -> Turn:
        """Hangs."""
        await asyncio.Event().wait()
        return COMPLAINT

    async def press(self, call: str, digit: str) -> Turn:
        """Hangs."""
        return await self.hear(call, Heard(text=digit))

    async def end(self, call: str) -> None:
        """Noted."""
        self.ended.append(call)


def run(world: World) -> Held:
    """Hold the call, and check what holds for every end."""
    world.router = router = StaticRouter(roster(*world.nurses))
    held = hold(world)
    assert held.over, "a leg was left behind"
    assert held.session.call.state is State.ENDED
    assert router._holders == {}, "an agent was not set free"
    after = held.kinds[held.kinds.index("HungUp") :]
    assert not {"Said", "Briefed", "Bridged", "AgentRinging"} & set(after)
    assert held.outcome != "running"
    return held


CASES: dict[str, tuple[tuple[Act, ...], dict[str, tuple[Habit, ...]], str, State]] = {
    "greeting": ((hangs_up(talking()),), {"n": (TAKES,)}, "hung_up", State.GREETING),
    "asking": ((hangs_up(during(State.ASKING, 0.3)),), {"n": (TAKES,)}, "hung_up", State.ASKING),
    "listening": ((hangs_up(during(State.LISTENING, 1)),), {"n": (TAKES,)}, "hung_up", State.LISTENING),
    "seeking, ringing": ((ZERO, hangs_up(during(State.SEEKING, 2))), {"n": (NEVER,)}, "hung_up", State.SEEKING),
    "seeking, urgent": ((PAIN, hangs_up(during(State.SEEKING, 2))), {"n": (NEVER,)}, "callback", State.SEEKING),
    "seeking, briefing": (
        (ZERO, hangs_up(during(State.SEEKING, 1.6))),
        {"n": (Habit(keys=""),)},
        "hung_up",
        State.SEEKING,
    ),
    "seeking, group": (
        (ZERO, hangs_up(during(State.SEEKING, 32))),
        {"n": (NEVER,), "m": (NEVER,)},
        "hung_up",
        State.SEEKING,
    ),
    "bridged": ((ZERO, hangs_up(during(State.BRIDGED, 3))), {"n": (TAKES,)}, "bridged", State.BRIDGED),
    "bridged, urgent": ((PAIN, hangs_up(during(State.BRIDGED, 3))), {"n": (TAKES,)}, "bridged", State.BRIDGED),
    "parted": ((ZERO, hangs_up(during(State.PARTED, 1))), {"n": (Habit(stays=11),)}, "bridged", State.PARTED),
    "offering": ((ZERO, hangs_up(during(State.OFFERING, 1))), {"n": (NEVER,)}, "unanswered", State.OFFERING),
    "offering, urgent": ((PAIN, hangs_up(during(State.OFFERING, 1))), {"n": (NEVER,)}, "callback", State.OFFERING),
    "closing": ((RASH, hangs_up(during(State.CLOSING, 1))), {"n": (TAKES,)}, "advised", State.CLOSING),
}


@pytest.mark.parametrize("case", CASES)
def test_hanging_up(case: str) -> None:
    acts, nurses, outcome, state = CASES[case]
    talk = ScriptedDialogue((COMPLAINT, ADVISED))
    held = run(World(talk=talk, acts=acts, nurses=nurses))
    assert held.caller.state is state, "the call was where it should be when the caller hung up"
    assert held.outcome == outcome
    assert len(held.promises) == (outcome == "callback")
    assert talk.received[-1] == ("end", "")


def test_hanging_up_while_the_dialogue_thinks() -> None:
    slow = Slow()
    held = run(World(talk=slow, acts=(RASH, hangs_up(during(State.THINKING, 0.5))), patience=0.02))
    assert held.caller.state is State.THINKING
    assert held.outcome == "hung_up"
    assert slow.ended == [held.session.id]


def test_hanging_up_before_we_could_answer() -> None:
    held = run(World(acts=(Act(hang_up=True, when=lambda caller: True),)))
    assert held.outcome == "hung_up"


@pytest.mark.parametrize("talk", [ScriptedDialogue((Trouble.FAIL,)), ScriptedDialogue((COMPLAINT,))])
def test_hanging_up_in_the_middle_of_a_word(talk: ScriptedDialogue) -> None:
    cut = Act(words="i have a very long story to tell", when=talking())
    held = run(World(talk=talk, acts=(cut, hangs_up(after(0.1)))))
    assert held.outcome in ("hung_up", "bridged")


def test_every_state_is_covered() -> None:
    """Hanging up while being rung back is in test_ring_back."""
    covered = {state for _, _, _, state in CASES.values()} | {State.THINKING, State.RETURNING, State.NEW, State.ENDED}
    assert covered == set(State)
