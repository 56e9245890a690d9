"""The reference model of bindings: about sixty lines that keep no table, no route and no sum, only what was agreed.

It answers by going through all that was ever agreed. It does not choose numbers: it is told which ones were given, and
says whether that was allowed.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Deal:
    """One pair, as agreed."""

    name: str
    patient: str
    doctor: str
    patient_number: str
    doctor_number: str
    end: float
    rest: float
    closed: bool = False
    free: float = 0.0
    lost: set[str] = field(default_factory=set)

    def held_keys(self) -> set[tuple[str, str]]:
        return {(self.patient_number, self.patient), (self.doctor_number, self.doctor)}

    def live(self, now: float) -> bool:
        return not self.closed and now < self.end

    def free_at(self) -> float:
        return self.free if self.closed else self.end + self.rest


@dataclass(slots=True)
class Model:
    """All deals."""

    deals: list[Deal] = field(default_factory=list)

    def holders(self, number: str, caller: str, now: float) -> list[Deal]:
        """Deals that hold a number for a caller, live or resting; a later one of the same two replaces an earlier."""
        return [
            deal
            for deal in self.deals
            if (number, caller) in deal.held_keys() and now < deal.free_at() and number not in deal.lost
        ]

    def may_give(self, number: str, caller: str, other: str, now: float) -> bool:
        return all(
            not deal.live(now) and other in {deal.patient, deal.doctor} for deal in self.holders(number, caller, now)
        )

    def give(self, deal: Deal) -> None:
        for earlier in self.deals:
            earlier.lost |= {number for number, _ in deal.held_keys() & earlier.held_keys()}
        self.deals.append(deal)

    def close(self, deal: Deal, now: float) -> None:
        if not deal.closed:
            deal.free = now + deal.rest if deal.live(now) else deal.free_at()
            deal.closed = True

    def call(self, number: str, caller: str, now: float) -> str:
        """Who is reached: a party id, "expired" or "unknown"."""
        held = self.holders(number, caller, now)
        assert len(held) <= 1, "one caller on one number held by two deals"
        if not held:
            return "unknown"
        (deal,) = held
        if not deal.live(now):
            return "expired"
        return deal.doctor if caller == deal.patient else deal.patient
