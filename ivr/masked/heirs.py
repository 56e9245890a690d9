"""Masked calls of processes that died: their records are written and their click-to-calls fail, by whoever looks first.

A dead process is known by its lock, as everywhere (`ivr.locks`), so this takes about a second.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from ivr import locks
from ivr.masked.ledger import PROVIDER, pair_name
from masking.port import CallRecord, Claims, Diary, LegEnd, LineLeg, LineLegs, MaskingUnavailable, Wishes

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""How often the dead are looked for."""
STRAYS_SECONDS = 60.0
"""How often is looked for legs of processes of which nothing is known, on another machine perhaps."""


class Heirs:
    """Runs in every worker, also in one that stands by. That a record is written once is the diary's."""

    def __init__(
        self,
        lives: Path,
        legs: LineLegs,
        diary: Diary,
        *,
        wishes: Wishes | None = None,
        claims: Claims | None = None,
        clock: Callable[[], float],
    ) -> None:
        """`lives`: folder of `locks.Life`. `clock`: seconds since the epoch."""
        self._lives, self._legs, self._diary, self._wishes, self._claims = lives, legs, diary, wishes, claims
        self._clock = clock
        self._living: dict[str, float] = {}
        self._owing: dict[str, float] = {}
        self._settled: frozenset[str] = frozenset()
        self._strays_at = float("-inf")

    async def run(self) -> None:
        """Until cancelled; never raises."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Write down what dead processes left. Never raises."""
        try:
            self._census()
            strays = self._clock() >= self._strays_at + STRAYS_SECONDS
            if self._owing or strays:
                await self._settle(dict(self._owing))
        except (MaskingUnavailable, OSError) as error:
            log.error("masked calls of dead processes cannot be written down now: %s", type(error).__name__)

    def _census(self) -> None:
        """Who died since, and when: by its last sign, or where another worker has buried it by now, when it was seen
        last. Who said farewell is among them: it left nothing, unless it could not write."""
        living, dead = locks.census(self._lives)
        gone = {id: at for id, at in self._living.items() if id not in living} | dict(dead)
        self._owing |= {id: at for id, at in gone.items() if id not in self._settled}
        self._settled &= frozenset(dead)
        self._living = dict.fromkeys(living, self._clock())

    async def _settle(self, owing: dict[str, float]) -> None:
        held = await self._legs.held()
        now = self._clock()
        calls: dict[str, list[LineLeg]] = {}
        for one in held:
            stray = one.keeper not in self._living and one.until < now
            if one.keeper in owing or stray:
                calls.setdefault(one.call, []).append(one)
        for call in calls.values():
            await self._write(call, owing.get(call[0].keeper, call[0].seen))
        if self._wishes is not None and owing and (failed := await self._wishes.forsaken(frozenset(owing))):
            log.warning("%d click-to-calls failed when their process died", failed)
        self._settled |= frozenset(owing)
        self._owing = {id: at for id, at in self._owing.items() if id not in owing}
        self._strays_at = now

    async def _write(self, legs: list[LineLeg], at: float) -> None:
        log.warning("masked call %s ended when its process died", legs[0].call)
        if self._claims is not None and len(legs) > 1:
            one, other = legs[:2]
            await self._claims.drop(one.call, pair_name(one.binding, one.party, other.party))
        for leg in sorted(legs, key=lambda one: one.leg, reverse=True):  # what follows a call follows leg a
            await self._diary.record(record_of(leg, at))


def record_of(leg: LineLeg, at: float) -> CallRecord:
    """What is known of a leg whose process died, `at`: when."""
    known: Iterable[float] = (leg.started, leg.answered or leg.started, at)
    return CallRecord(
        call=leg.call, leg=leg.leg, owner=leg.owner, binding=leg.binding, party=leg.party, number=leg.number,
        provider=PROVIDER, started=leg.started, answered=leg.answered, ended=max(known), end=LegEnd.FAILED,
        released_by="us", by_code=leg.by_code,
    )  # fmt: skip
