"""One masked call, interpreted: events go into the machine, its commands go out through `Hands`.

Keys of a code are nowhere but in the machine's value: this session writes no journal and records no sound.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from ivr import ports as line_events
from ivr.audio.dtmf import Keys
from ivr.audio.fax import FaxTone
from ivr.doors import Doors
from ivr.masked import events as ev
from ivr.masked.adopted import Adopted
from ivr.masked.basics import finish
from ivr.masked.doors import MaskedDoors
from ivr.masked.hands import RINGBACK, Hands
from ivr.masked.ledger import Pairs, Records
from ivr.masked.machine import IllegalEvent, advance
from ivr.masked.state import Call, Leg, State
from ivr.ports import LegArrived, Line, LineEvent
from ivr.timers import Timers
from ivr.watch.logs import name_call
from ivr.watch.watcher import Masked, MaskedEnded
from masking.port import ClickPlan, LegEnd, MaskingRefused, MaskingUnavailable, NumberState, Party, Side

log = logging.getLogger(__name__)

SERVING = (NumberState.ACTIVE, NumberState.DRAINING)
VAULT_SECONDS = 0.7
"""Longest wait for the vault before a human of ours takes the caller."""
KILLED_EVERY_SECONDS = 1.0
"""How often it is looked whether the binding was killed: its calls end within two seconds."""


class Living(Protocol):
    """A call that can be lived through."""

    @property
    def id(self) -> str:
        """Opaque."""
        ...

    @property
    def answered(self) -> bool:
        """Whether somebody is there for sure."""
        ...

    async def run(self) -> None:
        """Returns when it is over."""
        ...

    async def settle(self) -> None:
        """Wait until nothing is in flight."""
        ...


Triage = Callable[[Line, LegArrived, bool], Living]
"""Makes the session of the triage hotline that takes a leg over; the flag: a human is called at once."""


class MaskedSession:
    """One call to a virtual number, or one click-to-call, from ring to records."""

    def __init__(
        self,
        doors: Doors,
        masked: MaskedDoors,
        call: str,
        *,
        pairs: Pairs,
        triage: Triage | None = None,
        arrival: LegArrived | None = None,
        plan: ClickPlan | None = None,
        owner: str = "",
        wish: str = "",
    ) -> None:
        """Either `arrival` and `triage`, or `plan`, `owner` and `wish`: a click-to-call."""
        self.id = call
        self.call = Call()
        self._up = False
        self._doors, self._masked, self._triage = doors, masked, triage
        self._arrival, self._plan, self._owner = arrival, plan, owner
        self._records = Records(
            call, masked.diary, masked.wishes, doors.clock, wish, legs=masked.legs, keeper=doors.keeper
        )
        self._hands = Hands(doors, masked, self._records, pairs, self)
        self._queue: asyncio.Queue[ev.Event] = asyncio.Queue()
        self._unhandled = 1
        self._timers = Timers()
        self._keys = {leg: Keys() for leg in Leg}
        self._fax = {leg: FaxTone() for leg in Leg}
        self._since_looked = 0.0
        self._looking = self._over = self._gone = False
        self._answer: LineEvent | None = None
        self._adopted: Adopted | None = None
        self._next: Living | None = None

    @property
    def answered(self) -> bool:
        """Whether a leg of it stands."""
        return self._up or (self._next is not None and self._next.answered)

    @property
    def timers(self) -> Timers:
        """The call's timers."""
        return self._timers

    async def run(self) -> None:
        """Live through the call, with the triage hotline where it takes over."""
        name_call(self.id)
        self._doors.watcher.begun(self.id)
        self._doors.watcher.fact(self.id, Masked())
        try:
            await self._begin()
            while not self.call.finished:
                await self._handle(await self._queue.get())
                self._unhandled -= 1
        finally:
            if not self.call.finished:  # the process ends
                await self._hands.carry_out(finish(replace(self.call, end=LegEnd.FAILED)))
            end = self.call.end or (LegEnd.ABANDONED if self.call.finished else LegEnd.FAILED)
            self._doors.watcher.fact(self.id, MaskedEnded(end=end.value))
            self._doors.watcher.ended(self.id)
            leaving = asyncio.create_task(self._hands.let_go())  # the caller does not wait for our records
            try:
                self._next = self._handed()
                if self._next:
                    await self._next.run()
            finally:
                await leaving
                self._over = True

    def post(self, event: ev.Event) -> None:
        """Something happened."""
        self._unhandled += 1
        self._queue.put_nowait(event)

    async def settle(self) -> None:
        """Wait until nothing is in flight: the WAV line lets no time pass meanwhile."""
        while not self._over:
            if self._next:
                await self._next.settle()
                return
            if not self._unhandled and not self._hands.busy:
                return
            await asyncio.sleep(0.0005)

    def sink(self, leg: Leg) -> Callable[[LineEvent], None]:
        """Where a leg's events go."""
        return lambda event: self._sensed(leg, event)

    def _sensed(self, leg: Leg, event: LineEvent) -> None:
        if leg is Leg.A and self._adopted:
            self._adopted.pass_on(event)
            return
        self._gone = self._gone or (leg is Leg.A and isinstance(event, line_events.LegGone))
        match event:
            case line_events.AudioHeard():
                if key := self._keys[leg].hear(event.pcm):
                    self.post(ev.KeyPressed(leg=leg, digit=key))
                if self._fax[leg].hear(event.pcm):
                    self.post(ev.FaxHeard(leg=leg))
            case line_events.KeyPressed():
                if key := self._keys[leg].signalled(event.digit):
                    self.post(ev.KeyPressed(leg=leg, digit=key))
            case line_events.FaxAsked():
                self.post(ev.FaxHeard(leg=leg))
            case line_events.Elapsed():
                if leg is Leg.A:
                    self._pass(event.seconds)
            case line_events.LegAnswered():
                self._up = True
                self._answer = event if leg is Leg.A else self._answer
                self._records.answered(leg)
                self.post(ev.LegUp(leg=leg))
            case line_events.PlayEnded(complete=True):
                self._played(leg, event.play)
            case line_events.LegGone():
                self._records.gone(leg)
                self.post(ev.LegDown(leg=leg, cause=event.cause))
            case _:
                pass

    def _played(self, leg: Leg, play: int) -> None:
        if play > 0:
            self.post(ev.SayEnded(say=play))
        elif play == RINGBACK and self.call.state in (State.ADMITTING, State.RINGING, State.CONFIRMING):
            self._hands.spawn(self._hands.ringback())

    def _pass(self, seconds: float) -> None:
        for name in self._timers.pass_time(seconds):
            self.post(ev.TimerFired(name=name))
        self._since_looked += seconds
        if self.call.binding and self._since_looked >= KILLED_EVERY_SECONDS and not self._looking:
            self._since_looked, self._looking = 0.0, True
            self._hands.spawn(self._look())

    async def _look(self) -> None:
        """Whether the binding was killed; where that cannot be asked the call goes on."""
        try:
            if (await self._masked.bindings.get(self.call.binding, self.call.owner)).killed:
                self.post(ev.Killed())
        except (MaskingUnavailable, MaskingRefused):
            return
        finally:
            self._looking = False

    async def _begin(self) -> None:
        if self._plan is not None:
            self.post(ev.Clicked(plan=self._plan, owner=self._owner))
        elif self._arrival is not None:
            self._hands.legs[Leg.A] = self._arrival.leg
            self._records.begins(Leg.A)
            self.post(await self._arrived(self._arrival))
        self._unhandled -= 1

    async def _arrived(self, arrival: LegArrived) -> ev.Event:
        about = self._masked.ours.find(arrival.dialled)
        self._hands.number = about.number if about else arrival.dialled
        self._hands.source = arrival.source
        caller = arrival.caller
        looped = caller is not None and self._masked.ours.find(caller.reveal()) is not None
        party, unknown = Party(id="", reachable=False), False
        if not looped and not arrival.suspect:
            try:
                async with asyncio.timeout(VAULT_SECONDS):
                    party = await self._doors.masking.party(caller)
            except (MaskingUnavailable, TimeoutError):
                log.error("masked call %s: the vault cannot be asked", self.id)
                unknown = True
            except Exception:  # a human of ours takes the caller
                log.exception("masked call %s: the vault is broken", self.id)
                unknown = True
        return ev.Arrived(
            caller=party.id if party.reachable else "", reachable=party.reachable,
            to_doctor=about is None or about.side is Side.PATIENT, serving=about is None or about.state in SERVING,
            suspect=arrival.suspect, loop=looped, unavailable=unknown,
        )  # fmt: skip

    async def _handle(self, event: ev.Event) -> None:
        try:
            self.call, commands = advance(self.call, event)
        except IllegalEvent:
            log.exception("the session of masked call %s made an impossible event", self.id)
            return
        except Exception:  # the caller is not dropped for a mistake of ours: Broken leads to a human
            log.exception("a step of masked call %s failed", self.id)
            if not isinstance(event, ev.Broken):
                self.post(ev.Broken())
            return
        self._records.follow(self.call, self._hands.number)
        for command in commands:
            try:
                await self._hands.carry_out(command)
            except Exception:  # the others are carried out all the same
                log.exception("an order of masked call %s failed", self.id)
                self.post(ev.Broken())

    def adopt(self) -> None:
        """From now on every event of leg a is for the session that takes it over."""
        if self._arrival is not None and self._answer is not None:
            self._adopted = Adopted(self._doors.line, self._arrival.leg, self._answer)

    def _handed(self) -> Living | None:
        """The triage session that goes on, where the caller is still there."""
        order = self._hands.took_over
        if order is None or self._arrival is None or self._triage is None or self._gone:
            return None
        return self._triage(self._adopted or self._doors.line, self._arrival, order.human)
