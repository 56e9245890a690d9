"""Who watches one call without taking part in it: a recorder for test, or the caller of a replay.

A witness returns at once and never raises into the call.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

from ivr.call.commands import Command
from ivr.call.state import State
from ivr.ports import LineEvent


class Witness(Protocol):
    """Sees what the session of one call sees and does."""

    def sensed(self, event: LineEvent) -> None:
        """Something happened on the caller's leg."""
        ...

    def noted(self, kind: str, data: Mapping[str, Any]) -> None:
        """An entry of the journal, whether or not the journal took it. Sentences are noted just before they sound."""
        ...

    def stepped(self, state: State, commands: tuple[Command, ...]) -> None:
        """The machine took a step: where the call is now, and what is to be done."""
        ...

    def over(self) -> None:
        """The session has ended, however it ended."""
        ...


Witnesses: TypeAlias = Callable[[str, str], Witness]
"""A witness for the call with this id, in this language."""


class Nobody:
    """Sees nothing."""

    def sensed(self, event: LineEvent) -> None:
        """Nothing."""

    def noted(self, kind: str, data: Mapping[str, Any]) -> None:
        """Nothing."""

    def stepped(self, state: State, commands: tuple[Command, ...]) -> None:
        """Nothing."""

    def over(self) -> None:
        """Nothing."""
