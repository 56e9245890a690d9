"""Masking in memory: the dull second implementation, for tests."""

from dataclasses import dataclass, field

from masking.parties import random_id, withheld
from masking.port import Party, PhoneNumber


@dataclass(slots=True, kw_only=True)
class MemoryMasking:
    """Forgets everything when the process ends."""

    shown: str = "triage"
    """User part that agents' phones show."""
    revealed: list[tuple[str, str, str]] = field(default_factory=list)
    """The audit: party, actor and reason, oldest first."""
    _parties: dict[PhoneNumber, Party] = field(default_factory=dict)

    async def party(self, caller: PhoneNumber | None) -> Party:
        """The party of a caller's number."""
        if caller is None:
            return withheld()
        return self._parties.setdefault(caller, Party(id=random_id("party"), reachable=True))

    def shown_to_agent(self) -> str:
        """User part of the SIP From that an agent's phone shows."""
        return self.shown

    async def reveal(self, party: str, *, reason: str, actor: str) -> PhoneNumber:
        """The real number. Raises KeyError, and ValueError without a reason or an actor."""
        if not reason.strip() or not actor.strip():
            raise ValueError("a number is revealed to somebody for a reason")
        number = next((number for number, known in self._parties.items() if known.id == party), None)
        if number is None:
            raise KeyError("no such party, or its number was withheld")
        self.revealed.append((party, actor, reason))
        return number
