"""Agents' phones as they behaved in a call: how long they rang, who answered, pressed which key, and left when."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ivr.audio.format import frame_count
from ivr.lines.wav import FarEnd, Moment
from ivr.replay.tape import Mark
from routing.port import Agent, RingStep, RouteRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """What one phone did one time that it rang; frames."""

    reachable: bool = True
    """Whether it rang at all."""
    answers: int | None = None
    """Frames of ringing until it was picked up; None: never."""
    declines: int | None = None
    """Frames of ringing until it was declined."""
    keys: tuple[tuple[int, str], ...] = ()
    """Keys by frames after the answer."""
    leaves: int | None = None
    """Frames after the answer until it hung up by itself."""


WILLING = Habit(answers=frame_count(2.0), keys=((frame_count(2.0), "1"),))
"""Where the tape knows no agent: somebody who takes the call."""
SOMEBODY = (RingStep(agents=(Agent(id="somebody", address=""),), seconds=20.0, name="agent"),)


@dataclass(slots=True, kw_only=True)
class _Slot:
    rung: int
    habit: Habit
    ringing: bool = False
    answered: int | None = None
    dropped: bool = False


def habits(marks: tuple[Mark, ...]) -> tuple[Habit, ...]:
    """In the order in which phones were rung."""
    slots: dict[str, _Slot] = {}
    for mark in marks:
        name = str(mark.data.get("slot", ""))
        if mark.kind == "order" and mark.data.get("order") == "Ring":
            slots[name] = _Slot(rung=mark.frame, habit=Habit())
        elif name in slots:
            _see(slots[name], mark)
    return tuple(
        replace(slot.habit, reachable=slot.ringing or slot.answered is not None or slot.dropped)
        for slot in slots.values()
    )


def _see(slot: _Slot, mark: Mark) -> None:
    match mark.kind:
        case "order":
            slot.dropped = slot.dropped or mark.data.get("order") == "DropAgent"
        case "AgentRinging":
            slot.ringing = True
        case "AgentAnswered":
            slot.answered = mark.frame
            slot.habit = replace(slot.habit, answers=mark.frame - slot.rung)
        case "AgentDigit" if slot.answered is not None:
            pressed = (mark.frame - slot.answered, str(mark.data.get("digit", "")))
            slot.habit = replace(slot.habit, keys=(*slot.habit.keys, pressed))
        case "AgentGone" if not slot.dropped and slot.answered is None:
            slot.habit = replace(slot.habit, declines=mark.frame - slot.rung)
        case "AgentGone" if not slot.dropped and slot.answered is not None:
            slot.habit = replace(slot.habit, leaves=mark.frame - slot.answered)
        case _:
            pass


class Phone:
    """One phone, one time."""

    def __init__(self, habit: Habit) -> None:
        self._habit = habit
        self._rung = self._answered = 0

    def moment(self, heard: bytes | None) -> Moment:
        """20 ms."""
        if heard is None:
            self._rung += 1
            return Moment(
                answer=self._habit.answers is not None and self._rung > self._habit.answers,
                hang_up=self._habit.declines is not None and self._rung > self._habit.declines,
            )
        self._answered += 1
        keys = "".join(key for frame, key in self._habit.keys if frame == self._answered - 1)
        leaves = self._habit.leaves is not None and self._answered > self._habit.leaves
        return Moment(keys=keys, hang_up=leaves)


class Phones:
    """The phones of one replay, in the order in which they are rung."""

    def __init__(self, known: tuple[Habit, ...]) -> None:
        self._waiting = list(known)

    def __call__(self, address: str) -> FarEnd | None:
        """The next phone."""
        habit = self._waiting.pop(0) if self._waiting else WILLING
        return Phone(habit) if habit.reachable else None


class SameRouter:
    """Router that says what was said in the call; where nobody was sought then, somebody is there."""

    def __init__(self, marks: tuple[Mark, ...]) -> None:
        self._plans = [_plan(mark.data) for mark in marks if mark.kind == "PlanReady"]
        self._last = self._plans[-1] if self._plans else SOMEBODY

    async def plan(self, request: RouteRequest) -> tuple[RingStep, ...]:
        """The next plan of the call, at last the same again."""
        return self._plans.pop(0) if self._plans else self._last

    async def busy(self, agent: str, call: str) -> bool:
        """Nobody is busy: who was then, did not ring."""
        return True

    async def free(self, agent: str, call: str) -> None:
        """Nothing was reserved."""


def _plan(data: Mapping[str, Any]) -> tuple[RingStep, ...]:
    return tuple(
        RingStep(
            agents=tuple(Agent(id=str(agent["id"]), address="") for agent in step["agents"]),
            seconds=float(step["seconds"]),
            name=str(step["name"]),
        )
        for step in data["steps"]
    )
