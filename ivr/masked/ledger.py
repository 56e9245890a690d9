"""What a masked call leaves behind: the records of its legs, its events, and which pairs are connected now."""

import asyncio
import logging
from collections.abc import Callable

from ivr.masked import commands as do
from ivr.masked.state import Call, Leg
from masking.port import (
    CallRecord,
    Claims,
    Diary,
    Event,
    LegEnd,
    LineLeg,
    LineLegs,
    MaskingUnavailable,
    Wishes,
    WishState,
)

log = logging.getLogger(__name__)

PROVIDER = "sip"
SETUP_SECONDS = 900.0
"""A call that lasts longer than its binding allows and this has not been ended by anybody."""


def pair_name(binding: str, one: str, other: str) -> str:
    """The pair of two parties, whoever calls."""
    return "\n".join((binding, *sorted((one, other))))


class Pairs:
    """Who is being connected with whom: a pair has one call at a time, whoever began it."""

    def __init__(self, claims: Claims | None = None) -> None:
        """`claims`: what other processes do; None: this is the only one."""
        self._claims = claims
        self._calls: dict[str, str] = {}

    async def take(self, call: str, state: Call) -> bool:
        """Whether the pair is free, or this call's own; within 100 ms."""
        key = pair_name(state.binding, state.caller, state.callee)
        known = self._calls.setdefault(key, call)
        if known != call or self._claims is None or await self._claims.take(call, key):
            return known == call
        if self._calls.get(key) == call:
            del self._calls[key]
        return False

    def free(self, call: str) -> None:
        """The call is over."""
        self._calls = {key: held for key, held in self._calls.items() if held != call}
        if self._claims is not None:
            self._claims.free(call)


def ends(call: Call, number: str) -> dict[Leg, tuple[str, str]]:
    """Party and virtual number of each leg. `number`: the one that was dialled, or ""."""
    return {Leg.A: (call.caller, number or call.first_shown), Leg.B: (call.callee, call.shown)}


class Records:
    """Times of one call's legs; what is written is durable before the call's task ends."""

    def __init__(
        self,
        call: str,
        diary: Diary | None,
        wishes: Wishes | None,
        clock: Callable[[], float],
        wish: str = "",
        *,
        legs: LineLegs | None = None,
        keeper: str = "",
    ) -> None:
        """`wish`: the click-to-call that is carried out, if any. `legs`: where it is kept what this process, `keeper`,
        would leave behind if it died."""
        self.call = call
        self._legs, self._keeper = legs, keeper
        self._held: tuple[LineLeg, ...] = ()
        self._wanted: tuple[LineLeg, ...] = ()
        self._holding: asyncio.Task[None] | None = None
        self._diary, self._wishes, self._clock, self._wish = diary, wishes, clock, wish
        self._began: dict[Leg, float] = {}
        self._answered: dict[Leg, float] = {}
        self._gone: dict[Leg, float] = {}

    def begins(self, leg: Leg) -> None:
        """A leg arrived or is dialled."""
        self._began[leg] = self._clock()

    def answered(self, leg: Leg) -> None:
        """It was answered."""
        self._answered[leg] = self._clock()

    def gone(self, leg: Leg) -> None:
        """It is over."""
        self._gone[leg] = self._clock()

    def follow(self, call: Call, number: str) -> None:
        """Keep the legs as they are now, beside the call and never in its way; what is overtaken is not written."""
        if self._legs is None or call.finished:
            return
        self._wanted = tuple(self._leg(leg, call, number) for leg in Leg if leg in self._began)
        if self._wanted != self._held and self._holding is None:
            self._holding = asyncio.create_task(self._hold(self._legs))

    async def _hold(self, legs: LineLegs) -> None:
        try:
            while self._wanted != self._held:
                wanted = self._held = self._wanted
                await legs.hold(wanted)
        except MaskingUnavailable:
            log.error("masked call %s: it would leave no record if this process died now", self.call)
        finally:
            self._holding = None

    def _leg(self, leg: Leg, call: Call, number: str) -> LineLeg:
        party, shown = ends(call, number)[leg]
        return LineLeg(
            call=self.call, leg=leg.value, keeper=self._keeper, owner=call.owner, binding=call.binding, party=party,
            number=shown, started=self._began[leg], answered=self._answered.get(leg), by_code=call.by_code,
            until=self._began[leg] + call.seconds + SETUP_SECONDS,
        )  # fmt: skip

    async def tell(self, command: do.Tell, call: Call, number: str) -> None:
        """An event; a diary that cannot be written costs no call."""
        if self._diary is None:
            return
        data: dict[str, str | float | None] = {
            "call": self.call, "number": number or call.first_shown, "caller": call.caller, "callee": call.callee,
            "why": command.why, "by_code": float(call.by_code), "click": float(call.click),
        }  # fmt: skip
        event = Event(kind=command.kind, owner=call.owner, binding=call.binding, at=self._clock(), data=data)
        try:
            await self._diary.tell(event)
        except MaskingUnavailable:
            log.error("masked call %s: an event is lost", self.call)

    async def note(self, state: WishState, end: LegEnd | None) -> None:
        """Where the click-to-call stands."""
        if self._wishes is None or not self._wish:
            return
        try:
            await self._wishes.note(self._wish, state, end)
        except MaskingUnavailable:
            log.error("masked call %s: its wish cannot be noted", self.call)

    async def finish(self, command: do.Finish, call: Call, number: str) -> None:
        """Records of both legs; that of leg a last, which is what CALL_ENDED follows."""
        await self.note(WishState.DONE if command.joined else WishState.FAILED, command.end)
        self._wanted = self._held  # what is not being written by now is not written any more
        if self._diary is None:
            return
        for leg in (Leg.B, Leg.A):
            if leg not in self._began:
                continue
            party, shown = ends(call, number)[leg]
            record = CallRecord(
                call=self.call, leg=leg.value, owner=call.owner, binding=call.binding, party=party, number=shown,
                provider=PROVIDER, started=self._began[leg], answered=self._answered.get(leg),
                ended=self._gone.get(leg, self._clock()), end=command.end, released_by=command.released_by,
                by_code=call.by_code,
            )  # fmt: skip
            try:
                await self._diary.record(record)
            except MaskingUnavailable:
                log.error("masked call %s: the record of leg %s is lost", self.call, leg.value)
