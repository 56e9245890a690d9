"""Carries out the commands of a masked call through the ports. What takes time runs as a task and comes back as an
event. Nothing here logs a number, a key or a word."""

# Size: one method a command; in two files the tasks and legs that they share would be passed around.

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from dialogs.port import Prompt
from ivr.audio import tones
from ivr.audio.format import silence
from ivr.doors import Doors
from ivr.masked import commands as do
from ivr.masked import events as ev
from ivr.masked.basics import RING
from ivr.masked.doors import MaskedDoors
from ivr.masked.ledger import Pairs, Records
from ivr.masked.state import Call, Leg
from ivr.ports import Cause, LineError, LineEvent, VoiceError
from ivr.timers import Timers
from masking.port import Decision, Dialled, LegEnd, MaskingUnavailable, NumberRefused, Outcome, PreCall
from records.port import Callback, JournalUnavailable
from routing.port import Urgency

log = logging.getLogger(__name__)

RESOLVE_SECONDS = 1.0
"""Longest wait for masking before a human of ours takes the caller: with the rest it stays below two seconds."""
HOOK_SECONDS = 2.5
"""Last bound on an owner's hook, which has a shorter one of its own."""
WRITE_SECONDS = 3.0
"""Longest wait for what a call still has to write at its end."""
GAP_SECONDS = 0.25
RINGBACK = -1
WARNING = -2
"""Plays that are no sentences."""
CADENCES = 6


class Mind(Protocol):
    """The session, as far as its hands need it."""

    def post(self, event: ev.Event) -> None:
        """Something happened."""
        ...

    def sink(self, leg: Leg) -> Callable[[LineEvent], None]:
        """Where a leg's events go."""
        ...

    def adopt(self) -> None:
        """Another session takes leg a over."""
        ...

    @property
    def call(self) -> Call:
        """The call as it is now."""
        ...

    @property
    def timers(self) -> Timers:
        """The call's timers."""
        ...


class Hands:
    """Commands of one masked call."""

    def __init__(self, doors: Doors, masked: MaskedDoors, records: Records, pairs: Pairs, mind: Mind) -> None:
        self._doors, self._masked, self._records, self._pairs, self._mind = doors, masked, records, pairs, mind
        self._tasks: set[asyncio.Task[None]] = set()
        self._saying: dict[Leg, asyncio.Task[None]] = {}
        self.legs: dict[Leg, str] = {}
        self._ended: set[Leg] = set()
        self.number = ""
        """Virtual number that was dialled."""
        self.source = ""
        """Where the call came from."""
        self.took_over: do.TakeOver | None = None

    @property
    def busy(self) -> bool:
        """Whether something is being carried out."""
        return bool(self._tasks)

    async def carry_out(self, command: do.Command) -> None:
        """Do it, or start doing it."""
        await CARRY_OUT[type(command)](self, command)

    async def let_go(self) -> None:
        """End what the call still holds; leg a stays where it was handed over."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=WRITE_SECONDS)
        for task in tuple(self._tasks):
            task.cancel()
        self._pairs.free(self._records.call)
        for leg, name in tuple(self.legs.items()):
            if leg is Leg.A and self.took_over:
                continue
            self._doors.sound.stop(name)
            await self._doors.line.hang_up(name)

    def spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run as a task of the call; one that breaks is told to the machine."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._reap)
        return task

    def _reap(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a part of masked call %s failed", self._records.call, exc_info=error)
            self._mind.post(ev.Broken())

    # The decision ----------------------------------------------------------------------------------------------------

    async def resolve(self, command: do.Resolve) -> None:
        """Ask masking and the limits."""
        self.spawn(self._resolve(command))

    async def _resolve(self, command: do.Resolve) -> None:
        caller = self._mind.call.caller
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                dialled = Dialled(number=self.number, caller=caller, code=command.code)
                verdict = await self._masked.exchange.resolve(dialled)
                # Whoever is asked for a code is a stranger until it is right: strangers have limits of their own.
                known = verdict.outcome in {Outcome.CONNECT, Outcome.EXPIRED, Outcome.REFUSED}
                admission = await self._masked.admit(self.number, caller, self.source, known=known)
        except (MaskingUnavailable, TimeoutError):
            log.error("masked call %s: masking cannot be asked; a human takes the caller", self._records.call)
            self._mind.post(ev.ResolveFailed())
        else:
            self._mind.post(ev.Resolved(verdict=verdict, admission=admission))

    async def ask_hook(self, command: do.AskHook) -> None:
        """Ask the owner's hook."""
        self.spawn(self._hook())

    async def _hook(self) -> None:
        call = self._mind.call
        about = PreCall(
            call=self._records.call, binding=call.binding, owner=call.owner, caller=call.caller, callee=call.callee,
            by_code=call.by_code,
        )  # fmt: skip
        decision = Decision.OPERATOR
        try:
            async with asyncio.timeout(HOOK_SECONDS):
                decision = await self._masked.ask_hook(about)
        except TimeoutError:
            log.error("masked call %s: the hook hangs; a human takes the caller", self._records.call)
        self._mind.post(ev.HookSaid(decision=decision))

    # Legs ------------------------------------------------------------------------------------------------------------

    async def answer(self, command: do.Answer) -> None:
        """200 OK."""
        try:
            await self._doors.line.answer(self.legs[Leg.A], self._mind.sink(Leg.A))
        except LineError:
            self._mind.post(ev.LegDown(leg=Leg.A, cause=Cause.NORMAL))

    async def refuse(self, command: do.Refuse) -> None:
        """A final status."""
        await self._doors.line.refuse(self.legs[Leg.A], command.code)

    async def dial(self, command: do.Dial) -> None:
        """Reveal the number for this one call and dial it."""
        self.spawn(self._dial(command))

    async def _dial(self, command: do.Dial) -> None:
        end = await self._dialled(command)
        if end is not None:
            self._mind.post(ev.DialFailed(leg=command.leg, end=end))

    async def _dialled(self, command: do.Dial) -> LegEnd | None:
        if not await self._pairs.take(self._records.call, self._mind.call):
            return LegEnd.BUSY
        self._records.begins(command.leg)
        self._records.follow(self._mind.call, self.number)
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                number = await self._masked.number(command.party)
        except (MaskingUnavailable, TimeoutError):
            return LegEnd.UNAVAILABLE
        except (KeyError, NumberRefused):
            return LegEnd.REFUSED
        address = self._masked.address(number)
        if address is None:
            log.error("masked call %s: there is no way out; set masking.outbound", self._records.call)
            return LegEnd.UNREACHABLE
        try:
            leg = await self._doors.line.dial(address, command.shown, self._mind.sink(command.leg))
        except LineError:
            return LegEnd.FAILED
        self.legs[command.leg] = leg
        if command.leg in self._ended:
            await self._doors.line.hang_up(leg)
        return None

    async def hang_up(self, command: do.HangUp) -> None:
        """End a leg, also one that is only being dialled."""
        self._ended.add(command.leg)
        if leg := self.legs.get(command.leg):
            await self._doors.line.hang_up(leg)
        elif command.leg is Leg.A:
            self._mind.post(ev.LegDown(leg=Leg.A, cause=Cause.NORMAL))

    async def bridge(self, command: do.Bridge) -> None:
        """Join natively."""
        try:
            await self._doors.line.bridge(self.legs[Leg.A], self.legs[Leg.B])
        except (LineError, KeyError):
            self._mind.post(ev.BridgeFailed())

    # Sound -----------------------------------------------------------------------------------------------------------

    async def say(self, command: do.Say) -> None:
        """Render and play."""
        self._stop_saying(command.leg)
        self._saying[command.leg] = self.spawn(self._speak(command))

    async def _speak(self, command: do.Say) -> None:
        try:
            pcm = await self._render(command.prompts)
        except VoiceError:
            log.error("no voice can speak")
            pcm = tones.accept_beep() + silence(1.0)
        if leg := self.legs.get(command.leg):
            self._doors.sound.play(leg, command.say, pcm)

    async def _render(self, prompts: tuple[Prompt, ...]) -> bytes:
        doors = self._doors
        texts = [(doors.prompts.text(one, doors.language), not one.values) for one in prompts]
        return silence(GAP_SECONDS).join([await doors.voice.speak(text, keep=keep) for text, keep in texts])

    def _stop_saying(self, leg: Leg) -> None:
        if task := self._saying.pop(leg, None):
            task.cancel()

    async def ringback(self, command: do.Ringback | None = None) -> None:
        """Our own tone: what the other phone's network sounds like is nobody's business."""
        self._stop_saying(Leg.A)
        self._doors.sound.play(self.legs[Leg.A], RINGBACK, tones.ringback() * CADENCES)

    async def hush(self, command: do.Hush) -> None:
        """Silence."""
        self._stop_saying(command.leg)
        if leg := self.legs.get(command.leg):
            self._doors.sound.stop(leg)

    async def warn(self, command: do.Warn) -> None:
        """Three beeps on both legs, over what is said."""
        beeps = (tones.tone((1400,), 0.2, -20) + silence(0.2)) * 3
        for leg in self.legs.values():
            self._doors.sound.play(leg, WARNING, beeps)

    # The rest --------------------------------------------------------------------------------------------------------

    async def start_timer(self, command: do.StartTimer) -> None:
        """In the call's own time."""
        seconds = self._masked.ring_seconds if command.name == RING else command.seconds
        self._mind.timers.start(command.name, seconds)

    async def stop_timer(self, command: do.StopTimer) -> None:
        """Forget it."""
        self._mind.timers.stop(command.name)

    async def take_over(self, command: do.TakeOver) -> None:
        """The session does it when everything else is done."""
        self.took_over = command
        self._mind.adopt()

    async def promise(self, command: do.Promise) -> None:
        """A callback for a human of ours."""
        self.spawn(self._promise())

    async def _promise(self) -> None:
        call = self._records.call
        promise = Callback(
            id=f"cb-{call}", call=call, party=self._mind.call.caller, urgency=int(Urgency.NORMAL),
            at=self._doors.clock(),
        )  # fmt: skip
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                await self._doors.callbacks.promise(promise)
        except (JournalUnavailable, TimeoutError):
            log.error("a callback could not be written down")
            self._mind.post(ev.Promised(noted=False))
        else:
            self._mind.post(ev.Promised(noted=True))

    async def tell(self, command: do.Tell) -> None:
        """For whoever owns the binding."""
        self.spawn(self._records.tell(command, self._mind.call, self.number))

    async def note_wish(self, command: do.NoteWish) -> None:
        """Where a click-to-call stands."""
        if self._mind.call.click:
            self.spawn(self._records.note(command.state, None))

    async def finish(self, command: do.Finish) -> None:
        """The records, leg b first."""
        self._pairs.free(self._records.call)
        self.spawn(self._records.finish(command, self._mind.call, self.number))


CARRY_OUT: dict[type, Callable[[Hands, Any], Coroutine[Any, Any, None]]] = {
    do.Resolve: Hands.resolve,
    do.AskHook: Hands.ask_hook,
    do.Answer: Hands.answer,
    do.Refuse: Hands.refuse,
    do.Dial: Hands.dial,
    do.Say: Hands.say,
    do.Ringback: Hands.ringback,
    do.Hush: Hands.hush,
    do.Bridge: Hands.bridge,
    do.Warn: Hands.warn,
    do.HangUp: Hands.hang_up,
    do.TakeOver: Hands.take_over,
    do.Promise: Hands.promise,
    do.Tell: Hands.tell,
    do.NoteWish: Hands.note_wish,
    do.StartTimer: Hands.start_timer,
    do.StopTimer: Hands.stop_timer,
    do.Finish: Hands.finish,
}
