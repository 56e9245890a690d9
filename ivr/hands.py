"""Carries out the machine's commands through the ports. What takes time runs as a task and comes back as an event."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from dialogs.port import Dialogue, DialogueUnavailable, Level, Prompt, Question, Turn
from ivr import ports as line_events
from ivr.audio import tones
from ivr.audio.format import silence
from ivr.call import commands as do
from ivr.call import events as ev
from ivr.doors import Doors
from ivr.ports import Cause, LineError, LineEvent, VoiceError
from ivr.timers import Timers
from records.port import Callback, JournalUnavailable
from routing.port import RingStep, RouteRequest, Urgency

log = logging.getLogger(__name__)

PLAN_SECONDS = 1.0
"""Longest wait for routing."""
CALLBACK_SECONDS = 3.0
"""Longest wait until a callback is durable; also for what a call still has to write at its end."""
WHISPER_PAUSE_SECONDS = 1.5
"""Silence after a summary, before it is said again."""
GAP_SECONDS = 0.12
"""Pause between two sentences."""
URGENCIES = {Level.EMERGENCY: Urgency.EMERGENCY, Level.URGENT: Urgency.URGENT}


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
        self._saying: asyncio.Task[None] | None = None
        self._slots: dict[str, str] = {}
        self._agents: dict[str, str] = {}
        self._dropped: set[str] = set()

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

    async def let_go(self) -> None:
        """End every leg and task of the call, however it ended."""
        for task in tuple(self._tasks):
            task.cancel()
        for leg in (self._leg, *self._slots.values()):
            self._doors.sound.stop(leg)
            await self._doors.line.hang_up(leg)
        for agent in self._agents.values():
            await self._doors.router.free(agent, self.id)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
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
        self._saying = self._spawn(self._speak(command))

    async def _speak(self, command: do.Say) -> None:
        try:
            pcm, text = await self._render(command.prompts)
        except VoiceError:
            log.error("no voice can speak")
            self._mind.post(ev.Trouble(what="voice"))
            pcm, text = tones.accept_beep(), ""
        await self._mind.note("Said", {"say": command.say, "text": text, "keys": [one.key for one in command.prompts]})
        self._doors.sound.play(self._leg, command.say, pcm)

    async def _render(self, prompts: tuple[Prompt, ...]) -> tuple[bytes, str]:
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
        self._doors.sound.stop(self._leg)

    async def listen(self, command: do.Listen) -> None:
        """Tell the ears."""
        self._mind.listen(command.question)

    # The dialogue ----------------------------------------------------------------------------------------------

    async def ask(self, command: do.AskDialogue) -> None:
        """Ask without waiting: keys, red flags and hang-up go on meanwhile."""
        self._spawn(self._asked(command))

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

    # Humans ----------------------------------------------------------------------------------------------------

    async def find(self, command: do.FindAgent) -> None:
        """Ask routing; whatever goes wrong there, the machine gets an answer."""
        self._spawn(self._found(command))

    async def _found(self, command: do.FindAgent) -> None:
        request = RouteRequest(
            call=self.id,
            urgency=URGENCIES.get(command.level, Urgency.NORMAL),
            language=self._doors.language,
            department=command.department,
        )
        steps: tuple[RingStep, ...] = ()
        try:
            async with asyncio.timeout(PLAN_SECONDS):
                steps = await self._doors.router.plan(request)
        finally:
            self._mind.post(ev.PlanReady(steps=steps))

    async def ring(self, command: do.Ring) -> None:
        """Dial an agent's phone; only a number of ours is shown."""
        self._spawn(self._dial(command))

    async def _dial(self, command: do.Ring) -> None:
        slot, agent = command.slot, command.agent.id
        if not await self._doors.router.busy(agent, self.id):
            self._mind.post(ev.AgentGone(slot=slot, cause=Cause.BUSY))
            return
        self._agents[slot] = agent
        try:
            leg = await self._doors.line.dial(
                command.agent.address, self._doors.masking.shown_to_agent(), lambda event: self._agent_sink(slot, event)
            )
        except LineError:
            self._agent_over(slot, Cause.FAILED)
            return
        self._slots[slot] = leg
        if slot in self._dropped:
            await self._doors.line.hang_up(leg)

    def _agent_sink(self, slot: str, event: LineEvent) -> None:
        match event:
            case line_events.LegRinging():
                self._mind.post(ev.AgentRinging(slot=slot))
            case line_events.LegAnswered():
                self._mind.post(ev.AgentAnswered(slot=slot))
            case line_events.KeyPressed():
                self._mind.post(ev.AgentDigit(slot=slot, digit=event.digit))
            case line_events.PlayEnded():
                if event.complete:
                    self._mind.post(ev.BriefingEnded(slot=slot))
            case line_events.LegGone():
                self._agent_over(slot, event.cause)
            case _:
                pass

    def _agent_over(self, slot: str, cause: Cause) -> None:
        self._mind.post(ev.AgentGone(slot=slot, cause=cause))
        if (agent := self._agents.pop(slot, None)) is not None:
            self._spawn(self._doors.router.free(agent, self.id))

    async def brief(self, command: do.Brief) -> None:
        """Whisper to an agent; without a voice a tone says that pressing 1 takes the call."""
        self._spawn(self._whisper(command))

    async def _whisper(self, command: do.Brief) -> None:
        try:
            pcm, text = await self._render(command.prompts)
        except VoiceError:
            pcm, text = tones.accept_beep(), ""
        await self._mind.note("Briefed", {"slot": command.slot, "text": text})
        if leg := self._slots.get(command.slot):
            self._doors.sound.play(leg, 0, pcm + silence(WHISPER_PAUSE_SECONDS))

    async def drop(self, command: do.DropAgent) -> None:
        """End an agent leg, also one that is only being dialled."""
        self._dropped.add(command.slot)
        if leg := self._slots.get(command.slot):
            await self._doors.line.hang_up(leg)

    async def bridge(self, command: do.Bridge) -> None:
        """Join caller and agent."""
        leg = self._slots.get(command.slot, "")
        self._doors.sound.stop(leg)
        try:
            await self._doors.line.bridge(self._leg, leg)
        except LineError:
            self._mind.post(ev.BridgeFailed(slot=command.slot))
        else:
            await self._mind.note("Bridged", {"slot": command.slot, "agent": self._agents.get(command.slot, "")})

    async def note_callback(self, command: do.NoteCallback) -> None:
        """Write the promise down before it is spoken."""
        self._spawn(self._promise(command))

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
        self._spawn(self._close(command))

    async def _close(self, command: do.Finish) -> None:
        await self._doors.talk.end(self.id)
        await self._doors.keys.end(self.id)
        try:
            await self._doors.journal.close_call(self.id, self._doors.clock(), command.outcome)
        except JournalUnavailable:
            log.error("journal unavailable: the end of a call is not noted")


def is_sound(one: Prompt) -> bool:
    """Whether a prompt is a tone and not a sentence."""
    return one.key.startswith("sound.")


CARRY_OUT: dict[type, Callable[[Hands, Any], Coroutine[Any, Any, None]]] = {
    do.Answer: Hands.answer,
    do.Say: Hands.say,
    do.StopSaying: Hands.stop_saying,
    do.Listen: Hands.listen,
    do.AskDialogue: Hands.ask,
    do.FindAgent: Hands.find,
    do.Ring: Hands.ring,
    do.Brief: Hands.brief,
    do.DropAgent: Hands.drop,
    do.Bridge: Hands.bridge,
    do.NoteCallback: Hands.note_callback,
    do.StartTimer: Hands.start_timer,
    do.StopTimer: Hands.stop_timer,
    do.HangUp: Hands.hang_up,
    do.Finish: Hands.finish,
}
