"""Parts of the real hotline die in the middle of a call: the caller still reaches a human."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from asr_models.port import AsrUnavailable, RecogniserStream
from asr_models.second_look import SecondLook
from asr_models.vosk_engine import VoskRecogniser
from dialogs.fallback import FallbackDialogue
from dialogs.rasa_http import RasaDialogue
from ivr.call.state import State
from ivr.session import Session
from ivr.voices.espeak import EspeakVoice
from ivr.voices.fallback import FallbackVoice
from tests.calls.parts import menu
from tests.calls.people import during, hangs_up, presses, says
from tests.calls.runner import Held, converse, hold
from tests.calls.world import World, rehearse
from tests.rasa_stack import RasaStack

LEAVES = hangs_up(during(State.BRIDGED, 1))
RASH = says("i have an itchy rash for three days", voice="slt")


@pytest.fixture
def doomed() -> Iterator[RasaStack]:
    """A stack of its own, to be broken."""
    with RasaStack() as running:
        yield running


def call(stack: RasaStack, world: World) -> Held:
    """One call through the real dialogue."""
    rehearse(world)

    async def go() -> Held:
        rasa = RasaDialogue(stack.url, stack.token, seconds=2.5)
        world.talk = FallbackDialogue(rasa, menu(), seconds=3)
        try:
            return await converse(world)
        finally:
            await rasa.close()

    return asyncio.run(go())


def once(when: Callable[[Session], bool], act: Callable[[], None]) -> Callable[[Session], None]:
    """Do it at the first frame at which the condition holds."""
    left = [act]

    def meanwhile(session: Session) -> None:
        if left and when(session):
            left.pop()()

    return meanwhile


def second_question(session: Session) -> bool:
    """The first answer was understood."""
    return session.call.question is not None and session.call.question.id != "complaint"


@pytest.mark.rasa
@pytest.mark.asr
def test_each_part_of_the_dialogue_dies_in_its_own_call(doomed: RasaStack, vosk: VoskRecogniser) -> None:
    """One call each; the part that died is there again for the next call."""
    for part in ("actions", "redis", "rasa"):
        killed: list[str] = []

        def kill(part: str = part, killed: list[str] = killed) -> None:
            doomed.kill(part)
            killed.append(part)

        world = World(
            acts=(RASH, says("no", voice="slt"), presses("1"), LEAVES),
            recogniser=vosk,
            second_look=SecondLook(vosk, on_failure=lambda name: None),
            meanwhile=once(second_question, kill),
        )
        held = call(doomed, world)
        assert killed == [part]
        assert "menu.first" in held.said, part
        assert held.bridged, part
        assert held.over, part
        if part != "rasa":
            doomed.revive(part)


class Failing:
    """A recogniser that hears the first utterance and then no more."""

    def __init__(self, inner: VoskRecogniser) -> None:
        self._inner = inner
        self._streams = 0

    @property
    def name(self) -> str:
        """The inner one's."""
        return self._inner.name

    def stream(self, hints: tuple[str, ...] = ()) -> RecogniserStream:
        """Raises AsrUnavailable from the second on."""
        self._streams += 1
        if self._streams > 1:
            raise AsrUnavailable("the model is gone")
        return self._inner.stream(hints)


@pytest.mark.asr
def test_the_recogniser_dies_after_the_first_answer(vosk: VoskRecogniser) -> None:
    held = hold(World(acts=(RASH, says("forty", voice="slt"), presses("1"), LEAVES), recogniser=Failing(vosk)))
    assert held.said[3:5] == ["call.keys_instead", "menu.first"]
    assert "red_flag.dial" in held.said
    assert held.bridged


def test_the_speech_program_is_not_there() -> None:
    voice = FallbackVoice((EspeakVoice(program="no-such-program"),))
    held = hold(World(voice=voice, acts=(LEAVES,)))
    assert held.bridged


def test_the_speech_program_dies_and_the_next_voice_speaks() -> None:
    voice = FallbackVoice((EspeakVoice(program="false"), EspeakVoice()))
    held = hold(World(voice=voice, acts=(presses("0"), LEAVES)))
    assert held.said[:1] == ["call.greeting"]
    assert "Trouble" not in held.kinds
    assert held.bridged
