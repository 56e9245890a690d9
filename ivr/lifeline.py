"""The line on which a call hangs if this process dies: what another one must know to ring the caller back.

Written beside the call, never in its way: a call goes on without it.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from dialogs.port import Level
from ivr.call.state import Call, State
from masking.port import Party
from records.port import JournalUnavailable, Lifeline, Lifelines
from routing.port import Urgency

log = logging.getLogger(__name__)

RETURN_SECONDS = 0.25
"""Longest wait for the answer whether a caller was cut off, before the greeting goes out without it."""
LEVELS = {Urgency.EMERGENCY: Level.EMERGENCY, Urgency.URGENT: Level.URGENT, Urgency.NORMAL: Level.ROUTINE}
_URGENCIES = {Level.EMERGENCY: Urgency.EMERGENCY, Level.URGENT: Urgency.URGENT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An earlier call of a caller that was cut off."""

    call: str
    """Its id."""
    level: Level | None
    """Its urgency where a human was due; None where the conversation just goes on."""
    rung_back: bool
    """Whether we called: then somebody else may have picked up."""


def earlier(line: Lifeline, *, rung_back: bool) -> Earlier:
    """What a new call needs to know of the old one."""
    due = line.human or line.urgency > Urgency.NORMAL
    return Earlier(call=line.call, level=LEVELS[Urgency(line.urgency)] if due else None, rung_back=rung_back)


class CallLine:
    """Holds the lifeline of one call in step with its state."""

    def __init__(
        self, lines: Lifelines | None, *, keeper: str, call: str, clock: Callable[[], float], instead_of: str = ""
    ) -> None:
        """`keeper`: this process. `instead_of`: the cut call that this one takes the place of."""
        self._lines = lines
        self._keeper = keeper
        self._call = call
        self._clock = clock
        self._instead_of = instead_of
        self._party = Party(id="", reachable=False)
        self._held: tuple[int, bool] | None = None
        self._writing: asyncio.Task[None] | None = None

    async def returned(self, party: Party) -> Earlier | None:
        """Whether this caller's earlier call was cut off; whoever was about to ring the caller back lets it be."""
        self._party = party
        if self._lines is None or not party.reachable or self._instead_of:
            return None
        try:
            async with asyncio.timeout(RETURN_SECONDS):
                found = await self._lines.returned(party.id)
        except (JournalUnavailable, TimeoutError):
            log.warning("call %s: whether an earlier one was cut off is not known", self._call)
            return None
        return earlier(found, rung_back=False) if found else None

    def follow(self, call: Call) -> None:
        """The call has taken a step; what changed is written in the background, one write after the other."""
        wanted = wanted_line(call)
        if self._lines is None or wanted == self._held:
            return
        self._held = wanted
        self._write(self._hold(wanted) if wanted else self._lines.release(self._call))

    async def end(self) -> None:
        """The call is over, however it ended; waits until that is written."""
        if self._lines is None:
            return
        if self._held is not None:
            self._held = None
            self._write(self._lines.release(self._call))
        if self._writing:
            await asyncio.wait({self._writing}, timeout=3.0)

    def _hold(self, wanted: tuple[int, bool]) -> Coroutine[Any, Any, None]:
        assert self._lines is not None
        instead, self._instead_of = self._instead_of, ""
        line = Lifeline(
            call=self._call, party=self._party.id, reachable=self._party.reachable, keeper=self._keeper,
            urgency=wanted[0], human=wanted[1], at=self._clock(),
        )  # fmt: skip
        return self._lines.hold(line, instead)

    def _write(self, work: Coroutine[Any, Any, None]) -> None:
        before = self._writing
        self._writing = asyncio.create_task(self._written(before, work))

    async def _written(self, before: "asyncio.Task[None] | None", work: Coroutine[Any, Any, None]) -> None:
        if before:
            await asyncio.wait({before})
        try:
            await work
        except JournalUnavailable:
            log.warning("call %s: its lifeline is not written", self._call)


def wanted_line(call: Call) -> tuple[int, bool] | None:
    """Urgency and whether a human is due, for a call whose caller would have to be rung back; None for one that has
    not really begun, or is all but over."""
    if call.state in (State.NEW, State.CLOSING, State.ENDED) or not call.met:
        return None
    levels = [one.level for one in (call.handover, call.result) if one] + [call.earlier_level or Level.ROUTINE]
    urgency = max(_URGENCIES.get(level, Urgency.NORMAL) for level in levels)
    return int(urgency), call.handover is not None or call.earlier_level is not None
