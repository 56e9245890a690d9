"""Callers of a process that died are rung back: the most urgent first, three tries, then a human is told to.

Which calls had begun and not ended is in SQL (`Lifelines`), which processes live is known to the kernel (`locks`). A
cut call is claimed by compare-and-set, so of several processes exactly one rings; a caller who calls again meanwhile
takes the cut call away, and the ringing stops.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from ivr import locks
from ivr.doors import Doors
from ivr.lifeline import earlier
from ivr.ports import Cause, LegAnswered, LegArrived, LegGone, LineError
from ivr.reached import Reached
from ivr.session import Session
from masking.port import MaskingUnavailable, PhoneNumber
from records.port import Callback, Entry, JournalUnavailable, Lifeline

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""How often the dead are looked for."""
TRIES = 3
PAUSES = (0.0, 8.0, 30.0)
"""Seconds before each try: at once, when the caller has put the dead phone down, and once more."""
RING_SECONDS = 30.0
"""How long the caller's phone rings at one try: most voicemails answer before."""
POLL_SECONDS = 0.5
"""How often is looked, while the phone rings, whether the caller is here already."""
FRESH_SECONDS = 600.0
"""A caller whose call was cut longer ago (power cut, restart of the machine) is not rung by a machine any more."""
LANES = 10
"""Callers rung at a time by one process."""
CUT_OFF = "cut_off"
"""Outcome of the call that was cut, in lists."""


class Outcome(StrEnum):
    """What came of one try."""

    MET = "met"
    DENIED = "denied"
    MISSED = "missed"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """The way out, to callers' phones."""

    template: str
    """SIP address with {number} or {digits}; empty: there is no way out."""
    allowed: Callable[[PhoneNumber], bool]
    """Whether a number may be dialled at all: a caller id can be forged, and premium numbers cost."""

    def address(self, number: PhoneNumber) -> str | None:
        """Where to dial; None where the caller cannot be rung."""
        if not self.template or not self.allowed(number):
            return None
        text = number.reveal()
        return self.template.replace("{number}", text).replace("{digits}", text.lstrip("+"))


def may_ring(line: Lifeline, trunk: Trunk, *, cut_for: float) -> bool:
    """Whether a machine rings this caller once more; otherwise a human is told to."""
    return line.reachable and bool(trunk.template) and line.tries < TRIES and cut_for < FRESH_SECONDS


class RingBacks:
    """Looks after the callers of processes that died, for one process that takes calls."""

    def __init__(
        self,
        doors: Doors,
        trunk: Trunk,
        *,
        lives: Path,
        take: Callable[[Session], "asyncio.Task[None]"],
        free_agents: Callable[[str], Awaitable[None]],
        new_id: Callable[[], str],
        pauses: tuple[float, ...] = PAUSES,
        ring_seconds: float = RING_SECONDS,
    ) -> None:
        """`lives`: folder of `locks.Life`. `take`: lives through a session among the process's other calls.
        `free_agents`: gives back what a dead process had reserved."""
        assert doors.lifelines is not None
        self._doors, self._trunk, self._lives = doors, trunk, lives
        self._lines = doors.lifelines
        self._take, self._free_agents, self._new_id = take, free_agents, new_id
        self._pauses, self._ring_seconds = pauses, ring_seconds
        self._lanes = asyncio.Semaphore(LANES)
        self._tasks: set[asyncio.Task[None]] = set()
        self._looked = self._left = False

    @property
    def busy(self) -> bool:
        """Whether there are callers who still have to be rung; the next process does it where this one ends."""
        return bool(self._tasks) or self._left

    async def run(self) -> None:
        """Until cancelled; never raises."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            self._left = bool(self._tasks)
            for task in tuple(self._tasks):
                task.cancel()

    async def look(self) -> None:
        """Take over what dead processes left; ringing goes on in the background. Never raises."""
        try:
            living, dead = locks.census(self._lives)
            for id in dead:
                await self._free_agents(id)
            # The first look also finds calls whose process is buried: the machine itself may have died.
            lost = await self._lines.lost(sorted(living | {self._doors.keeper})) if dead or not self._looked else ()
            for line in lost:  # the most urgent first
                await self._take_over(line, dead)
            for id in dead:
                locks.bury(self._lives, id)
            self._looked = True
        except (JournalUnavailable, OSError) as error:
            log.error("callers who were cut off cannot be looked after now: %s", type(error).__name__)

    async def _take_over(self, line: Lifeline, dead: Mapping[str, float]) -> None:
        mine = await self._lines.claim(line, keeper=self._doors.keeper, tries=line.tries)
        if mine is None:
            return  # another process was quicker
        cut_at = max(dead.get(line.keeper, line.at), line.at)
        log.warning("call %s was cut off when its process died", line.call)
        await self._doors.journal.close_call(line.call, cut_at, CUT_OFF)
        self._spawn(mine, cut_for=self._doors.clock() - cut_at)

    def _spawn(self, line: Lifeline, *, cut_for: float) -> None:
        task = asyncio.create_task(self._bring_back(line, cut_for))
        self._tasks.add(task)
        task.add_done_callback(self._reap)

    def _reap(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a ring-back failed", exc_info=error)

    async def _bring_back(self, line: Lifeline, cut_for: float) -> None:
        while may_ring(line, self._trunk, cut_for=cut_for):
            await asyncio.sleep(self._pauses[line.tries])
            async with self._lanes:
                claimed = await self._lines.claim(line, keeper=line.keeper, tries=line.tries + 1)
                if claimed is None:
                    return  # the caller is here again
                line = claimed
                outcome = await self._attempt(line)
            await self._note(line, outcome)
            if outcome in (Outcome.MET, Outcome.RETURNED):
                return
            if outcome is Outcome.DENIED:
                break
        await self._owe(line)

    async def _attempt(self, line: Lifeline) -> Outcome:
        """Ring once; with somebody on the phone, live through the call."""
        try:
            number = await self._doors.masking.reveal(line.party, reason="cut off by a fault", actor="ring-back")
        except (KeyError, MaskingUnavailable):
            log.error("call %s: its caller's number is not known", line.call)
            return Outcome.MISSED
        address = self._trunk.address(number)
        if address is None:
            return Outcome.DENIED
        reached = Reached(self._doors.line)
        try:
            leg = await reached.ring(address, self._doors.masking.shown_to_agent())
        except LineError:
            log.warning("call %s: its caller could not be rung", line.call)
            return Outcome.MISSED
        event: LegAnswered | LegGone | None = None
        try:
            event = await self._picked_up(reached, line)
        finally:
            if not isinstance(event, LegAnswered):
                await self._doors.line.hang_up(leg)
        if not isinstance(event, LegAnswered):
            return Outcome.MISSED if event else Outcome.RETURNED
        return await self._talk(reached, line, LegArrived(leg=leg, caller=number, dialled="ring-back"))

    async def _picked_up(self, reached: Reached, line: Lifeline) -> LegAnswered | LegGone | None:
        """What came first: an answer, an end (also by our patience), or None where the caller is here already."""
        try:
            async with asyncio.timeout(self._ring_seconds):
                while True:
                    event = await reached.outcome(POLL_SECONDS)
                    if event is not None:
                        return event
                    if await self._lines.claim(line, keeper=line.keeper, tries=line.tries) is None:
                        return None
        except TimeoutError:
            return LegGone(leg="", cause=Cause.NO_ANSWER)

    async def _talk(self, reached: Reached, line: Lifeline, arrival: LegArrived) -> Outcome:
        doors = replace(self._doors, line=reached)
        session = Session(doors, self._new_id(), arrival, earlier(line, rung_back=True))
        log.info("call %s brings back the caller of call %s", session.id, line.call)
        await asyncio.wait({self._take(session)})
        if session.call.met:
            return Outcome.MET
        return Outcome.DENIED if session.call.denied else Outcome.MISSED

    async def _note(self, line: Lifeline, outcome: Outcome) -> None:
        data = {"try": line.tries, "outcome": outcome.value}
        entry = Entry(call=line.call, at=self._doors.clock(), kind="RungBack", data=data)
        try:
            await self._doors.journal.append(entry)
        except JournalUnavailable:
            log.error("journal unavailable: an entry of call %s is lost", line.call)

    async def _owe(self, line: Lifeline) -> None:
        """Nobody could be rung: a human is told to, where there is a number."""
        if line.reachable:
            promise = Callback(
                id=f"cb-{line.call}", call=line.call, party=line.party, urgency=line.urgency, at=self._doors.clock()
            )
            await self._doors.callbacks.promise(promise)
        await self._lines.release(line.call)
