"""What the call engine tells its observers, and the two dull ones: nobody, and a notebook.

A watcher is told on the event loop's thread, returns at once and never raises.
"""

from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from ivr.call.commands import Command
from ivr.call.events import Event
from ivr.call.state import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the call machine."""

    before: Call
    """The call until now."""
    event: Event
    """What happened."""
    after: Call
    """The call from now on."""
    commands: tuple[Command, ...]
    """What is to be done about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listened:
    """The recogniser has given an utterance's final words, which follow as an event."""

    silence: float
    """Seconds of audio between the caller's last sound and the decision that the utterance was over."""
    delay: float
    """Seconds from that decision to the final words, audio that still waited included."""
    lost: int
    """Frames of 20 ms lost in this call so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """Sound was given to the line for the caller."""

    say: int
    """Number of the Say."""
    lead: float
    """Seconds of silence that it begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Caller and agent hear each other."""

    slot: str
    """Agent leg."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLost:
    """An entry of the journal could not be written in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """The call is one between two people through a virtual number, which the triage takes no part in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedEnded:
    """Such a call is over, or its caller goes on with the triage."""

    end: str
    """Why, as in its records."""


Fact: TypeAlias = Listened | Played | Joined | JournalLost | Masked | MaskedEnded


class Watcher(Protocol):
    """An observer of calls."""

    def begun(self, call: str) -> None:
        """A call was taken."""
        ...

    def step(self, call: str, step: Step) -> None:
        """The machine made a step."""
        ...

    def fact(self, call: str, fact: Fact) -> None:
        """Something happened that the machine does not see."""
        ...

    def ended(self, call: str) -> None:
        """The call is over, however it ended."""
        ...

    def refused(self, reason: str) -> None:
        """A call was not taken."""
        ...


class Nobody:
    """Watches nothing."""

    def begun(self, call: str) -> None:
        """As in the port."""

    def step(self, call: str, step: Step) -> None:
        """As in the port."""

    def fact(self, call: str, fact: Fact) -> None:
        """As in the port."""

    def ended(self, call: str) -> None:
        """As in the port."""

    def refused(self, reason: str) -> None:
        """As in the port."""


@dataclass(slots=True)
class Notebook:
    """Writes down what it is told, in order; for tests."""

    told: list[tuple[str, Step | Fact | str]] = field(default_factory=list)
    """Call and what was told of it; "begun", "ended" and reasons of refusals as words."""

    def begun(self, call: str) -> None:
        """As in the port."""
        self.told.append((call, "begun"))

    def step(self, call: str, step: Step) -> None:
        """As in the port."""
        self.told.append((call, step))

    def fact(self, call: str, fact: Fact) -> None:
        """As in the port."""
        self.told.append((call, fact))

    def ended(self, call: str) -> None:
        """As in the port."""
        self.told.append((call, "ended"))

    def refused(self, reason: str) -> None:
        """As in the port."""
        self.told.append(("", reason))
