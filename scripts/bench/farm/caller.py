"""One simulated call: hears by loudness when the hotline has finished, looks into its record for what it asked, and
answers. What it measures is taken from the sound on its own line."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from ivr.audio import tones
from ivr.audio.convert import mix_noise
from ivr.lines.sip import SipLine
from ivr.ports import AudioHeard, LegAnswered, LegGone, LineEvent, PlayEnded
from scripts.bench.farm.plan import CALLERS, Case
from scripts.bench.farm.sound import SECONDS_A_BYTE, Mouths, loud

QUIET_SECONDS = 0.7
"""After so much silence the hotline has finished; longer than the pauses between its sentences."""
PATIENCE_SECONDS = 180.0
"""Longer than a call that is not understood, led through the keypad menu and put through to an agent."""
BARGE_AFTER_SECONDS = 0.7
ROOM_SECONDS = 20.0
SPEECH_DBFS = -20.0
_ROOM = 0

Asked = Callable[[], Awaitable[str]]
"""Name of the sentence that the hotline said last, from its record."""


@dataclass(slots=True)
class Utterance:
    """Something the caller said; times are monotonic seconds."""

    text: str
    start: float
    end: float = 0.0
    answered: float = 0.0
    """When the hotline's next sound began; 0 for never."""
    barge: bool = False
    """Spoken over the hotline."""
    silent_after: float = 0.0
    """For one spoken over the hotline: when the hotline's sound ended; 0 where it went on."""


@dataclass(slots=True)
class Measured:
    """What came of a call."""

    case: int
    record: str = ""
    """Id of the hotline's record."""
    cause: str = ""
    utterances: list[Utterance] = field(default_factory=list)
    clock: float = 0.0
    """Wall clock less monotonic clock."""

    def as_json(self) -> dict[str, Any]:
        """For another process."""
        return asdict(self)


class Caller:
    """Lives through one call."""

    def __init__(self, case: Case, line: SipLine, mouths: Mouths, asked: Asked) -> None:
        self._case = case
        self._line = line
        self._mouths = mouths
        self._asked = asked
        self._events: asyncio.Queue[tuple[float, LineEvent]] = asyncio.Queue()
        self._leg = ""
        self._plays = 0
        self._talking = False
        self._onset = self._last = 0.0
        self._run = 0
        self._turn_open = False
        self._questions = 0
        self._put: set[str] = set()
        self._room = tones.pink_noise(ROOM_SECONDS, SPEECH_DBFS - case.noise) if case.noise is not None else b""
        self.measured = Measured(case=case.id, clock=time.time() - time.monotonic())

    def sink(self, event: LineEvent) -> None:
        """From the line."""
        self._events.put_nowait((time.monotonic(), event))

    async def live(self, leg: str) -> Measured:
        """Until the call is over, or patience is."""
        self._leg = leg
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not self.measured.cause:
                    await self._take(*await self._events.get())
        except TimeoutError:
            self.measured.cause = "gave up"
            await self._line.hang_up(leg)
        return self.measured

    async def _take(self, at: float, event: LineEvent) -> None:
        match event:
            case LegAnswered() if self._room:
                self._line.play(self._leg, _ROOM, self._room)
            case LegGone():
                self.measured.cause = event.cause.value
            case PlayEnded() if event.play == self._plays and event.complete:
                self._talking = False
                self.measured.utterances[-1].end = at
                if self._room:
                    self._line.play(self._leg, _ROOM, self._room)
            case PlayEnded() if event.play == _ROOM and event.complete and not self._talking:
                self._line.play(self._leg, _ROOM, self._room)
            case AudioHeard():
                await self._hear(at, event.pcm)

    async def _hear(self, at: float, pcm: bytes) -> None:
        self._run = self._run + 1 if loud(pcm) else 0
        if self._run:
            self._last = at
            if self._run == 2:
                self._sound(at - 0.02)
            if self._may_barge(at):
                await self._speak("sorry i mean no", barge=True)
        elif not self._talking and self._turn_open and at - self._last >= QUIET_SECONDS:
            await self._react()
        self._watch_barge(at)

    def _sound(self, at: float) -> None:
        """The hotline begins to sound."""
        if not self._turn_open:
            self._turn_open, self._onset = True, at
            # Also over the caller's own words, as a danger is answered: then there is no gap.
            if self.measured.utterances and not self.measured.utterances[-1].answered:
                self.measured.utterances[-1].answered = at

    def _may_barge(self, at: float) -> bool:
        return (
            self._case.barge and self._questions == 1 and not self._talking and at - self._onset >= BARGE_AFTER_SECONDS
            and not any(one.barge for one in self.measured.utterances)
        )  # fmt: skip

    def _watch_barge(self, at: float) -> None:
        last = self.measured.utterances[-1] if self.measured.utterances else None
        if last and last.barge and not last.silent_after and at - self._last >= 0.2:
            last.silent_after = max(self._last, last.start)
            self._turn_open = False

    async def _react(self) -> None:
        """The hotline has finished: answer, if it asked anything."""
        self._turn_open = False
        key = await self._asked()
        text = self._answer(key)
        if keys := self._keys(key):
            self._line.send_keys(self._leg, keys)
        elif text:
            await self._speak(text)
        elif self.measured.utterances:
            self._turn_open = False

    def _keys(self, key: str) -> str:
        """What is pressed instead of said: in the menu, and for a number asked for the second time."""
        again = key in self._put
        self._put.add(key)
        if key.startswith("menu.") or again:
            return str(CALLERS[self._case.scenario].get("keys", {}).get(key, ""))
        return ""

    def _answer(self, key: str) -> str:
        person = CALLERS[self._case.scenario]
        if key == "ask.complaint":
            return self._case.words
        if key.startswith("ask."):
            self._questions += 1
            return str(person.get("answers", {}).get(key, person["otherwise"]))
        return ""

    async def _speak(self, text: str, *, barge: bool = False) -> None:
        pcm = await self._mouths.speak(self._case.voice, self._case.rate, text)
        if self._case.noise is not None:
            pcm = mix_noise(pcm, self._room, self._case.noise)
        self._plays += 1
        self._talking = True
        now = time.monotonic()
        self.measured.utterances.append(
            Utterance(text=text, start=now, end=now + len(pcm) * SECONDS_A_BYTE, barge=barge)
        )
        self._line.play(self._leg, self._plays, pcm)
