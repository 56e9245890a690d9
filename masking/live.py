"""Calls that a carrier holds for us: what is kept of them, so that they can be cut also after a restart."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A call in progress."""

    call: str
    """Our opaque id."""
    reference: str
    """The carrier's id of it: ending that ends both legs."""
    binding: str
    """Id."""
    facts: str
    """What the carrier's adapter wants to know again: ids and virtual numbers, no real one."""
    until: float
    """When it is over at the latest, seconds since the epoch."""
    answered: float | None = None
    """When both were joined; None: not yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A look at all of them."""

    busy: bool
    """Whether any is in progress."""
    killed: tuple[Live, ...]
    """Those whose binding was ended with its calls."""


class LiveCalls(Protocol):
    """Calls in progress, of all processes."""

    async def begin(self, one: Live) -> None:
        """Keep it, or what is new of it. Raises MaskingUnavailable."""
        ...

    async def answered(self, call: str) -> None:
        """Both are joined now. Raises MaskingUnavailable."""
        ...

    async def cutting(self, call: str) -> None:
        """It is being cut from now on. Raises MaskingUnavailable."""
        ...

    async def over(self, call: str) -> bool:
        """Forget it; whether it was being cut. Raises MaskingUnavailable."""
        ...

    async def look(self) -> Seen:
        """What there is to do. Raises MaskingUnavailable."""
        ...
