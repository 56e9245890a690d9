"""Everything around one call, and the doors by which the hotline reaches it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from asr_models.port import Recogniser
from asr_models.scripted import Line as Hears
from asr_models.scripted import ScriptedRecogniser
from dialogs.port import Dialogue, Prompts
from dialogs.scripted import ScriptedDialogue
from ivr.doors import Doors
from ivr.hearing import SecondLook
from ivr.lines.wav import WavLine
from ivr.ports import Line, Voice
from ivr.session import Session
from ivr.watch.watcher import Nobody, Watcher
from ivr.witness import Witnesses
from masking.memory import MemoryMasking
from masking.port import Masking
from records.memory import MemoryCallbacks, MemoryJournal
from records.port import Callbacks, Journal
from routing.memory import StaticRouter
from routing.port import Router
from tests.calls.parts import INTERVIEW, BriskVoice, ears, menu, prompts, roster
from tests.calls.people import TAKES, Act, Habit, NursePhone, speech

CALLER = "+12025550142"


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
    watcher: Watcher = field(default_factory=Nobody)
    witness: Witnesses | None = None
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
        watcher=world.watcher,
        witness=world.witness,
    )


def rehearse(world: World) -> None:
    """Render what the caller will say; not possible while a loop runs."""
    for act in world.acts:
        _ = act.audio
    for words in (world.answers or {}).values():
        speech(words, "slt")
