"""Masked calls of a worker: sessions for calls to virtual numbers, click-to-calls, and what is known of our numbers."""

import asyncio
import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from config.settings import Settings
from ivr.doors import Doors
from ivr.masked.clicks import Clicks
from ivr.masked.doors import MaskedDoors, OurNumbers
from ivr.masked.heirs import Heirs
from ivr.masked.ledger import Pairs
from ivr.masked.session import Living, MaskedSession
from ivr.ports import LegArrived, Line
from ivr.ringback import Trunk
from ivr.session import Session
from ivr.worker import Worker, new_call_id
from masking.desk import Desk
from masking.numbers import virtual_number
from masking.port import Claims, MaskingUnavailable, PhoneNumber

log = logging.getLogger(__name__)

LEARN_SECONDS = 1.0
"""How often the list of our numbers is read; a list that takes long is read more seldom."""
SHARE = 0.02
"""Of the time that reading it may take."""


class MaskedCalls:
    """Everything about masked calls in one worker."""

    def __init__(self, settings: Settings, doors: Doors, desk: Desk, claims: Claims | None = None) -> None:
        """`claims`: which pairs other workers connect; None: this is the only one."""
        self._desk, self._doors, self._claims = desk, doors, claims
        self._pairs = Pairs(claims)
        self._ours = OurNumbers(
            lambda text: virtual_number(text, desk.region), hotline=tuple(settings.masking.hotline_numbers)
        )
        self._trunk = Trunk(
            template=settings.masking.outbound or settings.sip.outbound, allowed=lambda number: True
        )
        self._masked = MaskedDoors(
            exchange=desk.exchange, bindings=desk.bindings, number=self._number, address=self._trunk.address,
            ours=self._ours, diary=desk.diary, legs=desk.legs, intercept=desk.intercept, limits=desk.limits,
            wishes=desk.wishes if settings.masking.provider == "sip" else None,
            ring_seconds=settings.masking.ring_seconds,
        )  # fmt: skip

    def session(self, arrival: LegArrived) -> Living | None:
        """Of a call to a virtual number; None for all others."""
        if self._ours.find(arrival.dialled) is None:
            return None
        return MaskedSession(
            self._doors, self._masked, new_call_id(), pairs=self._pairs, arrival=arrival, triage=self._triage
        )

    def clicks(self, worker: Worker, taker: str) -> Clicks | None:
        """Who carries wishes out; None where nobody can have any."""
        if self._masked.wishes is None:
            return None
        return Clicks(
            self._masked, taker=taker, free=lambda: not worker.draining and not worker.full, take=worker.take,
            make=self._make,
        )  # fmt: skip

    def heirs(self, lives: Path) -> Heirs:
        """Who writes down what dead workers left. `lives`: folder of `locks.Life`."""
        desk = self._desk
        return Heirs(
            lives, desk.legs, desk.diary, wishes=desk.wishes, claims=self._claims, clock=desk.ledger.clock
        )

    async def learn(self) -> None:
        """Read the list of our numbers; what cannot be read stays as it was."""
        try:
            self._ours.learn(await self._desk.numbers.list())
        except MaskingUnavailable as error:
            log.error("virtual numbers cannot be read: %s", error)

    async def keep(self) -> None:
        """Read it again and again, until cancelled."""
        while True:
            began = time.monotonic()
            await self.learn()
            await asyncio.sleep(max(LEARN_SECONDS, (time.monotonic() - began) / SHARE))

    def _make(self, **about: Any) -> Living:
        return MaskedSession(self._doors, self._masked, pairs=self._pairs, **about)

    def _triage(self, line: Line, arrival: LegArrived, human: bool) -> Living:
        return Session(replace(self._doors, line=line), new_call_id(), arrival, human=human)

    async def _number(self, party: str) -> PhoneNumber:
        """Revealed, audited and checked once more. Raises KeyError, NumberRefused, MaskingUnavailable."""
        await self._desk.own.refresh()
        return await self._desk.vault.dial(party, self._desk.policy, reason="masked call", actor="line")
