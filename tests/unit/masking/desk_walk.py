"""A random walk over a store of bindings, compared with the reference model at every step."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from masking.port import Binding, Dialled, Kind, MaskingRefused, Outcome, Side, VirtualNumber, Wanted, Wrong
from tests.contract.desk_rigs import Desk
from tests.unit.masking.desk_model import Deal, Model

PATIENTS, DOCTORS, NUMBERS = 6, 5, 4
NEVER = 1e12


class Different(AssertionError):
    """Store and model disagree."""


def pool() -> tuple[VirtualNumber, ...]:
    """Few numbers, so that they run out often."""
    return tuple(
        VirtualNumber(number=f"+1202555{100 + at:04d}", side=side, country="US")
        for at, side in enumerate([Side.PATIENT] * NUMBERS + [Side.DOCTOR] * NUMBERS)
    )


@dataclass(slots=True, kw_only=True)
class Walk:
    """State of a walk."""

    desk: Desk
    source: random.Random
    restart: Callable[[], Desk]
    model: Model = field(default_factory=Model)
    done: Counter[str] = field(default_factory=Counter)

    async def step(self) -> None:
        """One operation on both."""
        names = ("call", "bind", "close", "renew", "wait", "sweep", "restart")
        name = self.source.choices(names, (50, 25, 8, 5, 10, 1, 0.05))[0]
        self.done[name] += 1
        work: dict[str, Callable[[], Awaitable[None]]] = {
            "call": self.call, "bind": self.bind, "close": self.close, "renew": self.renew, "wait": self.wait,
            "sweep": self.sweep, "restart": self.again,
        }  # fmt: skip
        await work[name]()

    async def call(self) -> None:
        number, caller = self.source.choice(pool()).number, self._somebody()
        verdict = await self.desk.exchange.resolve(Dialled(number=number, caller=caller))
        told = verdict.callee if verdict.outcome == Outcome.CONNECT else str(verdict.outcome)
        expected = self.model.call(number, caller, self.desk.clock.now)
        self._same(told, expected)
        if verdict.callee:  # the callee may dial back what was shown, and reaches this caller
            back = await self.desk.exchange.resolve(Dialled(number=verdict.shown, caller=verdict.callee))
            self._same(back.callee, caller)

    async def bind(self) -> None:
        patient, doctor = f"party-p{self.source.randrange(PATIENTS)}", f"party-d{self.source.randrange(DOCTORS)}"
        life = self.source.choice([60.0, 100.0, 500.0, None])
        rest = self.source.choice([5.0, 50.0, 1000.0])
        wanted = Wanted(owner="walk", kind=Kind.PAIR, patient=patient, doctor=doctor, life=life, quarantine=rest)
        now = self.desk.clock.now
        sides = ((Side.PATIENT, patient, doctor), (Side.DOCTOR, doctor, patient))
        room = all(
            any(self.model.may_give(one.number, mine, other, now) for one in pool() if one.side == side)
            for side, mine, other in sides
        )
        try:
            made = await self.desk.bindings.create(wanted)
        except MaskingRefused as refused:
            self.done["full"] += 1
            self._same((refused.code, room), (Wrong.NO_CAPACITY, False))
            return
        allowed = self.model.may_give(made.patient_number, patient, doctor, now)
        allowed &= self.model.may_give(made.doctor_number, doctor, patient, now)
        self._same((room, allowed), (True, True))
        self.model.give(self._deal(made, rest))

    def _deal(self, made: Binding, rest: float) -> Deal:
        end = NEVER if made.ends is None else made.ends
        return Deal(made.id, made.patient, made.doctor, made.patient_number, made.doctor_number, end, rest)

    async def close(self) -> None:
        if deal := self._any():
            await self._agree(deal, self.desk.bindings.close(deal.name, "walk"))
            self.model.close(deal, self.desk.clock.now)

    async def renew(self) -> None:
        if deal := self._any():
            live = deal.live(self.desk.clock.now)
            told = await self._agree(deal, self.desk.bindings.renew(deal.name, "walk", 200.0))
            self._same(told, live)
            if live:
                deal.end = self.desk.clock.now + 200

    async def _agree(self, deal: Deal, work: Awaitable[Binding]) -> bool:
        try:
            await work
        except MaskingRefused as refused:
            self._same(refused.code, Wrong.ENDED)
            return False
        return True

    async def wait(self) -> None:
        """Time goes on; now and then the clock is set back, by less than the shortest rest."""
        self.desk.clock.now += self.source.choice([0.5, 1, 30, 60, 200, 1000, -1])

    async def sweep(self) -> None:
        await self.desk.exchange.sweep()
        now = self.desk.clock.now
        self.model.deals = [deal for deal in self.model.deals if now < deal.free_at()]

    async def again(self) -> None:
        self.desk = self.restart()

    def _any(self) -> Deal | None:
        return self.source.choice(self.model.deals) if self.model.deals else None

    def _somebody(self) -> str:
        everybody = [f"party-p{at}" for at in range(PATIENTS)] + [f"party-d{at}" for at in range(DOCTORS)]
        return self.source.choice([*everybody, "party-stranger", ""])

    def _same(self, told: object, expected: object) -> None:
        if told != expected:
            raise Different(f"the store says {told}, the model {expected}, after {sum(self.done.values())} steps")
