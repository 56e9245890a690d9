# Size: one call's steps side by side; in pieces each would name all doors again.
"""Masked calls on Twilio: a webhook asks what to do, a document says it. Nothing is kept between webhooks."""

import logging
import re
import time
from collections.abc import Awaitable, Callable

from masking.numbers import alias_key, normalise, virtual_number
from masking.port import (
    Admission,
    CallRecord,
    Decision,
    Dialled,
    Diary,
    Event,
    Exchange,
    Happened,
    Intercept,
    LegEnd,
    Limits,
    Masking,
    MaskingUnavailable,
    NumberRefused,
    Outcome,
    PhoneNumber,
    PreCall,
    Verdict,
    Wishes,
    WishState,
)
from masking.providers.twilio_cuts import TwilioCuts
from masking.providers.twilio_gate import Malformed, Signed
from masking.providers.twilio_legs import (
    CLICK,
    CODE,
    ENDS,
    PROVIDER,
    STATUS,
    VOICE,
    WHISPER,
    Legs,
    call_id,
    ended,
    forged,
    legs_of,
    record,
    records,
)
from masking.providers.twilio_words import Spoken

log = logging.getLogger(__name__)

TRIES = 3
NOWHERE = {
    Outcome.UNKNOWN: LegEnd.UNBOUND,
    Outcome.LOCKED: LegEnd.LOCKED,
    Outcome.REFUSED: LegEnd.REFUSED,
    Outcome.ASK_CODE: LegEnd.UNBOUND,
}


class Repeated(Exception):
    """A request that was answered before comes again: its answer holds a real number, so it is given once."""


class TwilioCalls:
    """Answers Twilio's voice webhooks."""

    def __init__(
        self,
        spoken: Spoken,
        masking: Masking,
        exchange: Exchange,
        dial: Callable[[str], Awaitable[PhoneNumber]],
        first: Callable[..., Awaitable[bool]],
        own: Callable[[], Awaitable[frozenset[str]]],
        *,
        public: str,
        region: str = "US",
        diary: Diary | None = None,
        limits: Limits | None = None,
        intercept: Intercept | None = None,
        wishes: Wishes | None = None,
        cuts: TwilioCuts | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`dial`: the number of a party, audited and checked once more. `first`: whether these words are said for the
        first time. `own`: our virtual numbers as `alias_key` gives them. `public`: our address as Twilio sees it.
        `region`: country of numbers without country code. `clock`: seconds since the epoch."""
        self._spoken = spoken
        self._masking = masking
        self._exchange = exchange
        self._dial = dial
        self._first = first
        self._own = own
        self._public = public
        self._region = region
        self._diary = diary
        self._limits = limits
        self._intercept = intercept
        self._wishes = wishes
        self._cuts = cuts
        self._clock = clock
        self._steps = {
            VOICE: self._voice, CODE: self._code, WHISPER: self._whisper, CLICK: self._click, STATUS: self._status,
        }  # fmt: skip

    async def answer(self, asked: Signed) -> str:
        """The document for a request. Raises Repeated, Malformed, KeyError for another path. Where masking is
        unavailable the call goes to a human of ours."""
        step = self._steps[asked.path]
        try:
            return await step(asked)
        except MaskingUnavailable as error:
            if asked.path == WHISPER:  # the callee must not be put through to anybody
                log.error("a masked call was not joined: %s", error)
                return self._spoken.hang_up()
            log.error("a call goes to the operator: %s", error)
            shown = asked.query.get("shown") or asked.query.get("number") or asked.fields.get("To", "")
            return self._spoken.operator("operator", virtual_number(shown, self._region) or "")

    async def _voice(self, asked: Signed) -> str:
        sid = asked.sid("CallSid", "CA")
        await self._once(VOICE, sid)
        number = virtual_number(asked.fields.get("To", ""), self._region)
        own = await self._own()
        if number is None or alias_key(number) not in own:
            return self._spoken.operator("operator", number or "")
        caller = normalise(asked.fields.get("From", ""), self._region)
        legs = Legs(call=call_id(sid), number=number, at=str(int(self._clock())))
        if caller is not None and alias_key(caller.reveal()) in own:
            await self._keep(record(legs, "a", LegEnd.LOOP, self._clock(), party="", number=number))
            return self._spoken.hang_up()
        if forged(asked.fields.get("StirVerstat", "")):
            await self._tell(Happened.SPOOF_SUSPECT, legs)
            caller = None
        party = (await self._masking.party(caller)).id if caller is not None else ""
        legs = Legs(call=legs.call, number=number, caller=party, at=legs.at)
        verdict = await self._exchange.resolve(Dialled(number=number, caller=party))
        if not await self._admitted(legs, verdict):
            await self._keep(record(legs, "a", LegEnd.LIMITED, self._clock(), party=party, number=number))
            return self._spoken.end("none")
        return await self._follow(sid, legs, verdict, 0)

    async def _code(self, asked: Signed) -> str:
        legs, tries = legs_of(asked.query), asked.query.get("try", "")
        if tries not in {str(one) for one in range(1, TRIES + 1)}:
            raise Malformed("the address is none of ours")
        sid = asked.sid("CallSid", "CA")
        await self._once(CODE, sid, tries)
        code = asked.fields.get("Digits", "")
        if not re.fullmatch(r"[0-9*#]{0,20}", code):
            raise Malformed("Digits are no keys")
        digits = code.strip("#*")
        verdict = Verdict(outcome=Outcome.ASK_CODE)
        if digits.isdecimal():
            verdict = await self._exchange.resolve(Dialled(number=legs.number, caller=legs.caller, code=digits))
            if verdict.outcome in {Outcome.ASK_CODE, Outcome.LOCKED}:
                await self._tell(Happened.CODE_FAILED, legs)
        return await self._follow(sid, legs, verdict, int(tries))

    async def _follow(self, sid: str, legs: Legs, verdict: Verdict, tries: int) -> str:
        if verdict.outcome == Outcome.CONNECT:
            return await self._connect(sid, legs.with_verdict(verdict), confirm=verdict.confirm)
        if verdict.outcome == Outcome.ASK_CODE and tries < TRIES:
            action = legs.address(self._public, CODE, **{"try": str(tries + 1)})
            return self._spoken.ask_code("again" if tries else "code", action)
        end = NOWHERE.get(verdict.outcome, LegEnd.EXPIRED)
        await self._keep(record(legs, "a", end, self._clock(), party=legs.caller, number=legs.number))
        if verdict.outcome == Outcome.EXPIRED:
            return self._spoken.operator("expired", legs.number)
        return self._spoken.end("unknown")

    async def _connect(self, sid: str, legs: Legs, *, confirm: bool) -> str:
        decision = Decision.CONNECT
        if self._intercept is not None:
            asked = PreCall(
                call=legs.call, binding=legs.binding, owner=legs.owner, caller=legs.caller, callee=legs.callee,
                by_code=bool(legs.coded),
            )  # fmt: skip
            decision = await self._intercept.ask(asked)
        if decision != Decision.CONNECT:
            await self._stopped(legs, LegEnd.INTERCEPTED)
            operator = decision == Decision.OPERATOR
            return self._spoken.operator("operator", legs.number) if operator else self._spoken.end("refused")
        try:
            to = await self._dial(legs.callee)
        except (NumberRefused, KeyError):
            await self._stopped(legs, LegEnd.REFUSED)
            return self._spoken.operator("not_reached", legs.number)
        if self._cuts is not None:
            await self._cuts.began(sid, legs, second=True)
        await self._tell(Happened.CALL_STARTED, legs)
        return self._spoken.connect(
            to.reveal(),
            legs.shown,
            float(legs.seconds),
            whisper=legs.address(self._public, WHISPER) if confirm else "",
            action=legs.address(self._public, STATUS, step="dialled", asked="1" if confirm else ""),
        )

    async def _whisper(self, asked: Signed) -> str:
        """To the callee alone, who has answered: only a person presses a key."""
        legs = legs_of(asked.query)
        if not asked.query.get("asked"):
            return self._spoken.press("whisper", legs.address(self._public, WHISPER, asked="1"))
        if asked.fields.get("Digits") != "1":
            return self._spoken.hang_up()
        await self._first("confirmed", legs.call)
        if self._cuts is not None:
            await self._cuts.answered(legs.call)
        await self._tell(Happened.CALL_ANSWERED, legs)
        if legs.wish:
            await self._note(legs.wish, WishState.CONNECTED)
        return self._spoken.nothing()

    async def _click(self, asked: Signed) -> str:
        """The doctor has answered a call that was asked for; now the patient is called."""
        legs = legs_of(asked.query)
        if not asked.query.get("asked"):
            return self._spoken.press("click", legs.address(self._public, CLICK, asked="1"))
        sid = asked.sid("CallSid", "CA")
        await self._once(CLICK, sid)
        if asked.fields.get("Digits") != "1":
            return self._spoken.hang_up()
        await self._first("dialled", legs.call)
        await self._note(legs.wish, WishState.FIRST_ANSWERED)
        return await self._connect(sid, legs, confirm=True)

    async def _status(self, asked: Signed) -> str:
        step = asked.query.get("step", "")
        if step not in {"dialled", "first"}:
            return self._spoken.nothing()  # a number's own status callback: told already
        legs, now = legs_of(asked.query), self._clock()
        if step == "first":
            return await self._first_ended(legs, asked, now)
        confirmed = not asked.query.get("asked") or not await self._first("confirmed", legs.call)
        cut, end = await self._over(legs.call), ended(asked.fields, legs, confirmed=confirmed)
        reached = end in {LegEnd.COMPLETED, LegEnd.TIME_UP}
        end = LegEnd.KILLED if cut else end
        for one in records(legs, asked.fields, end, now, joined=reached):
            await self._keep(one)
        if legs.wish:
            await self._note(legs.wish, WishState.DONE if reached else WishState.FAILED, end)
        if reached or cut or asked.fields.get("CallStatus") in {"completed", "canceled"}:
            return self._spoken.hang_up()
        return self._spoken.operator("not_reached", legs.number)

    async def _first_ended(self, legs: Legs, asked: Signed, now: float) -> str:
        """The doctor's leg is over. Where it never came to a second, this is the end of the whole."""
        if await self._first("dialled", legs.call):
            status = asked.fields.get("CallStatus", "")
            end = LegEnd.NOT_CONFIRMED if status == "completed" else ENDS.get(status, LegEnd.FAILED)
            end = LegEnd.KILLED if await self._over(legs.call) else end
            by = "us" if end is LegEnd.KILLED else "callee"
            await self._keep(record(legs, "a", end, now, party=legs.caller, number=legs.number, by=by))
            await self._note(legs.wish, WishState.FAILED, end)
        return self._spoken.nothing()

    async def _admitted(self, legs: Legs, verdict: Verdict) -> bool:
        if self._limits is None:
            return True
        known = verdict.outcome in {Outcome.CONNECT, Outcome.EXPIRED}
        return await self._limits.admit(legs.number, legs.caller, PROVIDER, known=known) == Admission.ADMITTED

    async def _once(self, *what: str) -> None:
        if not await self._first(*what):
            raise Repeated("this request was answered already")

    async def _stopped(self, legs: Legs, end: LegEnd) -> None:
        await self._keep(record(legs, "a", end, self._clock(), party=legs.caller, number=legs.number))
        if legs.wish:
            await self._over(legs.call)
            await self._note(legs.wish, WishState.FAILED, end)

    async def _over(self, call: str) -> bool:
        """Whether it was cut."""
        return self._cuts is not None and await self._cuts.over(call)

    async def _keep(self, one: CallRecord) -> None:
        """A call goes on also where nothing can be written."""
        if self._diary is not None:
            try:
                await self._diary.record(one)
            except MaskingUnavailable:
                log.error("a call's record could not be written")

    async def _tell(self, kind: Happened, legs: Legs) -> None:
        if self._diary is None:
            return
        data: dict[str, str | float | None] = {"call": legs.call, "number": legs.number, "party": legs.caller}
        event = Event(kind=kind, owner=legs.owner, binding=legs.binding, at=self._clock(), data=data)
        try:
            await self._diary.tell(event)
        except MaskingUnavailable:
            log.error("an event of a call could not be written")

    async def _note(self, wish: str, state: WishState, end: LegEnd | None = None) -> None:
        if self._wishes is not None and wish:
            await self._wishes.note(wish, state, end)
