"""One call, interpreted: events go into the machine, its commands go out through `Hands`.

Nothing is decided here. Every event is journalled before the machine sees it; a journal that fails or is slow is logged
and the call goes on, for a caller is worth more than a record.
"""

import asyncio
import logging
from dataclasses import replace
from typing import Any

from dialogs.port import Command, Prompt
from ivr import ports as line_events
from ivr.audio.dtmf import Keys
from ivr.audio.format import FRAME_BYTES
from ivr.call import events as ev
from ivr.call.machine import IllegalEvent, advance
from ivr.call.state import Call
from ivr.dead_air import DeadAir
from ivr.doors import Doors
from ivr.hands import Hands
from ivr.hearing import Hearing
from ivr.lifeline import CallLine, Earlier
from ivr.notes import Notes
from ivr.plain import plain
from ivr.ports import LegArrived, LineEvent
from ivr.pressure import STALE_SECONDS, CallPressure, Strain
from ivr.timers import Timers
from ivr.watch.logs import name_call
from ivr.watch.watcher import JournalLost, Listened, Step
from ivr.watched import Watched, filler, is_filler
from ivr.witness import Nobody, Witness
from masking.port import MaskingUnavailable, Party
from records.port import Entry

log = logging.getLogger(__name__)

FILLER = Prompt(key="call.filler")
"""Kept in memory for a silence of ours."""
SILENCE = bytes(FRAME_BYTES)
VAULT_SECONDS = 1.0
"""Longest wait for the vault before the caller counts as not reachable."""


class Session:
    """One caller, from ring to record."""

    def __init__(
        self, doors: Doors, call: str, arrival: LegArrived, earlier: Earlier | None = None, *, human: bool = False
    ) -> None:
        """`earlier`: the cut call because of which we called this one's caller. `human`: somebody who must not be
        questioned first; a human is called at once. `answered`, on the session, says that the caller's leg stands."""
        self.id = call
        self.call = Call()
        self.answered = False
        self.dead_air = DeadAir()
        """What the caller really hears, and the longest silence so far."""
        self._sound = Watched(doors.line, doors.sound, arrival.leg, self.dead_air)
        self._notes = Notes(doors.journal, call, doors.behind, self._lost)
        doors = replace(doors, line=self._sound, sound=self._sound, journal=self._notes)
        self._doors = doors
        self._arrival = arrival
        self._earlier = earlier
        self._human = human
        self._line = CallLine(
            doors.lifelines, keeper=doors.keeper, call=call, clock=doors.clock,
            instead_of=earlier.call if earlier else "",
        )  # fmt: skip
        self._keys = Keys()
        self.pressure = CallPressure(doors.pressure)
        """How late this call's ears are."""
        self._queue: asyncio.Queue[ev.Event] = asyncio.Queue()
        self._unhandled = 1
        self._timers = Timers()
        self._time = 0.0
        self._over = False
        self._witness: Witness = doors.witness(call, doors.language) if doors.witness else Nobody()
        self._hearing = (
            Hearing(doors.ears, doors.language, self.post, lambda: self._hands.left, self._heard)
            if doors.ears
            else None
        )
        self._hands = Hands(doors, call, arrival.leg, self)

    async def run(self) -> None:
        """Live through the call; returns when everything of it is done."""
        name_call(self.id)
        self._doors.watcher.begun(self.id)
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
            await self._line.end()
            await self._notes.end()
            self._witness.over()
            self._doors.watcher.ended(self.id)

    def post(self, event: ev.Event) -> None:
        """Something happened."""
        self._unhandled += 1
        self._queue.put_nowait(event)
        if isinstance(event, ev.SpeechStarted | ev.Heard | ev.NothingHeard | ev.CommandHeard):
            self.dead_air.voice(isinstance(event, ev.SpeechStarted))

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
        self._witness.sensed(event)
        match event:
            case line_events.AudioHeard():
                self.dead_air.join(False)
                if key := self._keys.hear(event.pcm):
                    self.post(ev.DigitPressed(digit=key))
                if self._hearing:
                    self._hearing.push(SILENCE if self._keys.sounding else event.pcm)
            case line_events.Elapsed():
                self._pass(event.seconds)
            case line_events.LegAnswered():
                self.answered = True
                self.dead_air.begin()
                self.post(ev.CallAnswered())
                if self._human:
                    self.post(ev.CommandHeard(command=Command.HUMAN))
                if self._hearing is None or self.pressure.begins_with_keys():
                    self.post(ev.Trouble(what="recogniser"))
            case line_events.KeyPressed():
                if key := self._keys.signalled(event.digit):
                    self.post(ev.DigitPressed(digit=key))
            case line_events.PlayEnded(complete=True):
                self.dead_air.ended(event.play)
                if event.play > 0:
                    self.post(ev.SayEnded(say=event.play))
            case line_events.LegGone():
                self.post(ev.HungUp(cause=event.cause))
            case _:
                pass

    async def note(self, kind: str, data: dict[str, Any]) -> None:
        """Write one entry of the call's journal; never raises."""
        self._witness.noted(kind, data)
        entry = Entry(call=self.id, at=self._doors.clock(), kind=kind, data={**data, "t": round(self._time, 2)})
        await self._notes.append(entry)

    def _heard(self, silence: float, delay: float, lost: int) -> None:
        self._doors.watcher.fact(self.id, Listened(silence=silence, delay=delay, lost=lost))

    def _lost(self) -> None:
        self._doors.watcher.fact(self.id, JournalLost())

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
        if self._hearing:
            self._ease(self._hearing, seconds)
        lulls = self.dead_air.pass_time(
            seconds,
            left=self._sound.left(self._arrival.leg),
            answering=self._timers.running("no_input"),
            typing=self._timers.running("digits"),
            ears_behind=self._hearing.behind if self._hearing else 0.0,
        )
        for lull in lulls:
            if lull is ev.Lull.FILLER:  # played here: the steps of the call may be what hangs
                self._sound.fill(filler(self._kept(FILLER)))
            self.post(ev.DeadAir(level=lull))

    def _kept(self, prompt: Prompt) -> bytes | None:
        """A sentence as it lies in memory; whatever is broken there, the caller hears beeps."""
        try:
            return self._doors.kept(self._doors.prompts.text(prompt, self._doors.language))
        except Exception:
            log.exception("a kept sentence cannot be read in call %s", self.id)
            return None

    def _ease(self, hearing: Hearing, seconds: float) -> None:
        """Ears that fall behind leave out what they can, and then the keys lead."""
        strain, turns = self.pressure.feed(hearing.behind, seconds)
        hearing.lean = strain >= Strain.LEAN
        if turns:
            log.warning("recognition is too late in call %s: keys lead", self.id)
            self.post(ev.Trouble(what="recogniser"))
        if strain is Strain.KEYS and hearing.behind > STALE_SECONDS:
            self.pressure.shed(hearing.shed(STALE_SECONDS / 2))

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
        known = await self._line.returned(party) or self._earlier
        self.post(
            ev.CallArrived(
                call=self.id,
                party=party.id,
                reachable=party.reachable,
                language=self._doors.language,
                earlier=known.call if known else "",
                earlier_level=known.level if known else None,
                rung_back=bool(known and known.rung_back),
            )
        )
        self._unhandled -= 1

    async def _handle(self, event: ev.Event) -> None:
        try:
            await self.note(type(event).__name__, plain(event))
            before = self.call
            self.call, commands = advance(before, event)
        except IllegalEvent:
            log.exception("the session of call %s made an impossible event", self.id)
            return
        except Exception:
            log.exception("a step of call %s failed", self.id)
            self._failed(event)
            return
        self._witness.stepped(self.call.state, commands)
        self._doors.watcher.step(self.id, Step(before=before, event=event, after=self.call, commands=commands))
        self._line.follow(self.call)
        for command in commands:
            if is_filler(command):
                self.dead_air.fills(command.say)
            try:
                await self._hands.carry_out(command)
            except Exception:  # the others are carried out all the same: one of them may be the human
                log.exception("an order of call %s failed", self.id)
                self._failed(event)

    def _failed(self, event: ev.Event) -> None:
        if not isinstance(event, ev.Trouble):
            self.post(ev.Trouble(what="session"))
