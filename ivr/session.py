"""One call, interpreted: events go into the machine, its commands go out through `Hands`.

Nothing is decided here. Every event is journalled before the machine sees it; a journal that fails or is slow is logged
and the call goes on, for a caller is worth more than a record.
"""

import asyncio
import logging
from typing import Any

from ivr import ports as line_events
from ivr.call import events as ev
from ivr.call.machine import IllegalEvent, advance
from ivr.call.state import Call
from ivr.doors import Doors
from ivr.hands import Hands
from ivr.hearing import Hearing
from ivr.plain import plain
from ivr.ports import LegArrived, LineEvent
from ivr.timers import Timers
from masking.port import MaskingUnavailable, Party
from records.port import Entry, JournalUnavailable

log = logging.getLogger(__name__)

JOURNAL_SECONDS = 0.25
"""Longest wait for the journal before the call goes on without it."""
JOURNAL_REST_SECONDS = 5.0
"""A journal that hung is not waited for again so soon: a quarter of a second at every event would be felt."""
VAULT_SECONDS = 1.0
"""Longest wait for the vault before the caller counts as not reachable."""


class Session:
    """One caller, from ring to record."""

    def __init__(self, doors: Doors, call: str, arrival: LegArrived) -> None:
        self.id = call
        self.call = Call()
        self._doors = doors
        self._arrival = arrival
        self._queue: asyncio.Queue[ev.Event] = asyncio.Queue()
        self._unhandled = 1
        self._timers = Timers()
        self._time = 0.0
        self._journal_rests_until = 0.0
        self._over = False
        self._hearing = Hearing(doors.ears, doors.language, self.post) if doors.ears else None
        self._hands = Hands(doors, call, arrival.leg, self)

    async def run(self) -> None:
        """Live through the call; returns when everything of it is done."""
        hearing = asyncio.create_task(self._hearing.run()) if self._hearing else None
        try:
            await self._begin()
            while not self.call.finished:
                await self._handle(await self._queue.get())
                self._unhandled -= 1
            await self._hands.finished()
        finally:
            self._over = True
            if hearing and self._hearing:
                hearing.cancel()
                self._hearing.close()
            await self._hands.let_go()

    def post(self, event: ev.Event) -> None:
        """Something happened."""
        self._unhandled += 1
        self._queue.put_nowait(event)

    async def settle(self) -> None:
        """Wait until nothing is in flight: the WAV line lets no time pass meanwhile."""
        while not self._over:
            if self._hearing:
                await self._hearing.settle()
            if not self._unhandled and not self._hands.busy:
                return
            await asyncio.sleep(0.0005)

    def sink(self, event: LineEvent) -> None:
        """Events of the caller's leg."""
        match event:
            case line_events.AudioHeard():
                if self._hearing:
                    self._hearing.push(event.pcm)
            case line_events.Elapsed():
                self._pass(event.seconds)
            case line_events.LegAnswered():
                self.post(ev.CallAnswered())
                if self._hearing is None:
                    self.post(ev.Trouble(what="recogniser"))
            case line_events.KeyPressed():
                self.post(ev.DigitPressed(digit=event.digit))
            case line_events.PlayEnded(complete=True):
                self.post(ev.SayEnded(say=event.play))
            case line_events.LegGone():
                self.post(ev.HungUp(cause=event.cause))
            case _:
                pass

    async def note(self, kind: str, data: dict[str, Any]) -> None:
        """Write one entry of the call's journal; never raises."""
        if self._time < self._journal_rests_until:
            log.error("journal hangs: an entry of call %s is lost", self.id)
            return
        entry = Entry(call=self.id, at=self._doors.clock(), kind=kind, data={**data, "t": round(self._time, 2)})
        try:
            async with asyncio.timeout(JOURNAL_SECONDS):
                await self._doors.journal.append(entry)
        except TimeoutError:
            self._journal_rests_until = self._time + JOURNAL_REST_SECONDS
            log.error("journal hangs: an entry of call %s is lost", self.id)
        except JournalUnavailable:
            log.error("journal unavailable: an entry of call %s is lost", self.id)
        except Exception:
            log.exception("journal broken: an entry of call %s is lost", self.id)

    def listen(self, question: Any) -> None:
        """Tell the ears what is being asked."""
        if self._hearing:
            self._hearing.listen(question)

    @property
    def timers(self) -> Timers:
        """The call's timers."""
        return self._timers

    def _pass(self, seconds: float) -> None:
        self._time += seconds
        for name in self._timers.pass_time(seconds):
            self.post(ev.TimerFired(name=name))

    async def _begin(self) -> None:
        party = Party(id="", reachable=False)
        try:
            async with asyncio.timeout(VAULT_SECONDS):
                party = await self._doors.masking.party(self._arrival.caller)
        except (MaskingUnavailable, TimeoutError):
            log.warning("vault unavailable: the caller of call %s cannot be called back", self.id)
        except Exception:
            log.exception("vault broken: the caller of call %s cannot be called back", self.id)
        self._hands.party = party.id
        self.post(
            ev.CallArrived(
                call=self.id, party=party.id, reachable=party.reachable, language=self._doors.language
            )
        )
        self._unhandled -= 1

    async def _handle(self, event: ev.Event) -> None:
        try:
            await self.note(type(event).__name__, plain(event))
            self.call, commands = advance(self.call, event)
        except IllegalEvent:
            log.exception("the session of call %s made an impossible event", self.id)
            return
        except Exception:
            log.exception("a step of call %s failed", self.id)
            self._failed(event)
            return
        for command in commands:
            try:
                await self._hands.carry_out(command)
            except Exception:  # the others are carried out all the same: one of them may be the human
                log.exception("an order of call %s failed", self.id)
                self._failed(event)

    def _failed(self, event: ev.Event) -> None:
        if not isinstance(event, ev.Trouble):
            self.post(ev.Trouble(what="session"))
