"""What masked calls use beside the doors of every call, and what stands in where a part is not there yet."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from masking.port import (
    Admission,
    Bindings,
    Decision,
    Diary,
    Exchange,
    Intercept,
    Limits,
    LineLegs,
    PhoneNumber,
    PreCall,
    VirtualNumber,
    Wishes,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedDoors:
    """Everything that masked calls may use; made once by bootstrap."""

    exchange: Exchange
    """What a call leads to."""
    bindings: Bindings
    """Asked whether a binding was killed."""
    number: Callable[[str], Awaitable[PhoneNumber]]
    """The real number of a party, audited, for dialling now. Raises KeyError, NumberRefused, MaskingUnavailable."""
    address: Callable[[PhoneNumber], str | None]
    """SIP address under which a number is called; None where there is no way out."""
    ours: "OurNumbers"
    """Which numbers are virtual ones."""
    diary: Diary | None = None
    """Events and records; None in tests."""
    legs: LineLegs | None = None
    """What calls would leave behind if this process died; None in tests."""
    intercept: Intercept | None = None
    """Owners' hooks; None where no owner has any."""
    limits: Limits | None = None
    """Abuse limits; None: none."""
    wishes: Wishes | None = None
    """Click-to-calls."""
    ring_seconds: float = 40.0
    """How long a phone rings; most voicemails answer before."""

    async def ask_hook(self, call: PreCall) -> Decision:
        """What the owner's hook says."""
        return await self.intercept.ask(call) if self.intercept else Decision.CONNECT

    async def admit(self, number: str, caller: str, source: str, *, known: bool) -> Admission:
        """Whether the limits let it go on."""
        if self.limits is None:
            return Admission.ADMITTED
        return await self.limits.admit(number, caller, source, known=known)


class OurNumbers:
    """Our virtual numbers, in memory: a call to one must not wait until it is known to be one."""

    def __init__(self, plain: Callable[[str], str | None], hotline: tuple[str, ...] = ()) -> None:
        """`plain`: a number in the form that is stored, as carriers write it; None for what is none. `hotline`: the
        hotline's own numbers, which lead to the hotline whatever the list of virtual numbers says."""
        self._plain = plain
        self._hotline = frozenset(number for text in hotline if (number := plain(text)))
        self._known: dict[str, VirtualNumber] = {}

    def learn(self, numbers: tuple[VirtualNumber, ...]) -> None:
        """All there are, in whatever state: nobody who dials one may land elsewhere. But no caller in danger may land
        here who dials the hotline, so its numbers count for more."""
        self._known = {one.number: one for one in numbers if one.number not in self._hotline}

    def find(self, dialled: str) -> VirtualNumber | None:
        """The number, as a carrier wrote it; None where it is none of ours."""
        number = self._plain(dialled) if self._known else None
        return self._known.get(number) if number else None
