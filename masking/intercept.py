"""Owners' hooks before a call: signed questions, bounded in time. What is no clear answer leads to a human."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Protocol

from masking.hooks_sql import Target
from masking.parties import random_id
from masking.port import Decision, Event, Happened, MaskingUnavailable, PreCall
from masking.poster import Poster, PostFailed
from masking.signing import HEADER, sign

log = logging.getLogger(__name__)

SECONDS = 1.5
"""Longest wait for a decision, everything included: a caller hears nothing meanwhile."""
FAILURES = 3
"""Failures in a row after which a hook is not asked for a while."""
REST = 30.0
"""Seconds of that while; its calls go to a human at once instead of after SECONDS."""


class Directory(Protocol):
    """Where hooks are found."""

    async def intercept(self, owner: str) -> Target | None:
        """Whom to ask; None where the owner has no hook. Raises MaskingUnavailable."""
        ...


class Teller(Protocol):
    """Where failures are told."""

    async def tell(self, event: Event) -> None:
        """As Diary.tell. Raises MaskingUnavailable."""
        ...


class HookIntercept:
    """Intercept over the web."""

    def __init__(
        self,
        hooks: Directory,
        poster: Poster,
        diary: Teller,
        *,
        clock: Callable[[], float],
        now: Callable[[], float],
        seconds: float = SECONDS,
    ) -> None:
        """`clock`: seconds since the epoch, for signatures. `now`: seconds that only go forward, for rests."""
        self._hooks = hooks
        self._poster = poster
        self._diary = diary
        self._clock = clock
        self._now = now
        self._seconds = seconds
        self._fails: dict[str, int] = {}
        self._rests: dict[str, float] = {}
        self._telling: set[asyncio.Task[None]] = set()

    async def ask(self, call: PreCall) -> Decision:
        """CONNECT at once where the owner has no hook. Never raises."""
        target: Target | None = None
        try:
            async with asyncio.timeout(self._seconds):
                target = await self._hooks.intercept(call.owner)
                return Decision.CONNECT if target is None else await self._ask(call, target)
        except TimeoutError:
            if target is not None:
                return self._failed(call, target.hook, "timeout")
            log.error("an intercept hook could not be looked up in time")
        except MaskingUnavailable as error:
            log.error("an intercept hook could not be looked up: %s", error)
        return Decision.OPERATOR

    async def close(self) -> None:
        """Wait until all is told."""
        await asyncio.gather(*self._telling, return_exceptions=True)

    async def _ask(self, call: PreCall, target: Target) -> Decision:
        if self._now() < self._rests.get(target.hook, float("-inf")):
            return Decision.OPERATOR
        body = _question(call, self._clock())
        headers = {HEADER: sign(body, target.keys, self._clock())}
        try:
            answer = await self._poster.post(target.url, body, headers, seconds=self._seconds, read=True)
        except PostFailed as failed:
            return self._failed(call, target.hook, failed.code)
        decision = _decision(answer.body) if answer.status == 200 else None
        if decision is None:
            return self._failed(call, target.hook, "bad_answer" if answer.status == 200 else str(answer.status))
        self._fails.pop(target.hook, None)
        return decision

    def _failed(self, call: PreCall, hook: str, why: str) -> Decision:
        fails = self._fails.get(hook, 0) + 1
        self._fails[hook] = fails
        if fails >= FAILURES:
            self._rests[hook] = self._now() + REST
        log.warning("the intercept hook %s failed: %s", hook, why)
        event = Event(
            kind=Happened.INTERCEPT_FAILED,
            owner=call.owner,
            binding=call.binding,
            at=self._clock(),
            data={"call": call.call, "hook": hook, "why": why},
        )
        # In the background: a caller waits for the decision, not for the diary.
        task = asyncio.get_running_loop().create_task(self._tell(event))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)
        return Decision.OPERATOR

    async def _tell(self, event: Event) -> None:
        try:
            await self._diary.tell(event)
        except MaskingUnavailable as error:
            log.error("a failed intercept could not be told: %s", error)


def _question(call: PreCall, at: float) -> bytes:
    """The facts of the call. Each question has an id of its own: a recorded one cannot be asked again."""
    told = {
        "id": random_id("ask"),
        "kind": "call.intercept",
        "at": at,
        "call": call.call,
        "binding": call.binding,
        "caller": call.caller,
        "callee": call.callee,
        "by_code": call.by_code,
    }
    return json.dumps(told, separators=(",", ":")).encode()


def _decision(body: bytes) -> Decision | None:
    """None for everything but {"decision": "connect" | "operator" | "refuse"}."""
    try:
        said = json.loads(body)
        return Decision(said["decision"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
