"""What stops a prompt and how soon: whole calls in memory, with the real ears, over a long prompt."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dialogs.port import Prompt, Turn
from dialogs.scripted import ScriptedDialogue
from ivr.audio.convert import Samples
from ivr.audio.format import FRAME_SECONDS, RATE, frames
from ivr.call.state import State
from ivr.doors import Doors
from ivr.lines.wav import Moment, WavLine
from ivr.session import Session
from masking.memory import MemoryMasking
from records.memory import MemoryCallbacks, MemoryJournal
from records.port import Entry
from routing.agents import Roster
from routing.memory import StaticRouter
from scripts.bench.farm.score import interval
from scripts.bench.turns_ears import Bench
from scripts.bench.turns_noises import KINDS, noise
from scripts.bench.turns_speech import Speakers, on_the_line

ASIDES = ("yeah", "okay", "uh huh", "right", "i see", "yes", "all right", "sure")
TURNS = (
    "stop", "no", "wait a moment", "i have a question", "help me please", "it is my chest", "agent",
    "can you repeat that", "my stomach hurts", "i don't have that", "it started yesterday", "hello", "not today",
    "that is wrong",
)  # fmt: skip
PROMPT_SECONDS = 30.0
EVENTS_A_CALL = 3
LOOK_SECONDS = 2.2
"""After the end of a sound: by then it is clear what it did."""
_NOISES_DB = (40.0, 25.0, 15.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """Something that is heard from the caller."""

    kind: str
    """"aside", "turn", or the noise's kind."""
    name: str
    """The words with the voice, or the noise."""
    samples: Samples
    """From the first sound to the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What it did to the prompt."""

    sound: Sound
    silent: float | None
    """Seconds from onset until the hotline was silent; None where it never was."""
    stopped: bool
    """Whether the prompt was given up."""
    gap: float
    """Seconds for which the prompt was silent because of it, where it went on."""
    noise_db: float
    """Level of the line's noise below the voice, dB."""
    heard: str
    """What the ears made of it."""


class _Steady:
    """A voice that is never silent inside a sentence, so that every silence is a held or stopped one."""

    name = "steady"

    async def speak(self, text: str, *, keep: bool) -> bytes:
        """A second, or the whole long prompt."""
        return b"\x00\x10" * round(RATE * (PROMPT_SECONDS if text == "long" else 0.6))


class _Names:
    """Sentences that are their own names."""

    def text(self, prompt: Prompt, language: str) -> str:
        """The key."""
        return prompt.key

    def fixed(self, language: str) -> tuple[str, ...]:
        """None."""
        return ()


class _Noting(MemoryJournal):
    """Keeps what the ears told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    async def append(self, entry: Entry) -> None:
        """As inside."""
        if entry.kind in ("TurnTaken", "Heard", "NothingHeard", "CommandHeard", "RedFlagRaised"):
            words = entry.data.get("words")
            self.told.append(f"{entry.kind} {words['text'] if isinstance(words, dict) else ''}".strip())
        await super().append(entry)


class Caller:
    """Makes its sounds over the long prompt, one after the other, as long as none stops it."""

    def __init__(self, sounds: Sequence[Sound], noise_db: float, dice: random.Random) -> None:
        self._sounds = list(sounds)
        self.journal = _Noting()
        self._line = list(frames(on_the_line(np.zeros(round(PROMPT_SECONDS * RATE)), noise_db, dice)))
        self._noise_db = noise_db
        self._dice = dice
        self._playing: list[bytes] = []
        self._sound: Sound | None = None
        self._began = self._now = self._say = 0
        self._quiet: list[int] = []
        self.session: Session | None = None
        self.results: list[Result] = []
        self._wait = self._pause()

    def moment(self, heard: bytes | None) -> Moment:
        """20 ms."""
        self._now += 1
        call = self.session.call if self.session is not None else None
        if call is None or (call.state is not State.ASKING and self._sound is None):
            return Moment(pcm=self._line[self._now % len(self._line)])
        if self._sound is None:
            self._say = call.saying
            return self._between()
        if heard is not None and not any(heard):
            self._quiet.append(self._now)
        pcm = self._playing.pop(0) if self._playing else self._line[self._now % len(self._line)]
        length = self._sound.samples.size / RATE
        if self._now >= self._began + (length + LOOK_SECONDS) / FRAME_SECONDS:
            return Moment(pcm=pcm, hang_up=self._judge(call.saying != self._say or call.holding))
        return Moment(pcm=pcm)

    def _between(self) -> Moment:
        self._wait -= 1
        if self._wait > 0:
            return Moment(pcm=self._line[self._now % len(self._line)])
        self._sound = self._sounds.pop(0)
        self._playing = list(frames(on_the_line(self._sound.samples, self._noise_db, self._dice)))
        self._began, self._quiet = self._now, []
        self.journal.told.clear()
        return Moment(pcm=self._playing.pop(0))

    def _judge(self, stopped: bool) -> bool:
        assert self._sound is not None
        silent = (self._quiet[0] - self._began) * FRAME_SECONDS if self._quiet else None
        gap = 0.0 if stopped else len(self._quiet) * FRAME_SECONDS
        told = ", ".join(self.journal.told)
        self.results.append(
            Result(sound=self._sound, silent=silent, stopped=stopped, gap=gap, noise_db=self._noise_db, heard=told)
        )
        self._sound, self._wait = None, self._pause()
        return stopped or not self._sounds

    def _pause(self) -> int:
        return round(self._dice.uniform(0.8, 1.6) / FRAME_SECONDS)


def measure(
    bench: Bench,
    speakers: Speakers,
    *,
    seed: int,
    rounds: int,
    asides: Sequence[str] = ASIDES,
    turns: Sequence[str] = TURNS,
) -> list[Result]:
    """Every sign of listening and every turn by every voice once, and so many rounds of noises."""
    dice = random.Random(seed)
    said = [
        Sound(kind=kind, name=f"{words} / {voice}", samples=speakers.say(voice, words))
        for kind, all_words in (("aside", asides), ("turn", turns))
        for words in all_words
        for voice in speakers.voices
    ]
    noises = [Sound(kind=kind, name=kind, samples=noise(kind, dice)) for kind in KINDS for _ in range(12 * rounds)]
    sounds = said + noises
    dice.shuffle(sounds)
    found: list[Result] = []
    while sounds:
        batch, sounds = sounds[:EVENTS_A_CALL], sounds[EVENTS_A_CALL:]
        results = asyncio.run(_call(bench, batch, dice))
        found += results
        sounds = batch[len(results) :] + sounds if results else sounds
    return found


async def _call(bench: Bench, sounds: Sequence[Sound], dice: random.Random) -> list[Result]:
    caller = Caller(sounds, dice.choice(_NOISES_DB), dice)
    question = bench.question(dice.choice(("open", "yes_no", "duration")))
    line = WavLine(lambda address: None)
    talk = ScriptedDialogue((Turn(say=(Prompt(key="long"),), question=question),))
    doors = Doors(
        line=line,
        sound=line,
        ears=bench.ears(second_look=True),
        voice=_Steady(),
        prompts=_Names(),
        talk=talk,
        keys=talk,
        router=StaticRouter(Roster(agents=(), presence={})),
        masking=MemoryMasking(),
        journal=caller.journal,
        callbacks=MemoryCallbacks(),
        clock=time.time,
    )
    caller.session = Session(doors, "bench", line.ring(caller, None))
    task = asyncio.create_task(caller.session.run())
    await line.run(caller.session.settle, seconds=PROMPT_SECONDS)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return caller.results


def report(results: Sequence[Result]) -> str:
    """The figures as text."""
    lines = []
    for kind in ("turn", "aside", *KINDS):
        some = [one for one in results if one.sound.kind == kind]
        stopped = sum(one.stopped for one in some)
        gaps = sorted(one.gap for one in some if not one.stopped and one.gap)
        held = f", prompt silent p50 {gaps[len(gaps) // 2]:.2f} s (held {len(gaps)})" if gaps else ""
        lines.append(f"{kind:<14} {len(some):4}, stopped {stopped} = {100 * stopped / max(1, len(some)):.1f} %{held}")
    silent = sorted(one.silent * 1000 for one in results if one.sound.kind == "turn" and one.silent is not None)
    picked = [silent[min(len(silent) - 1, int(part * len(silent)))] for part in (0.5, 0.95, 0.99)]
    lines.append("voice onset to silence: p50 {:.0f} ms, p95 {:.0f} ms, p99 {:.0f} ms".format(*picked))
    wrong = [one for one in results if one.stopped != (one.sound.kind == "turn")]
    for one in wrong:
        lines.append(f"  {'' if one.stopped else 'not '}stopped by {one.sound.name}: {one.heard or 'nothing'}")
    others = [one for one in results if one.sound.kind != "turn"]
    stops = sum(one.stopped for one in others)
    rate = 100 * stops / max(1, len(others))
    low, high = (100 * bound for bound in interval(stops, len(others)))
    found = f"{stops} of {len(others)} = {rate:.1f} % ({low:.1f} to {high:.1f})"
    lines.append(f"stops by signs of listening and noises: {found}")
    return "\n".join(lines)


_FIGURES = ("silent", "stopped", "gap", "noise_db", "heard")


def figures(results: Sequence[Result]) -> list[dict[str, Any]]:
    """For JSON."""
    return [
        {"kind": one.sound.kind, "name": one.sound.name, **{name: getattr(one, name) for name in _FIGURES}}
        for one in results
    ]
