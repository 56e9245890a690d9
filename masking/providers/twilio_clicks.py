"""Click-to-call on Twilio: the doctor is called by REST, and when a key is pressed the patient is dialled."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from twilio.base.exceptions import TwilioRestException

from masking.port import (
    ClickPlan,
    Decision,
    Exchange,
    Intercept,
    LegEnd,
    MaskingRefused,
    MaskingUnavailable,
    NumberRefused,
    PhoneNumber,
    PreCall,
    Wish,
    Wishes,
    WishState,
)
from masking.providers.twilio_cuts import TwilioCuts
from masking.providers.twilio_http import refusal
from masking.providers.twilio_legs import CLICK, PROVIDER, STATUS, Legs
from masking.providers.twilio_words import RING_SECONDS

log = logging.getLogger(__name__)

BEAT_SECONDS = 20.0
"""How often the wishes that are being carried out are tended: what nobody tends counts as failed."""
AFTER_SECONDS = 180.0
"""For ringing, keys and the last webhook, beyond the longest call."""


class TwilioClicks:
    """Carries out wishes."""

    def __init__(
        self,
        api: Any,
        wishes: Wishes,
        exchange: Exchange,
        dial: Callable[[str], Awaitable[PhoneNumber]],
        *,
        public: str,
        intercept: Intercept | None = None,
        cuts: TwilioCuts | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`api`: of `twilio_http.client`. `dial`: the number of a party, audited and checked once more. `public`: our
        address as Twilio sees it. `clock`: seconds since the epoch."""
        self._api = api
        self._wishes = wishes
        self._exchange = exchange
        self._dial = dial
        self._public = public
        self._intercept = intercept
        self._cuts = cuts
        self._clock = clock
        self._tended: dict[str, tuple[str, float]] = {}
        self._beat = float("-inf")

    async def run(self, *, every: float = 1.0) -> None:
        """Until cancelled. `every`: seconds between looks."""
        while True:
            try:
                while await self.one():
                    pass
                await self.tend()
            except MaskingUnavailable:
                log.error("click-to-calls wait: the database does not answer")
            await asyncio.sleep(every)

    async def one(self) -> bool:
        """Carry out the oldest wish; False where there is none. Raises MaskingUnavailable."""
        wish = await self._wishes.take(PROVIDER)
        if wish is None:
            return False
        end = await self._called(wish)
        if end is not None:
            await self._wishes.note(wish.id, WishState.FAILED, end)
        return True

    async def tend(self) -> None:
        """A sign of life for the calls that Twilio holds for us. Raises MaskingUnavailable."""
        now = self._clock()
        if now < self._beat + BEAT_SECONDS:
            return
        self._beat = now
        for id, (owner, until) in tuple(self._tended.items()):
            await self._wishes.note(id, WishState.TAKEN)
            state = (await self._wishes.get(id, owner)).state
            if now > until or state in {WishState.DONE, WishState.FAILED}:
                del self._tended[id]

    async def _called(self, wish: Wish) -> LegEnd | None:
        """None: the doctor's phone rings, webhooks go on from here. An attempt without an answer is not repeated: it
        may ring already."""
        try:
            plan = await self._exchange.click(wish.binding, wish.owner)
            if not await self._allowed(wish, plan):
                return LegEnd.INTERCEPTED
            await self._ring(wish, plan, await self._dial(plan.first))
        except MaskingRefused as refused:
            log.info("a click-to-call was refused: %s", refused.code)
            return LegEnd.EXPIRED if refused.code == "binding_ended" else LegEnd.REFUSED
        except (NumberRefused, KeyError):
            return LegEnd.REFUSED
        except MaskingUnavailable as error:
            log.error("a click-to-call failed: %s", error)
            return LegEnd.UNAVAILABLE
        return None

    async def _allowed(self, wish: Wish, plan: ClickPlan) -> bool:
        if self._intercept is None:
            return True
        asked = PreCall(
            call=wish.id, binding=wish.binding, owner=wish.owner, caller=plan.first, callee=plan.second, by_code=False
        )
        return await self._intercept.ask(asked) == Decision.CONNECT

    async def _ring(self, wish: Wish, plan: ClickPlan, to: PhoneNumber) -> None:
        legs = Legs(
            call=wish.id, number=plan.first_sees, caller=plan.first, at=str(int(self._clock())), binding=wish.binding,
            owner=wish.owner, callee=plan.second, shown=plan.second_sees, seconds=str(int(plan.seconds)), wish=wish.id,
        )  # fmt: skip
        try:
            made = await self._api.calls.create_async(
                to=to.reveal(),
                from_=plan.first_sees,
                url=legs.address(self._public, CLICK),
                timeout=RING_SECONDS,
                record=False,
                status_callback=legs.address(self._public, STATUS, step="first"),
                status_callback_event=["completed"],
            )
        except TwilioRestException as error:
            raise refusal(error) from None
        self._tended[wish.id] = (wish.owner, self._clock() + plan.seconds + AFTER_SECONDS)
        await self._known(str(made.sid), legs)

    async def _known(self, sid: str, legs: Legs) -> None:
        """The phone rings already: where this cannot be kept, the call goes on and is kept when it is connected."""
        try:
            if self._cuts is not None:
                await self._cuts.began(sid, legs, second=False)
        except MaskingUnavailable as error:
            log.error("a ringing phone could not be noted: %s", error)
