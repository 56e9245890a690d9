"""A random walk over a store of bindings, compared with the reference model at every step."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from masking.port import (
    Binding,
    Dialled,
    Kind,
    MaskingRefused,
    NumberState,
    Outcome,
    Side,
    VirtualNumber,
    Wanted,
    Wrong,
)
from tests.contract.desk_rigs import Desk
from tests.unit.masking.desk_model import Deal, Model, agreed

PATIENTS, DOCTORS, PHONES, NUMBERS = 6, 5, 2, 4
NEVER = 1e12
STEPS = {"call": 50, "bind": 22, "close": 8, "renew": 5, "wait": 10, "state": 2, "look": 2, "sweep": 1, "restart": 0.1}
KINDS = {Kind.PAIR: 60, Kind.CODE: 15, Kind.GROUP: 12, Kind.FIXED: 8}
SERVING = {NumberState.ACTIVE, NumberState.DRAINING}


class Different(AssertionError):
    """Store and model disagree."""


def pool() -> tuple[VirtualNumber, ...]:
    """Few numbers, so that they run out often."""
    return tuple(
        VirtualNumber(number=f"+1202555{100 + at:04d}", side=side, country="US")
        for at, side in enumerate([Side.PATIENT] * NUMBERS + [Side.DOCTOR] * NUMBERS)
    )


POOL = pool()
PEOPLE = [f"party-{who}{at}" for who, many in (("p", PATIENTS), ("d", DOCTORS), ("m", PHONES)) for at in range(many)]


@dataclass(slots=True, kw_only=True)
class Walk:
    """State of a walk."""

    desk: Desk
    source: random.Random
    restart: Callable[[], Desk]
    model: Model = field(default_factory=Model)
    states: dict[str, NumberState] = field(default_factory=lambda: {one.number: one.state for one in POOL})
    guesses: dict[str, tuple[float, int]] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)

    async def step(self) -> None:
        """One operation on both."""
        name = self.source.choices(tuple(STEPS), tuple(STEPS.values()))[0]
        self.done[name] += 1
        work: dict[str, Callable[[], Awaitable[None]]] = {
            "call": self.call, "bind": self.bind, "close": self.close, "renew": self.renew, "wait": self.wait,
            "state": self.state, "look": self.look, "sweep": self.sweep, "restart": self.again,
        }  # fmt: skip
        await work[name]()

    @property
    def now(self) -> float:
        """Of the store's clock."""
        return self.desk.clock.now

    async def call(self) -> None:
        number = self.source.choice(POOL).number
        caller, code = self.source.choice([*PEOPLE, "party-stranger", ""]), self._code()
        if code and self._expected(number, caller, code) == "ask_code" and not self._guess(number, caller):
            code = ""
        self.done["by code"] += bool(code)
        verdict = await self.desk.exchange.resolve(Dialled(number=number, caller=caller, code=code))
        told = verdict.callee if verdict.outcome == Outcome.CONNECT else str(verdict.outcome)
        expected = self._expected(number, caller, code)
        self.done[expected if expected[:6] != "party-" else "connect"] += 1
        self._same(told, expected)
        if verdict.callee and verdict.shown != number and self.states[verdict.shown] in SERVING:
            # The callee may dial back what was shown, and never reaches anybody but the other of the two.
            back = await self.desk.exchange.resolve(Dialled(number=verdict.shown, caller=verdict.callee))
            (deal,) = (deal for deal in self.model.deals if deal.made.id == verdict.binding)
            self._same(back.callee in {"", deal.wanted.patient, deal.wanted.doctor}, True)

    def _expected(self, number: str, caller: str, code: str) -> str:
        return self.model.call(number, caller, code, self.now) if self.states[number] in SERVING else "unknown"

    def _code(self) -> str:
        """Mostly none; often a right one, for this number or another."""
        deal = self._any()
        if deal is None or self.source.random() < 0.6:
            return ""
        return deal.made.code if self.source.random() < 0.9 else "00000000"

    def _guess(self, number: str, caller: str) -> bool:
        """Whether one more wrong code locks nothing: locks have tests of their own."""
        after = {}
        for who, most in ((number, 9), (caller, 5)):
            since, count = self.guesses.get(who, (self.now, 0))
            since, count = (since, count) if since <= self.now < since + 3600 else (self.now, 0)
            if who and count + 1 > most:
                return False
            after[who] = (since, count + 1)
        self.guesses |= after
        return True

    async def bind(self) -> None:
        wanted = self._wanted()
        same = [deal for deal in self.model.deals if wanted.key and deal.wanted.key == wanted.key]
        expected = Wrong.KEY_REUSED if same and same[0].wanted != wanted else None if same else self._refusal(wanted)
        try:
            made = await self.desk.bindings.create(wanted)
        except MaskingRefused as refused:
            self.done[refused.code] += 1
            self._same(refused.code, expected)
            return
        self._same(None, expected)
        if same:
            self.done["same key"] += 1
            self._same(made.id, same[0].made.id)
            return
        self.done[wanted.kind] += 1
        self._allowed(wanted, made)
        self.model.give(Deal(wanted, made, agreed(wanted, made), NEVER if made.ends is None else made.ends))

    def _wanted(self) -> Wanted:
        source, kind = self.source, self.source.choices(tuple(KINDS), tuple(KINDS.values()))[0]
        two, odd = kind in {Kind.PAIR, Kind.CODE}, source.random
        earlier = self._any()
        if earlier is not None and odd() < 0.05:
            return earlier.wanted if odd() < 0.8 else replace(earlier.wanted, longest_call=77)
        patients = [f"party-p{at}" for at in range(PATIENTS)]
        return Wanted(
            owner="walk", kind=kind, doctor=f"party-d{source.randrange(DOCTORS)}",
            patient=source.choice(patients) if two else "",
            members=tuple(source.sample(patients, 2)) if kind == Kind.GROUP else (),
            phones=(f"party-m{source.randrange(PHONES)}",) if kind == Kind.PAIR and odd() < 0.2 else (),
            one_way=kind == Kind.PAIR and odd() < 0.15, with_code=two and odd() < 0.2,
            life=source.choice([60.0, 100.0, 500.0, None]), quarantine=source.choice([5.0, 50.0, 1000.0]),
            patient_number=source.choice(POOL).number if odd() < 0.1 else "",
            key=f"key {source.randrange(20)}" if odd() < 0.1 else "",
        )  # fmt: skip

    def _sides(self, wanted: Wanted) -> list[tuple[Side, tuple[str, ...], str, str]]:
        """Side, who must be free there, whom they reach, and the number if it is fixed."""
        first = {Kind.FIXED: ("*",), Kind.GROUP: wanted.members}.get(wanted.kind, (wanted.patient,))
        found = [(Side.PATIENT, first, wanted.doctor, wanted.patient_number)]
        if wanted.kind in {Kind.PAIR, Kind.CODE}:
            second = (wanted.doctor, *wanted.phones) if wanted.kind == Kind.PAIR else ()
            found.append((Side.DOCTOR, second, wanted.patient, ""))
        return found

    def _refusal(self, wanted: Wanted) -> Wrong | None:
        """What must be said; None where there is room."""
        for side, callers, other, fixed in self._sides(wanted):
            active = [one.number for one in POOL if one.side == side and self.states[one.number] == NumberState.ACTIVE]
            if fixed and fixed not in active:
                return Wrong.NUMBER_UNKNOWN
            choice = [fixed] if fixed else active
            if not any(self._may_give(wanted, number, side, callers, other) for number in choice):
                return Wrong.CONFLICT if fixed else Wrong.NO_CAPACITY
        return None

    def _allowed(self, wanted: Wanted, made: Binding) -> None:
        for side, callers, other, fixed in self._sides(wanted):
            number = made.patient_number if side == Side.PATIENT else made.doctor_number
            self._same((fixed in {"", number}, self.states[number]), (True, NumberState.ACTIVE))
            self._same(self._may_give(wanted, number, side, callers, other), True)

    def _may_give(self, wanted: Wanted, number: str, side: Side, callers: tuple[str, ...], other: str) -> bool:
        if side == Side.DOCTOR and wanted.kind == Kind.CODE and self.model.holder(number, wanted.doctor, self.now):
            return False
        cases = (self.model.case_number(number, caller, self.now) for caller in callers)
        return not any(cases) and self.model.may_give(number, callers, other, self.now)

    async def close(self) -> None:
        if deal := self._any():
            kill = self.source.random() < 0.2
            self._same(await self._ended(self.desk.bindings.close(deal.made.id, "walk", kill=kill)), False)
            self.model.close(deal, self.now)

    async def renew(self) -> None:
        if deal := self._any():
            live = deal.live(self.now)
            self._same(await self._ended(self.desk.bindings.renew(deal.made.id, "walk", 200.0)), not live)
            if live:
                deal.end = self.now + 200

    async def _ended(self, work: Awaitable[Binding]) -> bool:
        try:
            await work
        except MaskingRefused as refused:
            self._same(refused.code, Wrong.ENDED)
            return True
        return False

    async def look(self) -> None:
        """What the owner sees, and what others do."""
        if deal := self._any():
            seen = await self.desk.bindings.get(deal.made.id, "walk")
            self._same((seen.closed, seen.code), (deal.closed, deal.made.code))
            if not deal.closed:
                self._same(NEVER if seen.ends is None else seen.ends, deal.end)
            try:
                await self.desk.bindings.close(deal.made.id, "another")
            except MaskingRefused as refused:
                self._same(refused.code, Wrong.NOT_FOUND)
                return
            self._same("closed by another", "")

    async def state(self) -> None:
        """A number changes its state; most serve."""
        number = self.source.choice(POOL).number
        state = self.source.choice([*NumberState, *[NumberState.ACTIVE] * 12])
        self.states[number] = state
        self._same((await self.desk.numbers.change(number, state)).state, state)

    async def wait(self) -> None:
        """Time goes on; now and then the clock is set back, by less than the shortest rest."""
        self.desk.clock.now += self.source.choice([0.5, 1, 30, 60, 200, 1000, -1])

    async def sweep(self) -> None:
        old = [deal for deal in self.model.deals if self.now >= deal.free_at()]
        self._same(await self.desk.exchange.sweep(), len(old))
        self.model.deals = [deal for deal in self.model.deals if self.now < deal.free_at()]

    async def again(self) -> None:
        self.desk = self.restart()

    def _any(self) -> Deal | None:
        return self.source.choice(self.model.deals) if self.model.deals else None

    def _same(self, told: object, expected: object) -> None:
        if told != expected:
            raise Different(f"the store says {told}, the model {expected}, after {sum(self.done.values())} steps")
