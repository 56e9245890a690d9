"""What of a call becomes a mark on its tape; the same for the first time and for every replay."""

from collections.abc import Callable, Mapping
from typing import Any

from ivr.call import commands as do
from ivr.call.state import State
from ivr.plain import plain
from ivr.ports import KeyPressed, LegAnswered, LegGone, LineEvent, PlayEnded

Take = Callable[[str, Mapping[str, Any]], None]
_ORDERS = (do.FindAgent, do.Ring, do.DropAgent, do.Bridge, do.HangUp, do.Finish)


class Marker:
    """Turns what a witness sees into marks: a kind and fields, without what could lead to a person."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._state = State.NEW

    def sensed(self, event: LineEvent) -> None:
        """Keys, ends of sentences, answer and hang-up."""
        match event:
            case LegAnswered():
                self._take("answered", {})
            case KeyPressed():
                self._take("key", {"digit": event.digit})
            case PlayEnded():
                self._take("say_end", {"say": event.play, "complete": event.complete})
            case LegGone():
                self._take("gone", {"cause": event.cause.value})
            case _:
                pass

    def noted(self, kind: str, data: Mapping[str, Any]) -> None:
        """An entry of the journal."""
        self._take(kind, anonymous(data))

    def stepped(self, state: State, commands: tuple[do.Command, ...]) -> None:
        """The path of states, and the orders that a replay needs or is compared by."""
        if state is not self._state:
            self._state = state
            self._take("state", {"state": state.value})
        for command in commands:
            if isinstance(command, _ORDERS):
                self._take("order", {"order": type(command).__name__, **anonymous(plain(command))})


def anonymous(data: Mapping[str, Any]) -> dict[str, Any]:
    """Without the caller's party id and without addresses of agents' phones."""
    return {name: _hidden(value) for name, value in data.items() if name not in ("party", "address")}


def _hidden(value: Any) -> Any:
    if isinstance(value, Mapping):
        return anonymous(value)
    return [_hidden(one) for one in value] if isinstance(value, list | tuple) else value
