"""Runs one whole call in memory, and keeps what came of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ivr.audio.format import FRAME_SECONDS
from ivr.call.state import State
from ivr.lines.wav import WavLine
from ivr.replay.run import live
from ivr.session import Session
from masking.port import PhoneNumber
from records.port import Callback, Entry, Journal
from tests.calls.people import Caller, NursePhone
from tests.calls.world import World, make_doors, rehearse

CALL = "bcdfghjkmnpqrs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What came of a call."""

    over: bool
    """Whether every leg is gone."""
    entries: tuple[Entry, ...]
    outcome: str
    caller: Caller
    world: World
    shown: tuple[str, ...]
    """What agents' phones showed."""
    session: Session
    promises: tuple[Callback, ...]
    seconds: float
    """Wall time."""

    @property
    def kinds(self) -> list[str]:
        """Journalled events in order."""
        return [one.kind for one in self.entries]

    @property
    def said(self) -> list[str]:
        """Keys of the sentences given to the caller, in order."""
        return [key for one in self.entries if one.kind == "Said" for key in _texts(one.data["keys"])]

    @property
    def briefed(self) -> list[str]:
        """What was whispered."""
        return [str(one.data["text"]) for one in self.entries if one.kind == "Briefed"]

    @property
    def bridged(self) -> bool:
        """Whether caller and agent really heard each other."""
        return self.caller.heard_nurse and any(phone.heard_caller for phone in self.world.phones)

    def dead_air(self, *states: State) -> float:
        """Longest silence of the hotline in seconds in these states, while the caller was silent as well."""
        longest = run = 0
        for one in self.caller.frames:
            run = run + 1 if one.state in states and not one.heard and not one.speaking else 0
            longest = max(longest, run)
        return longest * FRAME_SECONDS


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value]


def hold(world: World, *, seconds: float = 240.0) -> Held:
    """Run one call to its end, or for so many seconds of audio."""
    rehearse(world)
    return asyncio.run(converse(world, seconds=seconds))


async def converse(world: World, *, seconds: float = 240.0) -> Held:
    """`hold` inside a running loop."""
    began = time.monotonic()
    caller, sessions = Caller(world.acts, world.answers), list[Session]()

    def look() -> State:
        return sessions[0].call.state

    line = WavLine(_phones(world, look))
    arrival = line.ring(caller, PhoneNumber(world.number) if world.number else None)
    session = Session(make_doors(world, line), CALL, arrival)
    sessions.append(session)
    caller.look = look
    caller.asked = lambda: question.id if (question := session.call.question) else ""
    over = await live(line, session, _settling(world, session), seconds=seconds)
    entries, outcome = await _journal(world.journal)
    return Held(
        over=over,
        entries=entries,
        outcome=outcome,
        caller=caller,
        world=world,
        shown=tuple(line.shown),
        session=session,
        promises=await world.callbacks.open(),
        seconds=time.monotonic() - began,
    )


def _phones(world: World, look: Callable[[], State]) -> Callable[[str], NursePhone | None]:
    counts = dict.fromkeys(world.nurses, 0)

    def phone(address: str) -> NursePhone | None:
        name = address.removeprefix("sip:").partition("@")[0]
        habits = world.nurses[name]
        habit = habits[min(counts[name], len(habits) - 1)]
        counts[name] += 1
        world.rung.append(name)
        if not habit.reachable:
            return None
        world.phones.append(NursePhone(habit, look))
        return world.phones[-1]

    return phone


def _settling(world: World, session: Session) -> Callable[[], Awaitable[None]]:
    async def settle() -> None:
        world.meanwhile(session)
        if world.patience is None:
            await session.settle()
            return
        try:
            async with asyncio.timeout(world.patience):
                await session.settle()
        except TimeoutError:
            return  # something hangs: the call's time goes on without it

    return settle


async def _journal(journal: Journal) -> tuple[tuple[Entry, ...], str]:
    try:
        lines = await journal.list(1)
        return await journal.read(CALL), lines[0].outcome
    except (KeyError, IndexError):
        return (), ""
