"""The caller of a replay: does what the tape's caller did, when the same point of the call comes."""

from collections import deque
from collections.abc import Mapping
from typing import Any

from ivr.audio.format import FRAME_BYTES, frame_count
from ivr.call.commands import Command
from ivr.call.state import State
from ivr.lines.wav import SILENCE, Moment
from ivr.ports import LineEvent
from ivr.replay.acts import Act, Points, Script
from ivr.replay.marker import Marker
from ivr.replay.tape import Mark

STAYS_FRAMES = frame_count(12.0)
"""How long a caller stays with an agent whom the tape does not know."""
MORE_FRAMES = frame_count(240.0)
"""How much longer than its tape a replay may last."""


class Caller:
    """Far end of the caller's leg, and witness of the call: it must know what is being said."""

    def __init__(self, script: Script) -> None:
        self._room = script.room
        self._longest = script.frames + MORE_FRAMES
        self._unplayed: list[Act] = list(script.acts)
        self._due: deque[tuple[int, Act]] = deque()
        self._pcm, self._voiced, self._start = script.prelude, 0, 0
        self._at = 0
        self._now = 0
        self._bridged = 0
        self._state = State.NEW
        self._points = Points()
        self._marker = Marker(self._mark)
        self._answered = False
        self.overlong = False
        """Whether the call had to be ended."""
        self.marks: list[Mark] = []
        """What happened, by the tape's time."""

    @property
    def position(self) -> int:
        """Frame of the tape that was played last; goes on counting in silence."""
        return self._start + self._at

    @property
    def unplayed(self) -> tuple[Act, ...]:
        """What the caller said to sentences that did not come."""
        return tuple(act for act in self._unplayed if not act.hang_up)

    # As a phone ---------------------------------------------------------------------------------------------------

    def moment(self, heard: bytes | None) -> Moment:
        """20 ms."""
        if not self._answered:
            return Moment()
        keys, hang_up = self._pressed()
        frame = self._frame()
        self._now += 1
        self._bridged = self._bridged + 1 if self._state is State.BRIDGED else 0
        self.overlong = self.overlong or self._now > self._longest
        left_alone = self._bridged > STAYS_FRAMES and not self._due
        return Moment(pcm=frame, keys=keys, hang_up=hang_up or left_alone or self.overlong)

    def _pressed(self) -> tuple[str, bool]:
        due = [one for one in self._due if one[0] <= self._now and not one[1].pcm]
        for one in due:
            self._due.remove(one)
        return "".join(act.keys for _, act in due), any(act.hang_up for _, act in due)

    def _frame(self) -> bytes:
        waiting = next((one for one in self._due if one[0] <= self._now and one[1].pcm), None)
        if waiting is not None and self._at >= self._voiced:
            self._due.remove(waiting)
            act = waiting[1]
            self._pcm, self._voiced, self._start, self._at = act.pcm, act.voiced, act.start, 0
        start = self._at * FRAME_BYTES
        self._at += 1
        if start < len(self._pcm):
            return self._pcm[start : start + FRAME_BYTES]
        start = (start - len(self._pcm)) % len(self._room)
        return self._room[start : start + FRAME_BYTES] or SILENCE

    # As a witness -------------------------------------------------------------------------------------------------

    def sensed(self, event: LineEvent) -> None:
        """What happens on the leg."""
        self._marker.sensed(event)

    def noted(self, kind: str, data: Mapping[str, Any]) -> None:
        """An entry of the journal."""
        self._marker.noted(kind, data)

    def stepped(self, state: State, commands: tuple[Command, ...]) -> None:
        """A step of the machine."""
        self._state = state
        self._marker.stepped(state, commands)

    def over(self) -> None:
        """Nothing is left to do."""

    def _mark(self, kind: str, data: Mapping[str, Any]) -> None:
        self._answered = self._answered or kind == "answered"
        self.marks.append(Mark(frame=self.position, kind=kind, data=data))
        point = self._points.at(kind, data)
        if point is None:
            return
        reached = [act for act in self._unplayed if act.point == point]
        self._unplayed = [act for act in self._unplayed if act.point != point]
        self._due = deque(sorted([*self._due, *((self._now + act.offset, act) for act in reached)], key=_when))


def _when(one: tuple[int, Act]) -> tuple[int, int]:
    return one[0], one[1].start
