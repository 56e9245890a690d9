"""The event loop's side of the SIP line: takes what the SIP thread and the clock thread hand over, and tells each
leg's sink in order.
"""

import asyncio
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from ivr.lines.sip_media import FRAME_BYTES, LegAudio
from ivr.lines.sip_switch import Arrival, Freed, Report
from ivr.ports import AudioHeard, Cause, Elapsed, LegAnswered, LegArrived, LegGone, LineEvent, PlayEnded, Sink

_GRACE_S = 0.5
"""How long a leg that we hung up may wait for the far end's word before it counts as gone."""


@dataclass(slots=True, kw_only=True, eq=False)
class DeskLeg:
    """A leg as the event loop knows it."""

    id: str
    """Name of the leg."""
    audio: LegAudio
    """Shared with the SIP thread and the clock thread."""
    sink: Sink | None
    """None until the leg is answered by us."""
    since: float
    """Monotonic time up to which Elapsed was said."""
    answered: bool = False
    """Whether LegAnswered was said."""
    peer: str = ""
    """The leg that it is joined with; while there is one, it is not heard."""
    hung_up_at: float | None = None
    """Monotonic time at which we hung up."""


class Desk:
    """Legs and their sinks. `report`, `wake` and `new_leg` are for any thread, the rest for the event loop's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_arrival: Callable[[LegArrived], None]) -> None:
        self._loop = loop
        self._on_arrival = on_arrival
        self._legs: dict[str, DeskLeg] = {}
        self._slots: set[str] = set()
        self._woken = False

    @property
    def slots_taken(self) -> int:
        """Calls that the library still holds, those included that are gone for us."""
        return len(self._slots)

    def report(self, report: Report) -> None:
        """Hand an event over to the event loop."""
        self._soon(self._take, report)

    def wake(self) -> None:
        """Frames wait in a ring. All frames of one turn of the clock share one wake-up."""
        if not self._woken:
            self._woken = True
            self._soon(self._drain)

    def new_leg(self) -> tuple[str, LegAudio]:
        """A name that says nothing and rings of its own."""
        leg = f"leg-{uuid.uuid4().hex[:12]}"
        return leg, LegAudio(lambda play: self._soon(self.play_ended, leg, play, True))

    def keep(self, leg: str, audio: LegAudio, sink: Sink | None) -> None:
        """A leg begins."""
        self._slots.add(leg)
        self._legs[leg] = DeskLeg(id=leg, audio=audio, sink=sink, since=time.monotonic())

    def find(self, leg: str) -> DeskLeg | None:
        """A leg that is not gone."""
        return self._legs.get(leg)

    def play_ended(self, leg: str, play: int, complete: bool) -> None:
        """Say that a play ended, unless its leg did before."""
        self._tell(PlayEnded(leg=leg, play=play, complete=complete))

    def tick(self) -> None:
        """Time passes; call it about ten times a second."""
        now = time.monotonic()
        for leg in list(self._legs.values()):
            if leg.hung_up_at is not None and now - leg.hung_up_at > _GRACE_S:
                self._gone(LegGone(leg=leg.id, cause=Cause.NORMAL if leg.answered else Cause.NO_ANSWER))
            elif leg.sink is not None:
                seconds, leg.since = now - leg.since, now
                leg.sink(Elapsed(leg=leg.id, seconds=seconds))

    def end_all(self) -> None:
        """Say of every leg left that it is gone."""
        for leg in list(self._legs.values()):
            self._gone(LegGone(leg=leg.id, cause=Cause.NORMAL))

    def _soon(self, callback: Callable[..., None], *args: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:
            # The loop was closed before the line: nobody is left to be told.
            return

    def _take(self, report: Report) -> None:
        match report:
            case Arrival():
                self.keep(report.event.leg, report.audio, None)
                self._on_arrival(report.event)
            case Freed():
                self._slots.discard(report.leg)
            case LegGone():
                self._drain()
                self._gone(report)
            case LegAnswered():
                leg = self._legs.get(report.leg)
                if leg is not None and leg.hung_up_at is None:
                    leg.answered = True
                    self._tell(report)
            case _:
                self._tell(report)

    def _drain(self) -> None:
        self._woken = False
        for leg in list(self._legs.values()):
            while pcm := leg.audio.heard.read(FRAME_BYTES):
                if leg.answered and not leg.peer:
                    self._tell(AudioHeard(leg=leg.id, pcm=pcm))

    def _tell(self, event: LineEvent) -> None:
        leg = self._legs.get(event.leg)
        if leg is not None and leg.sink is not None and leg.hung_up_at is None:
            leg.sink(event)

    def _gone(self, event: LegGone) -> None:
        leg = self._legs.pop(event.leg, None)
        if leg is not None and (peer := self._legs.get(leg.peer)) is not None:
            peer.peer = ""
        if leg is not None and leg.sink is not None:
            leg.sink(event)
