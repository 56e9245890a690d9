"""The door of `masking`: real numbers go in once, opaque party ids and neutral caller ids come out."""

from dataclasses import dataclass
from typing import Protocol


class NumberRefused(Exception):
    """The text is not a number that may be kept or dialled. The message never holds the number."""


class MaskingUnavailable(Exception):
    """The vault cannot be read or written. Calls go on; nothing is revealed."""


class PhoneNumber:
    """A real telephone number. It never prints itself: only `reveal` gives the digits."""

    __slots__ = ("_digits",)

    def __init__(self, digits: str) -> None:
        self._digits = digits

    def reveal(self) -> str:
        """The number as text, for dialling and for the vault only."""
        return self._digits

    def __repr__(self) -> str:
        return "PhoneNumber(hidden)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PhoneNumber) and other._digits == self._digits

    def __hash__(self) -> int:
        return hash(self._digits)

    def __reduce__(self) -> str:
        raise TypeError("a PhoneNumber is not serialised")


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A person on the phone, without a number."""

    id: str
    """Opaque, stable for the same number in this installation; "withheld-<random>" where none was shown."""
    reachable: bool
    """Whether the vault holds a number to call back."""


class Masking(Protocol):
    """Turns callers into parties and decides what a called phone may show."""

    async def party(self, caller: PhoneNumber | None) -> Party:
        """The party of a caller's number (None: withheld). Never raises for odd caller ids: they become withheld.
        Raises MaskingUnavailable."""
        ...

    def shown_to_agent(self) -> str:
        """User part of the SIP From that an agent's phone shows: a number or name of ours, never the caller's."""
        ...

    async def reveal(self, party: str, *, reason: str, actor: str) -> PhoneNumber:
        """The real number, with an audit entry written first. Raises KeyError, MaskingUnavailable."""
        ...


class Sealer(Protocol):
    """Envelope encryption that the vault is given: it holds no keys of its own. The context is authenticated."""

    def seal(self, clear: bytes, context: bytes) -> bytes:
        """Encrypted under a random data key of its own, which is wrapped by a master key."""
        ...

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """What `seal` was given. Raises ValueError where bytes or context do not belong together."""
        ...

    def tag(self, clear: bytes, context: bytes) -> bytes:
        """Keyed hash for look-ups: stable in this installation, useless without the key."""
        ...
