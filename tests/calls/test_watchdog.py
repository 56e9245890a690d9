"""Whole calls in which a part hangs without a word, or claims to speak and does not: the watchdog leads to a human."""

import asyncio

from asr_models.port import Transcript
from dialogs.scripted import ScriptedDialogue, Trouble
from ivr.audio.format import FRAME_SECONDS, frames, silence
from ivr.audio.tones import comfort_noise, dtmf
from ivr.call.state import State
from ivr.voices.silent import HangingVoice
from routing.port import RingStep, RouteRequest
from tests.calls.parts import COMPLAINT
from tests.calls.people import Act, Habit, after, during, hangs_up, presses, says
from tests.calls.runner import Held, hold
from tests.calls.world import World

LONGEST = 2.3
"""Outgoing silence that nobody asked for, in seconds."""
RASH = says("i have a rash")
LEAVES = hangs_up(during(State.BRIDGED, 1))


class Mute:
    """A voice that gives the same sound for every sentence, three seconds of it."""

    name = "mute"

    def __init__(self, pcm: bytes) -> None:
        self._pcm = pcm

    async def speak(self, text: str, *, keep: bool) -> bytes:
        """The sound."""
        return self._pcm


class FrozenRouter:
    """Never answers."""

    async def plan(self, request: RouteRequest) -> tuple[RingStep, ...]:
        """Hangs."""
        await asyncio.Event().wait()
        return ()

    async def busy(self, agent: str, call: str) -> bool:
        """Hangs."""
        await asyncio.Event().wait()
        return False

    async def free(self, agent: str, call: str) -> None:
        """Hangs nowhere: the call is over."""


class FrozenStream:
    """Never answers."""

    async def feed(self, pcm: bytes) -> None:
        """Hangs."""
        await asyncio.Event().wait()

    async def finish(self) -> Transcript:
        """Hangs."""
        await asyncio.Event().wait()
        return Transcript(text="", confidence=0.0)

    def close(self) -> None:
        """Nothing."""


class FrozenEars:
    """A recogniser that takes audio and never says what it was."""

    name = "frozen"

    def stream(self, hints: tuple[str, ...] = ()) -> FrozenStream:
        """An utterance."""
        return FrozenStream()


def levels(held: Held) -> list[str]:
    """What the watchdog called for, in order."""
    return [str(one.data["level"]) for one in held.entries if one.kind == "DeadAir"]


def silent_runs(held: Held, *excused: State) -> list[float]:
    """Seconds of each stretch in which neither side could be heard and no answer was awaited."""
    runs, run = [0.0], 0
    for one in held.caller.frames:
        if one.heard or one.speaking or one.state in (State.BRIDGED, *excused):
            runs.append(run * FRAME_SECONDS)
            run = 0
        else:
            run += 1
    return [*runs, run * FRAME_SECONDS]


def hung(**parts: object) -> World:
    """A world in which something never answers; time goes on all the same."""
    return World(acts=(LEAVES,), patience=0.002, nurses={"nurse": (Habit(stays=12),)}, **parts)  # type: ignore[arg-type]


def rungs(held: Held) -> list[str]:
    """The levels above a filler."""
    return [one for one in levels(held) if one != "filler"]


def test_a_dialogue_that_hangs_in_the_middle_gives_way_to_the_keys() -> None:
    world = hung(talk=ScriptedDialogue((COMPLAINT, Trouble.HANG)))
    world.acts = (RASH, LEAVES)
    held = hold(world, seconds=40)
    assert rungs(held) == ["keys"]
    assert held.said.index("call.filler") < held.said.index("menu.first")
    assert max(silent_runs(held, State.LISTENING, State.ASKING)) <= LONGEST


def test_both_dialogues_hang_and_a_human_comes() -> None:
    world = hung(talk=ScriptedDialogue((COMPLAINT, Trouble.HANG)), keys=ScriptedDialogue((Trouble.HANG,)))
    world.acts = (RASH, LEAVES)
    held = hold(world, seconds=40)
    assert rungs(held) == ["keys", "human"]
    assert held.bridged
    assert max(silent_runs(held, State.LISTENING, State.ASKING)) <= LONGEST


def test_a_voice_that_never_comes_leaves_beeps_and_a_human() -> None:
    held = hold(hung(voice=HangingVoice()), seconds=40)
    assert rungs(held)[:2] == ["keys", "human"]
    assert held.bridged
    assert max(silent_runs(held)) <= LONGEST


def test_sentences_of_nothing_but_silence_are_no_sentences() -> None:
    held = hold(hung(voice=Mute(silence(3.0))), seconds=60)
    assert {"filler", "keys", "human"} == set(levels(held))
    assert held.bridged
    assert max(silent_runs(held)) <= LONGEST
    assert held.session.dead_air.longest <= LONGEST


def test_comfort_noise_is_no_sentence_either() -> None:
    held = hold(hung(voice=Mute(comfort_noise(3.0))), seconds=60)
    assert {"filler", "keys", "human"} == set(levels(held))
    assert held.bridged
    assert held.session.dead_air.longest <= LONGEST


def test_a_router_that_hangs_leaves_no_silence() -> None:
    world = hung(router=FrozenRouter())
    world.acts = (presses("0", during(State.LISTENING, 0.5)),)
    held = hold(world, seconds=40)
    assert "call.nobody" in held.said
    assert max(silent_runs(held, State.LISTENING, State.ASKING, State.OFFERING)) <= LONGEST


def test_ears_that_hang_leave_the_keys() -> None:
    world = hung(recogniser=FrozenEars())
    world.acts = (RASH, LEAVES)
    held = hold(world, seconds=12)
    assert "menu.first" in held.said
    assert held.session.pressure.delay > 0.6
    assert max(silent_runs(held, State.LISTENING, State.ASKING)) <= LONGEST


def test_a_key_that_comes_as_a_tone_is_a_key() -> None:
    class Toned(Act):
        """Presses by tone."""

        @property
        def audio(self) -> bytes:
            """The tones of the key 0."""
            return b"".join(frames(dtmf("0", 0.12)))

    held = hold(World(acts=(Toned(when=during(State.LISTENING, 0.5)), LEAVES)))
    assert [one.data["digit"] for one in held.entries if one.kind == "DigitPressed"] == ["0"]
    assert held.bridged


def test_a_caller_who_asks_into_the_silence_is_not_kept_in_it() -> None:
    """What the caller says excuses a silence only while it is said."""
    asks = tuple(says("hello hello", after(3.5)) for _ in range(2))
    world = hung(talk=ScriptedDialogue((COMPLAINT, Trouble.HANG)))
    world.acts = (RASH, *asks, LEAVES)
    held = hold(world, seconds=40)
    assert held.bridged or rungs(held)
    assert max(silent_runs(held, State.LISTENING, State.ASKING)) <= LONGEST + 1.0  # the end of what was said
