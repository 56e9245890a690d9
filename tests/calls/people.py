"""Those who take part in a call: a patient who follows a script, and agents' phones with their habits.

Time is the audio itself, so a call of a minute takes a fraction of a second and comes out the same every time.
"""

import asyncio
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ivr.audio.format import FRAME_BYTES, frame_count, frames
from ivr.call.state import State
from ivr.lines.wav import SILENCE, Moment
from ivr.ports import Voice
from ivr.voices.espeak import EspeakVoice
from ivr.voices.flite import FliteVoice

CALM_SECONDS = 0.6
"""Silence of the hotline after which a person begins to speak."""
NURSE_SOUND = b"\x07\x00" * (FRAME_BYTES // 2)
CALLER_SOUND = b"\x05\x00" * (FRAME_BYTES // 2)


@functools.lru_cache(maxsize=256)
def speech(text: str, voice: str = "espeak") -> bytes:
    """A sentence as telephone audio in whole frames, rendered once a session."""
    speaker: Voice = EspeakVoice() if voice == "espeak" else FliteVoice(voice)
    return b"".join(frames(asyncio.run(speaker.speak(text, keep=False))))


When = Callable[["Caller"], bool]


def calm(seconds: float = CALM_SECONDS) -> When:
    """The hotline has spoken since the last act, and has been quiet for so long."""
    return lambda caller: caller.voiced > 0 and caller.quiet >= frame_count(seconds)


CALM: When = calm()


def talking(seconds: float = 0.4) -> When:
    """The hotline has been speaking for so long since the last act: to interrupt it."""
    return lambda caller: caller.voiced >= frame_count(seconds)


def during(state: State, seconds: float = 0.0) -> When:
    """The call has been in this state for so long."""
    return lambda caller: caller.state is state and caller.in_state >= frame_count(seconds)


def after(seconds: float) -> When:
    """So long after the last act, whatever happens."""
    return lambda caller: caller.waited >= frame_count(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that a caller does, as soon as `when` holds."""

    words: str = ""
    """Spoken, and what scripted ears hear."""
    noise: str = ""
    """Spoken, but no words are heard in it."""
    keys: str = ""
    """Pressed."""
    hang_up: bool = False
    """Hangs up."""
    fails: Literal["", "stream", "feed", "finish"] = ""
    """Where scripted ears fail at this utterance."""
    voice: str = "espeak"
    """Who speaks."""
    when: When = CALM
    """The moment."""

    @property
    def audio(self) -> bytes:
        """What is said aloud."""
        return speech(self.words or self.noise, self.voice) if self.words or self.noise else b""


def says(words: str, when: When | None = None, **more: Any) -> Act:
    """Speak once the hotline is quiet, or at another moment."""
    return Act(words=words, when=when or CALM, **more)


def presses(keys: str, when: When | None = None) -> Act:
    """Press keys."""
    return Act(keys=keys, when=when or CALM)


def hangs_up(when: When | None = None) -> Act:
    """Hang up."""
    return Act(hang_up=True, when=when or CALM)


@dataclass(slots=True, kw_only=True)
class Frame:
    """What 20 ms of the call were."""

    state: State
    heard: bool
    speaking: bool


class Caller:
    """A patient: acts when it is time to, in order, and remembers what was heard when."""

    def __init__(self, acts: tuple[Act, ...], answers: Mapping[str, str] | None = None, voice: str = "slt") -> None:
        """`answers` by question, with one for "otherwise": given when the acts are done."""
        self._acts = list(acts)
        self._answers = answers
        self._voice = voice
        self.asked: Callable[[], str] = lambda: ""
        self._audio: list[bytes] = []
        self.state = State.NEW
        self.look: Callable[[], State] = lambda: State.NEW
        self.voiced = self.quiet = self.in_state = self.waited = 0
        self.frames: list[Frame] = []
        self.heard_nurse = False
        self.after_hang_up = 0
        self._gone = False

    @property
    def done(self) -> bool:
        """Whether everything was done."""
        return not self._acts and not self._audio

    def moment(self, heard: bytes | None) -> Moment:
        """20 ms."""
        self._notice(heard)
        if self._audio:
            self.voiced = self.quiet = self.waited = 0  # what is heard over one's own words is no answer to them
            return Moment(pcm=self._audio.pop(0))
        if self.state is State.BRIDGED:  # what was meant for the machine is not said to the nurse
            while len(self._acts) > 1 and self._acts[0].when is CALM:
                self._acts.pop(0)
        if self._acts and self._acts[0].when(self):
            return self._act(self._acts.pop(0))
        if self._answers and not self._acts and self.state is State.LISTENING and CALM(self):
            words = self._answers.get(self.asked(), self._answers["otherwise"])
            return self._act(Act(words=words, voice=self._voice))
        return Moment(pcm=CALLER_SOUND if self.state is State.BRIDGED else SILENCE)

    def _act(self, act: Act) -> Moment:
        self.voiced = self.quiet = self.waited = 0
        self._audio = list(frames(act.audio))
        self._gone = act.hang_up
        return Moment(keys=act.keys, hang_up=act.hang_up)

    def _notice(self, heard: bytes | None) -> None:
        state = self.look()
        self.in_state = self.in_state + 1 if state is self.state else 0
        self.state = state
        self.waited += 1
        if heard is None:
            return
        loud = any(heard)
        self.after_hang_up += self._gone
        self.heard_nurse = self.heard_nurse or heard == NURSE_SOUND
        self.voiced, self.quiet = (self.voiced + 1, 0) if loud else (self.voiced, self.quiet + 1)
        self.frames.append(Frame(state=state, heard=loud, speaking=bool(self._audio)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How an agent's phone behaves one time that it rings."""

    rings: float = 1.0
    """Seconds until it is picked up, or declined."""
    answers: bool = True
    """Whether it is picked up; else it rings on."""
    declines: bool = False
    """Whether it is declined instead."""
    keys: str = "1"
    """Pressed once the summary was listened to for a second; empty: a voicemail."""
    stays: float | None = None
    """Hangs up so long after the bridge; None: never first."""
    reachable: bool = True
    """Whether there is a phone at all."""


TAKES = Habit()
NEVER = Habit(answers=False)
DECLINES = Habit(declines=True, rings=0.2)
PASSES = Habit(keys="2")
VOICEMAIL = Habit(keys="")
UNREACHABLE = Habit(reachable=False)


class NursePhone:
    """An agent's phone."""

    def __init__(self, habit: Habit, look: Callable[[], State]) -> None:
        self._habit = habit
        self._look = look
        self._age = 0
        self._since_answer = -1
        self._bridged = 0
        self.heard_caller = False
        self.rang = 0

    def moment(self, heard: bytes | None) -> Moment:
        """20 ms."""
        self._age += 1
        if heard is None:
            self.rang = self._age
            due = self._age == frame_count(self._habit.rings)
            return Moment(answer=due and self._habit.answers, hang_up=due and self._habit.declines)
        self.heard_caller = self.heard_caller or heard == CALLER_SOUND
        self._since_answer += 1
        self._bridged += self._look() is State.BRIDGED
        leaves = self._habit.stays is not None and self._bridged >= frame_count(self._habit.stays)
        keys = self._habit.keys if self._since_answer == 50 else ""
        return Moment(pcm=NURSE_SOUND, keys=keys, hang_up=leaves)
