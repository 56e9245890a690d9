"""What a masked call leaves behind: the records of its legs, its events, and which pairs are connected now."""

import logging
from collections.abc import Callable

from ivr.masked import commands as do
from ivr.masked.state import Call, Leg
from masking.port import (
    CallRecord,
    Diary,
    Event,
    LegEnd,
    MaskingUnavailable,
    Wishes,
    WishState,
)

log = logging.getLogger(__name__)

PROVIDER = "sip"


class Pairs:
    """Who is being connected with whom in this process: a pair has one call at a time, whoever began it."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, frozenset[str]], str] = {}

    def take(self, call: str, state: Call) -> bool:
        """Whether the pair is free, or this call's own."""
        key = (state.binding, frozenset({state.caller, state.callee}))
        return self._calls.setdefault(key, call) == call

    def free(self, call: str) -> None:
        """The call is over."""
        self._calls = {key: held for key, held in self._calls.items() if held != call}


class Records:
    """Times of one call's legs; what is written is durable before the call's task ends."""

    def __init__(
        self, call: str, diary: Diary | None, wishes: Wishes | None, clock: Callable[[], float], wish: str = ""
    ) -> None:
        """`wish`: the click-to-call that is carried out, if any."""
        self.call = call
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
        if self._diary is None:
            return
        legs = ((Leg.B, call.callee, call.shown), (Leg.A, call.caller, number or call.first_shown))
        for leg, party, shown in legs:
            if leg not in self._began:
                continue
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
