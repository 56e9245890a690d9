"""The reference model of bindings: about sixty lines that keep no table, no route and no sum, only what was agreed.

It answers by going through all that was ever agreed. It does not choose numbers: it is told which ones were given, and
says whether that was allowed.
"""

from dataclasses import dataclass, field

from masking.port import Binding, Kind, Wanted

Key = tuple[str, str]
"""Number, and who dials it: a party, "*" for everybody, or a code."""


def agreed(wanted: Wanted, made: Binding) -> dict[Key, str]:
    """Who is reached; "" where a direction is closed."""
    mine, theirs = made.patient_number, made.doctor_number
    if wanted.kind == Kind.FIXED:
        return {(mine, "*"): wanted.doctor}
    if wanted.kind == Kind.GROUP:
        return {(mine, one): wanted.doctor for one in wanted.members}
    found = {(mine, wanted.patient): wanted.doctor}
    if wanted.kind == Kind.PAIR:
        back = "" if wanted.one_way else wanted.patient
        found |= {(theirs, one): back for one in (wanted.doctor, *wanted.phones)}
    if made.code:
        found |= {(mine, made.code): wanted.doctor}
        found |= {} if wanted.one_way else {(theirs, made.code): wanted.patient}
    return found


@dataclass(slots=True)
class Deal:
    """One binding, as agreed."""

    wanted: Wanted
    made: Binding
    keys: dict[Key, str]
    end: float
    closed: bool = False
    free: float = 0.0
    lost: set[Key] = field(default_factory=set)

    def live(self, now: float) -> bool:
        return not self.closed and now < self.end

    def free_at(self) -> float:
        return self.free if self.closed else self.end + self.wanted.quarantine


@dataclass(slots=True)
class Model:
    """All deals."""

    deals: list[Deal] = field(default_factory=list)

    def holder(self, number: str, caller: str, now: float) -> Deal | None:
        """Who holds a number for a caller, live or resting; a later one of the same two replaces an earlier."""
        key = (number, caller)
        held = [deal for deal in self.deals if key in deal.keys and key not in deal.lost and now < deal.free_at()]
        assert len(held) <= 1, "one caller on one number held by two deals"
        return held[0] if held else None

    def may_give(self, number: str, callers: tuple[str, ...], other: str, now: float) -> bool:
        held = [self.holder(number, caller, now) for caller in callers]
        return all(deal is None or (not deal.live(now) and other in _both(deal)) for deal in held)

    def case_number(self, number: str, doctor: str, now: float) -> bool:
        """Whether calls of this doctor's case codes come from it: dialled back, it must reach nobody else."""
        cases = [deal for deal in self.deals if deal.wanted.kind == Kind.CODE and now < deal.free_at()]
        return any((deal.made.doctor_number, deal.wanted.doctor) == (number, doctor) for deal in cases)

    def give(self, deal: Deal) -> None:
        for earlier in self.deals:
            earlier.lost |= deal.keys.keys() & earlier.keys.keys()
        self.deals.append(deal)

    def close(self, deal: Deal, now: float) -> None:
        if not deal.closed:
            deal.free = now + deal.wanted.quarantine if deal.live(now) else deal.free_at()
            deal.closed = True

    def call(self, number: str, caller: str, code: str, now: float) -> str:
        """Who is reached, or "expired", "refused", "ask_code", "unknown"."""
        direct, anyone = (self.holder(number, who, now) if caller else None for who in (caller, "*"))
        by_code = self.holder(number, code, now) if code else None
        asks = any(deal.live(now) and (number, deal.made.code) in deal.keys for deal in self.deals)
        if direct and direct.live(now):
            return _reached(direct, number, caller, caller)
        if code and (asks or by_code):
            if by_code is None:
                return "ask_code"
            return _reached(by_code, number, code, caller) if by_code.live(now) else "expired"
        if direct:
            return "expired"
        if anyone:
            return _reached(anyone, number, "*", caller) if anyone.live(now) else "expired"
        return "ask_code" if asks else "unknown"


def _both(deal: Deal) -> set[str]:
    return {deal.wanted.patient, deal.wanted.doctor}


def _reached(deal: Deal, number: str, who: str, caller: str) -> str:
    reached = deal.keys[number, who]
    return reached if reached not in {"", caller} else "refused"
