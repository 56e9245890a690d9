"""Runs one tape through the hotline of today, in memory and without sleeping."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dialogs.port import Dialogue, Prompts
from ivr.audio.format import FRAME_SECONDS
from ivr.call.commands import Command
from ivr.call.state import State
from ivr.doors import Doors
from ivr.hearing import Ears
from ivr.lines.wav import WavLine
from ivr.ports import LineEvent, Voice
from ivr.replay.acts import script
from ivr.replay.agents import Phones, SameRouter, habits
from ivr.replay.caller import MORE_FRAMES, Caller
from ivr.replay.compare import LATE_SECONDS, Verdict, compare
from ivr.replay.story import story
from ivr.replay.tape import Mark, Tape, TapeError
from ivr.session import Session
from ivr.witness import Witness
from masking.port import Party, PhoneNumber
from records.port import Callback, CallLine, Entry

END_SECONDS = 10.0
"""Wall time for what a call still writes once every leg is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The hotline of today, as far as a replay uses it."""

    ears: Ears | None
    """Recogniser and safety net."""
    voice: Voice
    """Gives sentences their length; one that always gives the same keeps replays equal."""
    prompts: Prompts
    """Sentences."""
    talk: Dialogue
    """The conversation."""
    keys: Dialogue
    """The keypad menu."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """The others in a call."""

    phones: Phones
    """Agents' phones."""
    router: SameRouter
    """Who is rung."""


async def replay(tape: Tape, parts: Parts, call: str, *, late: float = LATE_SECONDS) -> Verdict:
    """Run a tape under a fresh call id and say what is different. Raises TapeError."""
    try:
        before, caller = story(tape.marks), Caller(script(tape))
        company = Company(phones=Phones(habits(tape.marks)), router=SameRouter(tape.marks))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TapeError("the recording's events are not of a kind that this version can read") from error
    await perform(caller, parts, tape, call, company)
    unsaid = tuple(dict.fromkeys(act.point.key for act in caller.unplayed))
    return compare(before, story(tuple(caller.marks)), unsaid=unsaid, overlong=caller.overlong, late=late)


async def perform(
    caller: Caller, parts: Parts, tape: Tape, call: str, company: Company, also: Witness | None = None
) -> None:
    """Let a caller live through a call; `also` watches beside it."""
    line = WavLine(company.phones)
    doors = Doors(
        line=line,
        sound=line,
        ears=parts.ears,
        voice=parts.voice,
        prompts=parts.prompts,
        talk=parts.talk,
        keys=parts.keys,
        router=company.router,
        masking=_Nameless(_reachable(tape.marks)),
        journal=_NoJournal(),
        callbacks=_NoCallbacks(),
        clock=lambda: 0.0,
        witness=lambda call, language: _Both(caller, also) if also else caller,
        language=tape.language,
    )
    session = Session(doors, call, line.ring(caller, None))
    seconds = (tape.frames + 2 * MORE_FRAMES) * FRAME_SECONDS
    await live(line, session, session.settle, seconds=seconds)


async def live(
    line: WavLine, session: Session, settle: Callable[[], Awaitable[None]], *, seconds: float
) -> bool:
    """A session on the line in memory, to its end or for so many seconds of audio; whether it ended."""
    task = asyncio.create_task(session.run())
    over = await line.run(settle, seconds=seconds)
    if over:
        async with asyncio.timeout(END_SECONDS):
            await task
    else:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return over


def _reachable(marks: tuple[Mark, ...]) -> bool:
    return any(mark.kind == "CallArrived" and mark.data.get("reachable") for mark in marks)


class _Both:
    """Two witnesses of one call."""

    def __init__(self, *witnesses: Witness) -> None:
        self._witnesses = witnesses

    def sensed(self, event: LineEvent) -> None:
        """To both."""
        for one in self._witnesses:
            one.sensed(event)

    def noted(self, kind: str, data: Mapping[str, Any]) -> None:
        """To both."""
        for one in self._witnesses:
            one.noted(kind, data)

    def stepped(self, state: State, commands: tuple[Command, ...]) -> None:
        """To both."""
        for one in self._witnesses:
            one.stepped(state, commands)

    def over(self) -> None:
        """To both."""
        for one in self._witnesses:
            one.over()


class _Nameless:
    """Masking without numbers."""

    def __init__(self, reachable: bool) -> None:
        self._reachable = reachable

    async def party(self, caller: PhoneNumber | None) -> Party:
        """As reachable as the caller was."""
        return Party(id="replayed", reachable=self._reachable)

    def shown_to_agent(self) -> str:
        """Nothing is dialled."""
        return "replay"

    async def reveal(self, party: str, *, reason: str, actor: str) -> PhoneNumber:
        """There is none. Raises KeyError."""
        raise KeyError("a replay knows no number")


class _NoJournal:
    """The witness keeps what a replay needs."""

    async def append(self, entry: Entry) -> None:
        """Not kept."""

    async def read(self, call: str) -> tuple[Entry, ...]:
        """Nothing. Raises KeyError."""
        raise KeyError("a replay writes no journal")

    async def close_call(self, call: str, at: float, outcome: str) -> None:
        """Not kept."""

    async def list(self, limit: int = 50) -> tuple[CallLine, ...]:
        """Nothing."""
        return ()


class _NoCallbacks:
    """Promises of a replay are forgotten."""

    async def promise(self, callback: Callback) -> None:
        """Not kept."""

    async def open(self) -> tuple[Callback, ...]:
        """Nothing."""
        return ()

    async def done(self, id: str) -> None:
        """Nothing."""
