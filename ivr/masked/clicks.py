"""Carries out click-to-calls: takes wishes one by one, and lives through each as a call of this process."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from ivr.masked.doors import MaskedDoors
from ivr.masked.session import Living
from masking.port import LegEnd, MaskingRefused, MaskingUnavailable, Wish, Wishes, WishState, Wrong

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""How often a process with a free place looks for a wish."""
BEAT_SECONDS = 20.0
"""How often a wish that is being carried out is told to be alive; masking counts one as failed after 90 s without."""
REST_SECONDS = 5.0
"""Pause after masking could not be asked."""


class Clicks:
    """Wishes that this process carries out."""

    def __init__(
        self,
        masked: MaskedDoors,
        *,
        taker: str,
        free: Callable[[], bool],
        take: Callable[[Living], "asyncio.Task[None]"],
        make: Callable[..., Living],
    ) -> None:
        """`taker`: this process. `free`: whether there is a place. `take`: lives through a session among the process's
        other calls. `make`: a `MaskedSession` from call, plan, owner, wish."""
        assert masked.wishes is not None
        self._masked, self._wishes = masked, masked.wishes
        self._taker, self._free, self._take, self._make = taker, free, take, make
        self._beats: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until cancelled; never raises."""
        while True:
            pause = LOOK_SECONDS
            try:
                while self._free() and await self.look():
                    continue
            except MaskingUnavailable:
                pause = REST_SECONDS
            await asyncio.sleep(pause)

    async def look(self) -> bool:
        """Begin the oldest wish; whether there was one. Raises MaskingUnavailable."""
        wish = await self._wishes.take(self._taker)
        if wish is None:
            return False
        try:
            plan = await self._masked.exchange.click(wish.binding, wish.owner)
        except MaskingRefused as refused:
            end = LegEnd.EXPIRED if refused.code is Wrong.ENDED else LegEnd.REFUSED
            await self._wishes.note(wish.id, WishState.FAILED, end)
            return True
        log.info("wish %s is carried out", wish.id)
        about: dict[str, Any] = {"call": wish.id, "plan": plan, "owner": wish.owner, "wish": wish.id}
        task = self._take(self._make(**about))
        beat = asyncio.create_task(_beat(self._wishes, wish, task))
        self._beats.add(beat)
        beat.add_done_callback(self._beats.discard)
        return True


async def _beat(wishes: Wishes, wish: Wish, call: "asyncio.Task[None]") -> None:
    while not (await asyncio.wait({call}, timeout=BEAT_SECONDS))[0]:
        try:
            await wishes.note(wish.id, WishState.TAKEN)  # a state that it has passed is a sign of life only
        except MaskingUnavailable:
            log.warning("wish %s: no sign of life can be given", wish.id)
