"""Whole calls in memory: phones that follow a script, doors with dull implementations, and a runner.

Time is the audio itself, so a call of a minute takes a fraction of a second and comes out the same every time.
"""

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from asr_models.port import Recogniser
from asr_models.scripted import Line as Hears
from asr_models.scripted import ScriptedRecogniser
from dialogs.menu import KeypadMenu
from dialogs.menu_tree import load_menu, load_menu_words
from dialogs.port import Dialogue, Expect, Prompt, Prompts, Question, TriageResult, Turn
from dialogs.port import Level as Level
from dialogs.prompts import TomlPrompts
from dialogs.red_flags import load_rule_books
from dialogs.safety_net import RuleSafetyNet
from dialogs.scripted import ScriptedDialogue
from ivr.audio.format import FRAME_BYTES, FRAME_SECONDS, frame_count, frames
from ivr.bootstrap.doors import always_heard, make_affirms
from ivr.call.state import State
from ivr.doors import Doors
from ivr.hearing import Ears, SecondLook
from ivr.lines.wav import SILENCE, Moment, WavLine
from ivr.ports import Line, Voice
from ivr.session import Session
from ivr.voices.espeak import EspeakVoice
from ivr.voices.flite import FliteVoice
from masking.memory import MemoryMasking
from masking.port import Masking, PhoneNumber
from records.memory import MemoryCallbacks, MemoryJournal
from records.port import Callback, Callbacks, Entry, Journal, JournalUnavailable
from routing.agents import Roster
from routing.memory import StaticRouter
from routing.port import Agent, Router

ROOT = Path(__file__).resolve().parents[2]
CALLER = "+12025550142"
CALL = "bcdfghjkmnpqrs"
CALM_SECONDS = 0.6
"""Silence of the hotline after which a person begins to speak."""
SECONDS_PER_LETTER = 0.02
NURSE_SOUND = b"\x07\x00" * (FRAME_BYTES // 2)
CALLER_SOUND = b"\x05\x00" * (FRAME_BYTES // 2)

OPEN = Question(id="complaint", expect=Expect.OPEN)
AGE = Question(id="age", expect=Expect.NUMBER)
FEVER = Question(id="fever", expect=Expect.YES_NO, hints=("yes", "no"))
COMPLAINT = Turn(say=(Prompt(key="ask.complaint"),), question=OPEN)
HOW_OLD = Turn(say=(Prompt(key="ask.age"),), question=AGE)
FEVERISH = Turn(say=(Prompt(key="ask.fever"),), question=FEVER)
ADVISED = Turn(
    say=(Prompt(key="result.routine"), Prompt(key="safety_net.general")),
    result=TriageResult(level=Level.ROUTINE, department="dermatology", complaint="rash", reasons=(), version="1"),
)
INTERVIEW = (COMPLAINT, HOW_OLD, FEVERISH, ADVISED)


# What people do ------------------------------------------------------------------------------------------------


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


# The hotline's parts -------------------------------------------------------------------------------------------


class BriskVoice:
    """Speaks quickly: a steady sound as long as the text."""

    name = "brisk"

    async def speak(self, text: str, *, keep: bool) -> bytes:
        """Two hundredths of a second a letter."""
        return b"\x00\x10" * round(8000 * SECONDS_PER_LETTER * len(text))


@dataclass(slots=True)
class SlowJournal:
    """A journal that never answers."""

    inner: MemoryJournal = field(default_factory=MemoryJournal)

    async def append(self, entry: Entry) -> None:
        """Hangs."""
        await asyncio.Event().wait()

    async def read(self, call: str) -> tuple[Entry, ...]:
        """As inside."""
        return await self.inner.read(call)

    async def close_call(self, call: str, at: float, outcome: str) -> None:
        """Hangs."""
        await asyncio.Event().wait()

    async def list(self, limit: int = 50) -> Any:
        """As inside."""
        return await self.inner.list(limit)


class BrokenJournal(SlowJournal):
    """A journal that always fails."""

    async def append(self, entry: Entry) -> None:
        """Raises JournalUnavailable."""
        raise JournalUnavailable

    async def close_call(self, call: str, at: float, outcome: str) -> None:
        """Raises JournalUnavailable."""
        raise JournalUnavailable


@functools.cache
def net() -> RuleSafetyNet:
    """The real rules."""
    return RuleSafetyNet(load_rule_books(ROOT / "dialogs"))


@functools.cache
def prompts() -> TomlPrompts:
    """The real sentences."""
    return TomlPrompts(ROOT / "dialogs/prompts", {"emergency": "9 1 1", "hotline": "the medical hotline"})


def menu() -> KeypadMenu:
    """The real keypad menu."""
    return KeypadMenu(load_menu(ROOT / "dialogs/menu.toml"), load_menu_words(ROOT / "dialogs/menu"))


def ears(recogniser: Recogniser, second_look: SecondLook | None = None) -> Ears:
    """The real safety net over any recogniser."""
    return Ears(
        recogniser=recogniser,
        second_look=second_look,
        net=net(),
        affirms=_affirms(),
        always=always_heard(ROOT / "dialogs/always", "en"),
    )


@functools.cache
def _affirms() -> Callable[[str], bool | None]:
    return make_affirms(ROOT, "en")


def roster(*names: str) -> Roster:
    """Agents by id; the one named on-call is on call."""
    agents = tuple(Agent(id=one, address=f"sip:{one}@127.0.0.1", on_call=one == "on-call") for one in names)
    return Roster(agents=agents, presence={})


@dataclass(slots=True, kw_only=True)
class World:
    """Everything around one call; the parts a test cares about are given, the rest is dull and works."""

    acts: tuple[Act, ...]
    """What the caller does."""
    answers: Mapping[str, str] | None = None
    """What the caller answers to the dialogue's questions once the acts are done; "otherwise" to all others."""
    nurses: Mapping[str, tuple[Habit, ...]] = field(default_factory=lambda: {"nurse": (TAKES,)})
    """Agents, and how each phone behaves the first, the second ... time it rings; the last habit stays."""
    talk: Dialogue = field(default_factory=lambda: ScriptedDialogue(INTERVIEW))
    keys: Dialogue = field(default_factory=menu)
    voice: Voice = field(default_factory=BriskVoice)
    words: Prompts = field(default_factory=prompts)
    recogniser: Recogniser | None = None
    """None: scripted by the acts."""
    second_look: SecondLook | None = None
    deaf: bool = False
    """No ears at all."""
    journal: Journal = field(default_factory=MemoryJournal)
    callbacks: Callbacks = field(default_factory=MemoryCallbacks)
    masking: Masking = field(default_factory=MemoryMasking)
    router: Router | None = None
    number: str | None = CALLER
    around: Callable[[WavLine], Line] = lambda line: line
    """Puts something around the line."""
    meanwhile: Callable[["Session"], None] = lambda session: None
    """Called before every frame."""
    patience: float | None = None
    """Wall seconds that one frame may wait for the hotline; None: as long as it takes."""
    phones: list[NursePhone] = field(default_factory=list)
    rung: list[str] = field(default_factory=list)

    def hears(self) -> Recogniser:
        """Scripted ears: one line an utterance."""
        spoken = [one for one in self.acts if one.words or one.noise]
        return ScriptedRecogniser([Hears(text=one.words, fails=one.fails) for one in spoken])


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


def make_doors(world: World, line: WavLine) -> Doors:
    """Doors of a world."""
    return Doors(
        line=world.around(line),
        sound=line,
        ears=None if world.deaf else ears(world.recogniser or world.hears(), world.second_look),
        voice=world.voice,
        prompts=world.words,
        talk=world.talk,
        keys=world.keys,
        router=world.router or StaticRouter(roster(*world.nurses)),
        masking=world.masking,
        journal=world.journal,
        callbacks=world.callbacks,
        clock=time.time,
    )


def rehearse(world: World) -> None:
    """Render what the caller will say; not possible while a loop runs."""
    for act in world.acts:
        _ = act.audio
    for words in (world.answers or {}).values():
        speech(words, "slt")


def hold(world: World, *, seconds: float = 240.0) -> Held:
    """Run one call to its end, or for so many seconds of audio."""
    rehearse(world)
    return asyncio.run(converse(world, seconds=seconds))


async def converse(world: World, *, seconds: float = 240.0) -> Held:
    """`hold` inside a running loop."""
    began = time.monotonic()
    caller, counts, sessions = Caller(world.acts, world.answers), dict.fromkeys(world.nurses, 0), list[Session]()

    def look() -> State:
        return sessions[0].call.state

    def phones(address: str) -> NursePhone | None:
        name = address.removeprefix("sip:").partition("@")[0]
        habits = world.nurses[name]
        habit = habits[min(counts[name], len(habits) - 1)]
        counts[name] += 1
        world.rung.append(name)
        if not habit.reachable:
            return None
        world.phones.append(NursePhone(habit, look))
        return world.phones[-1]

    line = WavLine(phones)
    arrival = line.ring(caller, PhoneNumber(world.number) if world.number else None)
    session = Session(make_doors(world, line), CALL, arrival)
    sessions.append(session)
    caller.look = look
    caller.asked = lambda: question.id if (question := session.call.question) else ""
    task = asyncio.create_task(session.run())
    over = await line.run(_settling(world, session), seconds=seconds)
    if over:
        await asyncio.wait_for(task, 10)
    else:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
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
