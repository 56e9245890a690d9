"""The watcher that really watches: a story for each call, and its moments to everybody who wants them."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from ivr.watch.moments import Moment, Tell
from ivr.watch.story import Story
from ivr.watch.watcher import Fact, Step

log = logging.getLogger(__name__)


class Observer:
    """Turns steps and facts into moments. Whatever goes wrong in here or in a listener is logged, once for each kind
    of failure, and never reaches a call."""

    def __init__(
        self,
        listeners: Sequence[Tell],
        refused: Sequence[Callable[[str], None]] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`listeners` are told every moment, `refused` the reason of every refusal; `clock` in seconds."""
        self._listeners = tuple(listeners)
        self._refused = tuple(refused)
        self._clock = clock
        self._stories: dict[str, Story] = {}
        self._known: set[str] = set()

    def begun(self, call: str) -> None:
        """As in the port."""
        story = self._stories[call] = Story(self._clock())
        self._pass_on(call, story.begin)

    def step(self, call: str, step: Step) -> None:
        """As in the port."""
        if (story := self._stories.get(call)) is not None:
            self._pass_on(call, story.step, step, self._clock())

    def fact(self, call: str, fact: Fact) -> None:
        """As in the port."""
        if (story := self._stories.get(call)) is not None:
            self._pass_on(call, story.fact, fact, self._clock())

    def ended(self, call: str) -> None:
        """As in the port."""
        if (story := self._stories.pop(call, None)) is not None:
            self._pass_on(call, story.end, self._clock())

    def refused(self, reason: str) -> None:
        """As in the port."""
        for listener in self._refused:
            self._guard(listener, reason)

    def _pass_on(self, call: str, tell: Callable[..., list[Moment]], *given: Any) -> None:
        for moment in self._guard(tell, *given) or ():
            for listener in self._listeners:
                self._guard(listener, call, moment)

    def _guard(self, act: Callable[..., Any], *given: Any) -> Any:
        try:
            return act(*given)
        except Exception as error:
            kind = type(error).__name__
            if kind not in self._known:
                self._known.add(kind)
                log.exception("watching failed (%s); calls go on unseen", kind)
        return None
