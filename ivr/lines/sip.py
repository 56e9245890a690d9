"""The phone line over SIP: `Line` and `Sound` of the engine's ports."""

import asyncio
import time
from collections.abc import Callable
from typing import Literal, TypeVar

from ivr.lines import sip_text
from ivr.lines.sip_desk import Desk, DeskLeg
from ivr.lines.sip_engine import Facts
from ivr.lines.sip_guard import GuardCounts, guard_counts
from ivr.lines.sip_settings import SipSettings
from ivr.lines.sip_switch import Switch
from ivr.lines.sip_thread import SipThread
from ivr.ports import LegArrived, LineError, Sink

_TICK_S = 0.1
_T = TypeVar("_T")


class SipLine:
    """Phone legs over SIP. One per process at a time, since the library allows one. All methods belong to the event
    loop that `start` ran on."""

    def __init__(self, settings: SipSettings) -> None:
        self._settings = settings
        self._thread: SipThread | None = None
        self._desk: Desk | None = None
        self._facts: Facts | None = None
        self._ticker: asyncio.Task[None] | None = None
        self._ended: asyncio.Future[None] | None = None

    async def start(self, on_arrival: Callable[[LegArrived], None]) -> None:
        """Bind and take calls from now. Raises LineError with one sentence for the operator."""
        if self._thread is not None:
            raise LineError("this SIP line was started before")
        loop = asyncio.get_running_loop()
        opened: asyncio.Future[Facts | LineError] = loop.create_future()
        ended = self._ended = loop.create_future()
        desk = self._desk = Desk(loop, on_arrival)
        self._thread = SipThread(
            self._settings,
            desk,
            opened=lambda outcome: _settle(loop, opened, outcome),
            ended=lambda: _settle(loop, ended, None),
        )
        ended.add_done_callback(lambda _: desk.end_all())
        self._thread.start()
        outcome = await opened
        if isinstance(outcome, LineError):
            self._thread = self._desk = self._ended = None
            raise outcome
        self._facts = outcome
        self._ticker = asyncio.create_task(self._tick(desk))

    async def close(self) -> None:
        """Hang up everything and destroy the library; at most about three seconds. Twice is fine."""
        if self._thread is None or self._desk is None or self._ended is None:
            return
        self._thread.stop()
        await self.wait_closed()
        self._thread = self._facts = None
        if self._ticker is not None:
            self._ticker.cancel()

    async def ping(self) -> None:
        """Returns when the SIP thread has done what it was told before: not at all while it hangs. At once while the
        line is closed."""
        if self._thread is None:
            return
        loop = asyncio.get_running_loop()
        done = asyncio.Event()
        self._order(lambda switch: _soon(loop, done.set))
        await done.wait()

    async def wait_closed(self) -> None:
        """Returns when the library is down: after `close`, or because it broke, when every leg is told gone and
        the line is of no more use."""
        if self._ended is not None:
            await asyncio.shield(self._ended)

    @property
    def port(self) -> int:
        """Bound SIP port. Raises LineError before `start`."""
        return self._opened().port

    @property
    def capacity(self) -> int:
        """Calls at a time that this build and the settings allow. Raises LineError before `start`."""
        return self._opened().capacity

    @property
    def version(self) -> str:
        """Version of the SIP library. Raises LineError before `start`."""
        return self._opened().version

    @property
    def kept_away(self) -> GuardCounts:
        """What the tuned build's guard kept from the line since it was opened; zeros with the packaged build."""
        return guard_counts() if self._opened().guarded else GuardCounts()

    @property
    def free_slots(self) -> int:
        """Calls that could begin now; a leg whose far end is silent holds its slot for up to 32 s after LegGone."""
        return max(0, self._opened().capacity - self._open_desk().slots_taken)

    async def answer(self, leg: str, sink: Sink) -> None:
        """See Line."""
        found = self._find(leg)
        found.sink = sink
        self._order(lambda switch: switch.answer(leg))

    async def refuse(self, leg: str, code: int) -> None:
        """See Line. The leg says nothing more."""
        self._order(lambda switch: switch.hang_up(leg, code))

    async def dial(self, address: str, shown: str, sink: Sink) -> str:
        """See Line. A call that cannot even be sent ends as LegGone(UNREACHABLE)."""
        address, shown = sip_text.checked_address(address), sip_text.checked_shown(shown)
        desk = self._open_desk()
        if self.free_slots == 0:
            raise LineError(f"all {self.capacity} call slots are taken")
        leg, audio = desk.new_leg()
        desk.keep(leg, audio, sink)
        self._order(lambda switch: switch.dial(leg, audio, address, shown))
        return leg

    async def hang_up(self, leg: str) -> None:
        """See Line. LegGone is the only event that follows, half a second later at most."""
        found = self._desk.find(leg) if self._desk is not None else None
        if found is not None and found.hung_up_at is None:
            found.hung_up_at = time.monotonic()
            found.audio.mouth.stop()
            self._order(lambda switch: switch.hang_up(leg))

    async def bridge(self, one: str, other: str) -> None:
        """See Line. What is being said on either leg stops; a later `play` is mixed in."""
        legs = self._find(one), self._find(other)
        if one == other or not all(leg.answered for leg in legs):
            raise LineError("only two answered legs can be joined")
        for leg, peer in (legs, legs[::-1]):
            leg.peer = peer.id
            self.stop(leg.id)
        self._order(lambda switch: switch.bridge(one, other))

    def play(self, leg: str, play: int, pcm: bytes) -> None:
        """See Sound. Before the answer it waits for it."""
        self._say(leg, lambda found: found.audio.mouth.start(play, pcm))

    def stop(self, leg: str) -> None:
        """See Sound."""
        self._say(leg, lambda found: found.audio.mouth.stop())

    def hold(self, leg: str) -> None:
        """See Sound."""
        self._say(leg, lambda found: found.audio.mouth.hold())

    def go_on(self, leg: str) -> None:
        """See Sound."""
        self._say(leg, lambda found: found.audio.mouth.go_on())

    def left(self, leg: str) -> float:
        """See Sound."""
        found = self._desk.find(leg) if self._desk is not None else None
        return found.audio.mouth.left if found is not None else 0.0

    def send_keys(self, leg: str, digits: str, method: Literal["rfc4733", "info"] = "rfc4733") -> None:
        """Press keys towards the far end of an answered leg; for simulated phones. A leg that is gone is ignored.
        Raises LineError for anything but 1 to 32 of 0-9, *, #, A-D."""
        if not 1 <= len(digits) <= 32 or not sip_text.KEYS.issuperset(digits):
            raise LineError("keys are 1 to 32 of 0-9, *, #, A-D")
        self._order(lambda switch: switch.send_keys(leg, digits, info=method == "info"))

    def _say(self, leg: str, act: Callable[[DeskLeg], int | None]) -> None:
        desk = self._desk
        found = desk.find(leg) if desk is not None else None
        if desk is None or found is None or found.hung_up_at is not None:
            return
        cut = act(found)
        if cut is not None:
            # Not from inside this call: the caller may be in the middle of a step.
            asyncio.get_running_loop().call_soon(desk.play_ended, leg, cut, False)

    def _order(self, order: Callable[[Switch], None]) -> None:
        if self._thread is not None:
            self._thread.order(order)

    def _find(self, leg: str) -> DeskLeg:
        found = self._open_desk().find(leg)
        if found is None or found.hung_up_at is not None:
            raise LineError("the leg is gone")
        return found

    def _open_desk(self) -> Desk:
        self._opened()
        assert self._desk is not None
        return self._desk

    def _opened(self) -> Facts:
        if self._facts is None:
            raise LineError("the SIP line is not open")
        return self._facts

    async def _tick(self, desk: Desk) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            desk.tick()


def _soon(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(callback)


def _settle(loop: asyncio.AbstractEventLoop, future: "asyncio.Future[_T]", value: _T) -> None:
    loop.call_soon_threadsafe(future.set_result, value)
