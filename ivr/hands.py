"""Carries out the machine's commands through the ports. What takes time runs as a task and comes back as an event."""

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol

from dialogs.port import Dialogue, DialogueUnavailable, Prompt, Question, Turn
from ivr.agent_legs import URGENCIES, AgentLegs
from ivr.audio import tones
from ivr.audio.format import silence
from ivr.audio.onset import lead_seconds
from ivr.call import commands as do
from ivr.call import events as ev
from ivr.doors import Doors
from ivr.ports import Cause, LineError, LineEvent, VoiceError
from ivr.timers import Timers
from ivr.watch.watcher import Played
from records.port import Callback, JournalUnavailable
from routing.port import Urgency

log = logging.getLogger(__name__)

CALLBACK_SECONDS = 3.0
"""Longest wait until a callback is durable; also for what else is under way when a call ends."""
ENDING_SECONDS = 15.0
"""Longest wait for the end's note, when nobody is on the phone any more."""
CLOSING_PAUSES = (0.0, 0.5, 2.0, 5.0)
"""Seconds before each try to note a call's end: a record without one would count as a call that never ended."""
FORGET_SECONDS = 3.0
"""Longest wait until the dialogue has forgotten the call."""
GAP_SECONDS = 0.12
"""Pause between two sentences."""


class Mind(Protocol):
    """The session, as far as its hands need it."""

    def post(self, event: ev.Event) -> None:
        """Something happened."""
        ...

    async def note(self, kind: str, data: dict[str, Any]) -> None:
        """Write one entry of the journal."""
        ...

    def listen(self, question: Question | None) -> None:
        """Tell the ears."""
        ...

    def sink(self, event: LineEvent) -> None:
        """Events of the caller's leg."""
        ...

    @property
    def timers(self) -> Timers:
        """The call's timers."""
        ...


class Hands:
    """Commands of one call."""

    def __init__(self, doors: Doors, call: str, leg: str, mind: Mind) -> None:
        self.id = call
        self.party = ""
        self._doors = doors
        self._leg = leg
        self._mind = mind
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing: asyncio.Task[None] | None = None
        self._saying: asyncio.Task[None] | None = None
        self._held = False
        self.agents = AgentLegs(doors, call, leg, self)

    @property
    def busy(self) -> bool:
        """Whether something is being carried out."""
        return bool(self._tasks)

    async def carry_out(self, command: do.Command) -> None:
        """Do it, or start doing it."""
        await CARRY_OUT[type(command)](self, command)

    async def finished(self) -> None:
        """Wait, within bounds, for what a call still has to write."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CALLBACK_SECONDS)
        if self._closing:
            await asyncio.wait({self._closing}, timeout=ENDING_SECONDS)

    async def let_go(self) -> None:
        """End every leg and task of the call, however it ended."""
        for task in tuple(self._tasks):
            task.cancel()
        self._doors.sound.stop(self._leg)
        await self._doors.line.hang_up(self._leg)
        await self.agents.let_go()

    def post(self, event: ev.Event) -> None:
        """Something happened."""
        self._mind.post(event)

    async def note(self, kind: str, data: dict[str, Any]) -> None:
        """Write one entry of the journal."""
        await self._mind.note(kind, data)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run as a task of the call; one that breaks is told to the machine."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._reap)
        return task

    def _reap(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a part of call %s failed", self.id, exc_info=error)
            self._mind.post(ev.Trouble(what="session"))

    # What is said ----------------------------------------------------------------------------------------------

    async def answer(self, command: do.Answer) -> None:
        """200 OK."""
        try:
            await self._doors.line.answer(self._leg, self._mind.sink)
        except LineError:
            self._mind.post(ev.HungUp(cause=Cause.FAILED))

    async def say(self, command: do.Say) -> None:
        """Render and play to the caller, replacing what is being said."""
        if self._saying:
            self._saying.cancel()
        self._held = False
        self._saying = self.spawn(self._speak(command))

    async def _speak(self, command: do.Say) -> None:
        try:
            pcm, text = await self.render(command.prompts)
        except VoiceError:
            log.error("no voice can speak")
            self._mind.post(ev.Trouble(what="voice"))
            held = any(is_sound(one) for one in command.prompts)
            pcm, text = tones.waiting_beeps() if held else tones.accept_beep(), ""
        await self._mind.note("Said", {"say": command.say, "text": text, "keys": [one.key for one in command.prompts]})
        self._doors.sound.play(self._leg, command.say, pcm)
        self._doors.watcher.fact(self.id, Played(say=command.say, lead=lead_seconds(pcm)))
        if self._held:
            self._doors.sound.hold(self._leg)

    async def render(self, prompts: tuple[Prompt, ...]) -> tuple[bytes, str]:
        """The sentences as one piece of audio, and their text."""
        texts = [self._doors.prompts.text(one, self._doors.language) for one in prompts if not is_sound(one)]
        speaking = [
            self._doors.voice.speak(self._doors.prompts.text(one, self._doors.language), keep=not one.values)
            for one in prompts
            if not is_sound(one)
        ]
        spoken = iter(await asyncio.gather(*speaking))
        pieces = [tones.waiting_beeps() if is_sound(one) else next(spoken) for one in prompts]
        return silence(GAP_SECONDS).join(pieces), " ".join(texts)

    async def stop_saying(self, command: do.StopSaying) -> None:
        """Silence."""
        if self._saying:
            self._saying.cancel()
        self._held = False
        self._doors.sound.stop(self._leg)

    async def hold(self, command: do.Hold) -> None:
        """Silence that keeps the place; a sentence that is still being rendered begins held."""
        self._held = True
        self._doors.sound.hold(self._leg)

    async def go_on(self, command: do.GoOn) -> None:
        """Sound again."""
        self._held = False
        self._doors.sound.go_on(self._leg)

    @property
    def left(self) -> float:
        """Seconds of our sentences that the caller has yet to hear; endless while they are being rendered."""
        rendering = self._saying is not None and not self._saying.done()
        return math.inf if rendering else self._doors.sound.left(self._leg)

    async def listen(self, command: do.Listen) -> None:
        """Tell the ears."""
        self._mind.listen(command.question)

    # The dialogue ----------------------------------------------------------------------------------------------

    async def ask(self, command: do.AskDialogue) -> None:
        """Ask without waiting: keys, red flags and hang-up go on meanwhile."""
        self.spawn(self._asked(command))

    async def _asked(self, command: do.AskDialogue) -> None:
        engine = self._doors.talk if command.engine is do.Engine.TALK else self._doors.keys
        try:
            turn = await self._turn(engine, command)
        except DialogueUnavailable:
            self._mind.post(ev.DialogueFailed(ask=command.ask))
        else:
            self._mind.post(ev.TurnReady(ask=command.ask, turn=turn))

    async def _turn(self, engine: Dialogue, command: do.AskDialogue) -> Turn:
        if command.words is not None:
            return await engine.hear(self.id, command.words)
        if command.digit:
            return await engine.press(self.id, command.digit)
        return await engine.start(self.id, self._doors.language)

    # Promises ---------------------------------------------------------------------------------------------------

    async def note_callback(self, command: do.NoteCallback) -> None:
        """Write the promise down before it is spoken."""
        self.spawn(self._promise(command))

    async def _promise(self, command: do.NoteCallback) -> None:
        promise = Callback(
            id=f"cb-{self.id}",
            call=self.id,
            party=self.party,
            urgency=int(URGENCIES.get(command.level, Urgency.NORMAL)),
            at=self._doors.clock(),
        )
        try:
            async with asyncio.timeout(CALLBACK_SECONDS):
                await self._doors.callbacks.promise(promise)
        except (JournalUnavailable, TimeoutError):
            log.error("a callback could not be written down")
            self._mind.post(ev.CallbackFailed())
        else:
            self._mind.post(ev.CallbackNoted())

    # Time and end ----------------------------------------------------------------------------------------------

    async def start_timer(self, command: do.StartTimer) -> None:
        """In the call's own time."""
        self._mind.timers.start(command.name, command.seconds)

    async def stop_timer(self, command: do.StopTimer) -> None:
        """Forget it."""
        self._mind.timers.stop(command.name)

    async def hang_up(self, command: do.HangUp) -> None:
        """BYE; the line reports the end."""
        await self._doors.line.hang_up(self._leg)

    async def finish(self, command: do.Finish) -> None:
        """Close the record and forget the conversation."""
        self._closing = self.spawn(self._close(command))

    async def _close(self, command: do.Finish) -> None:
        """The record first: a dialogue that answers late must not cost the call its end."""
        ended = self._doors.clock()
        for pause in CLOSING_PAUSES:
            await asyncio.sleep(pause)
            try:
                await self._doors.journal.close_call(self.id, ended, command.outcome)
                break
            except JournalUnavailable:
                continue
        else:
            log.error("journal unavailable: the end of a call is not noted")
        with suppress(TimeoutError):  # the conversation's store forgets by itself
            async with asyncio.timeout(FORGET_SECONDS):
                await self._doors.talk.end(self.id)
                await self._doors.keys.end(self.id)


def is_sound(one: Prompt) -> bool:
    """Whether a prompt is a tone and not a sentence."""
    return one.key.startswith("sound.")


CARRY_OUT: dict[type, Callable[[Hands, Any], Coroutine[Any, Any, None]]] = {
    do.Answer: Hands.answer,
    do.Say: Hands.say,
    do.StopSaying: Hands.stop_saying,
    do.Hold: Hands.hold,
    do.GoOn: Hands.go_on,
    do.Listen: Hands.listen,
    do.AskDialogue: Hands.ask,
    do.FindAgent: lambda hands, command: hands.agents.find(command),
    do.Ring: lambda hands, command: hands.agents.ring(command),
    do.Brief: lambda hands, command: hands.agents.brief(command),
    do.DropAgent: lambda hands, command: hands.agents.drop(command),
    do.Bridge: lambda hands, command: hands.agents.bridge(command),
    do.NoteCallback: Hands.note_callback,
    do.StartTimer: Hands.start_timer,
    do.StopTimer: Hands.stop_timer,
    do.HangUp: Hands.hang_up,
    do.Finish: Hands.finish,
}
