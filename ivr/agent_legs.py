"""Agents' phones of one call: found, rung, briefed, bridged, let go. What takes time runs as a task of the call."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Protocol

from dialogs.port import Level, Prompt
from ivr import ports as line_events
from ivr.audio import tones
from ivr.audio.dtmf import Keys
from ivr.audio.format import silence
from ivr.call import commands as do
from ivr.call import events as ev
from ivr.doors import Doors
from ivr.ports import Cause, LineError, LineEvent, VoiceError
from ivr.watch.watcher import Joined
from routing.port import RingStep, RouteRequest, Urgency

log = logging.getLogger(__name__)

PLAN_SECONDS = 1.0
"""Longest wait for routing."""
WHISPER_PAUSE_SECONDS = 1.5
"""Silence after a summary, before it is said again."""
URGENCIES = {Level.EMERGENCY: Urgency.EMERGENCY, Level.URGENT: Urgency.URGENT}
"""Urgency of a level; all else is normal."""


class Desk(Protocol):
    """The call, as far as its agents' legs need it."""

    def post(self, event: ev.Event) -> None:
        """Something happened."""
        ...

    async def note(self, kind: str, data: dict[str, Any]) -> None:
        """Write one entry of the journal."""
        ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> object:
        """Run as a task of the call."""
        ...

    async def render(self, prompts: tuple[Prompt, ...]) -> tuple[bytes, str]:
        """Sentences as audio and text. Raises VoiceError."""
        ...


class AgentLegs:
    """All agent legs of one call, by slot."""

    def __init__(self, doors: Doors, call: str, leg: str, desk: Desk) -> None:
        self.id = call
        self._doors = doors
        self._leg = leg
        self._desk = desk
        self._slots: dict[str, str] = {}
        self._agents: dict[str, str] = {}
        self._reserved: set[str] = set()
        self._dropped: set[str] = set()
        self._pressed: dict[str, Keys] = {}

    async def let_go(self) -> None:
        """End every leg and reservation."""
        for leg in tuple(self._slots.values()):
            self._doors.sound.stop(leg)
            await self._doors.line.hang_up(leg)
        for agent in self._reserved:  # everybody: a giving back under way was cancelled with the call's tasks
            await self._doors.router.free(agent, self.id)

    async def find(self, command: do.FindAgent) -> None:
        """Ask routing; whatever goes wrong there, the machine gets an answer."""
        self._desk.spawn(self._found(command))

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
            self._desk.post(ev.PlanReady(steps=steps))

    async def ring(self, command: do.Ring) -> None:
        """Dial an agent's phone; only a number of ours is shown."""
        self._desk.spawn(self._dial(command))

    async def _dial(self, command: do.Ring) -> None:
        slot, agent = command.slot, command.agent.id
        self._agents[slot] = agent
        self._reserved.add(agent)
        if not await self._doors.router.busy(agent, self.id):
            self._agent_over(slot, Cause.BUSY)
            return
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
                self._desk.post(ev.AgentRinging(slot=slot))
            case line_events.LegAnswered():
                self._desk.post(ev.AgentAnswered(slot=slot))
            case line_events.AudioHeard():
                if key := self._keys(slot).hear(event.pcm):
                    self._desk.post(ev.AgentDigit(slot=slot, digit=key))
            case line_events.KeyPressed():
                if key := self._keys(slot).signalled(event.digit):
                    self._desk.post(ev.AgentDigit(slot=slot, digit=key))
            case line_events.PlayEnded():
                if event.complete:
                    self._desk.post(ev.BriefingEnded(slot=slot))
            case line_events.LegGone():
                self._agent_over(slot, event.cause)
            case _:
                pass

    def _keys(self, slot: str) -> Keys:
        return self._pressed.setdefault(slot, Keys())

    def _agent_over(self, slot: str, cause: Cause) -> None:
        self._desk.post(ev.AgentGone(slot=slot, cause=cause))
        agent = self._agents.pop(slot, None)
        if agent is not None and agent not in self._agents.values():  # his phone may already ring again for this call
            self._desk.spawn(self._doors.router.free(agent, self.id))

    async def brief(self, command: do.Brief) -> None:
        """Whisper to an agent; without a voice a tone says that pressing 1 takes the call."""
        self._desk.spawn(self._whisper(command))

    async def _whisper(self, command: do.Brief) -> None:
        try:
            pcm, text = await self._desk.render(command.prompts)
        except VoiceError:
            pcm, text = tones.accept_beep(), ""
        await self._desk.note("Briefed", {"slot": command.slot, "text": text})
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
            self._desk.post(ev.BridgeFailed(slot=command.slot))
        else:
            self._doors.watcher.fact(self.id, Joined(slot=command.slot))
            await self._desk.note("Bridged", {"slot": command.slot, "agent": self._agents.get(command.slot, "")})

