"""Ends calls on Twilio whose binding was killed (twilio.com/docs/voice/api/call-resource: status "completed").

Ending the first leg ends what <Dial> connected it to. Calls are kept in SQL, so that a process that was started anew
finds those of the one before.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from twilio.base.exceptions import TwilioRestException

from masking.live import Live, LiveCalls
from masking.port import Diary, LegEnd, MaskingUnavailable, Wishes, WishState
from masking.providers.twilio_http import refusal
from masking.providers.twilio_legs import Legs, legs_of, record

log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
AFTER_SECONDS = 180.0
"""For ringing, keys and the last webhook, beyond the longest call."""
OVER = frozenset({20404, 21220})
"""Errors that mean that there is no such call, or none in progress any more (twilio.com/docs/api/errors)."""
BOTH = "both"


class TwilioCuts:
    """Knows the calls in progress, and cuts them."""

    def __init__(
        self,
        api: Any,
        live: LiveCalls,
        *,
        diary: Diary | None = None,
        wishes: Wishes | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`api`: of `twilio_http.client`. `clock`: seconds since the epoch."""
        self._api = api
        self._live = live
        self._diary = diary
        self._wishes = wishes
        self._clock = clock
        self._news = asyncio.Event()

    async def began(self, sid: str, legs: Legs, *, second: bool) -> None:
        """Twilio holds this call from now on. `sid`: of its first leg. `second`: whether the other side is called.
        Raises MaskingUnavailable."""
        until = self._clock() + float(legs.seconds) + AFTER_SECONDS
        facts = legs.address("", "", **({BOTH: "1"} if second else {}))
        await self._live.begin(Live(call=legs.call, reference=sid, binding=legs.binding, facts=facts, until=until))
        self._news.set()

    async def answered(self, call: str) -> None:
        """Both are joined. Raises MaskingUnavailable."""
        await self._live.answered(call)

    async def over(self, call: str) -> bool:
        """It has ended; whether it was cut. Raises MaskingUnavailable."""
        return await self._live.over(call)

    async def run(self, *, every: float = EVERY_SECONDS) -> None:
        """Until cancelled; `every`: seconds between looks, while there are calls."""
        while True:
            if await self._looked():
                await asyncio.sleep(every)
            else:
                await self._news.wait()
                self._news.clear()

    async def look(self) -> bool:
        """Cut what is to be cut; False where no call is in progress. Raises MaskingUnavailable."""
        seen = await self._live.look()
        await asyncio.gather(*(self._cut(one) for one in seen.killed))
        return seen.busy

    async def _looked(self) -> bool:
        try:
            return await self.look()
        except MaskingUnavailable as error:
            log.error("a call in progress may go on: %s", error)
            return True

    async def _cut(self, one: Live) -> None:
        """Tried again at the next look, unless Twilio has ended it."""
        await self._live.cutting(one.call)
        try:
            await self._api.calls(one.reference).update_async(status="completed")
        except TwilioRestException as error:
            if int(error.code or 0) not in OVER:
                log.error("a call whose binding was killed could not be cut: %s", refusal(error))
                return
        except MaskingUnavailable as error:
            log.error("a call whose binding was killed could not be cut: %s", error)
            return
        await self._tell(one)
        await self._live.over(one.call)
        log.info("a call was cut: its binding was killed")

    async def _tell(self, one: Live) -> None:
        """The second leg first, for the first one's record ends the call."""
        given, now = dict(parse_qsl(urlsplit(one.facts).query)), self._clock()
        legs = legs_of(given)
        sides = [("b", legs.callee, legs.shown)] if BOTH in given else []
        for leg, party, number in (*sides, ("a", legs.caller, legs.number)):
            if self._diary is not None:
                answered = one.answered
                await self._diary.record(
                    record(legs, leg, LegEnd.KILLED, now, party=party, number=number, answered=answered)
                )
        if self._wishes is not None and legs.wish:
            state = WishState.FAILED if one.answered is None else WishState.DONE
            await self._wishes.note(legs.wish, state, LegEnd.KILLED)
