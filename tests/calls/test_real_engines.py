"""Whole calls with the real recogniser, the real dialogue and the real rules, from synthesised speech."""

import asyncio

import pytest

from asr_models.second_look import SecondLook
from asr_models.vosk_engine import VoskRecogniser
from dialogs.fallback import FallbackDialogue
from dialogs.rasa_http import RasaDialogue
from ivr.call.state import State
from tests.calls.parts import menu
from tests.calls.people import Act, during, hangs_up, presses, says
from tests.calls.runner import Held, converse
from tests.calls.world import World, rehearse
from tests.rasa_stack import RasaStack

pytestmark = [pytest.mark.asr, pytest.mark.rasa]

LEAVES = hangs_up(during(State.BRIDGED, 1))


def call(stack: RasaStack, vosk: VoskRecogniser, *acts: Act, answers: dict[str, str] | None = None) -> Held:
    """One call."""
    world = World(
        acts=acts,
        answers=answers,
        recogniser=vosk,
        second_look=SecondLook(vosk, on_failure=lambda name: None),
    )
    rehearse(world)

    async def go() -> Held:
        rasa = RasaDialogue(stack.url, stack.token, seconds=8)
        world.talk = FallbackDialogue(rasa, menu(), seconds=8)
        try:
            return await converse(world, seconds=300)
        finally:
            await rasa.close()

    held = asyncio.run(go())
    assert held.over
    return held


def test_chest_pain_is_an_emergency_and_reaches_a_human(stack: RasaStack, vosk: VoskRecogniser) -> None:
    held = call(stack, vosk, says("i have chest pain", voice="slt"), LEAVES)
    assert held.said[:3] == ["call.greeting", "ask.complaint", "red_flag.dial"]
    assert "Red flag: chest pain" in held.briefed[0]
    assert held.bridged


def test_an_itchy_rash_is_routine_and_told_what_would_change_that(stack: RasaStack, vosk: VoskRecogniser) -> None:
    answers = {"age": "forty two", "severity": "three", "onset": "three days", "otherwise": "no"}
    held = call(stack, vosk, says("i have an itchy rash for three days", voice="slt"), answers=answers)
    assert held.session.call.result is not None
    assert (held.session.call.result.level, held.session.call.result.department) == ("routine", "dermatology")
    assert {"result.routine", "department.dermatology", "safety_net.rash", "call.goodbye"} <= set(held.said)
    assert held.outcome == "advised"
    assert held.shown == ()


def test_an_emergency_of_somebody_else_reaches_a_human(stack: RasaStack, vosk: VoskRecogniser) -> None:
    held = call(stack, vosk, says("my husband has chest pain", voice="slt"), LEAVES)
    assert "red_flag.dial" in held.said
    assert held.bridged


def test_a_caller_who_wants_a_person_gets_one(stack: RasaStack, vosk: VoskRecogniser) -> None:
    held = call(stack, vosk, says("i want to talk to a person", voice="slt"), LEAVES)
    assert "call.human_coming" in held.said
    assert "The caller asks for a person." in held.briefed[0]
    assert held.bridged


def test_the_keys_work_where_speech_is_not_understood(stack: RasaStack, vosk: VoskRecogniser) -> None:
    garbled = tuple(says("blorf garumph zwickle", voice="slt") for _ in range(2))
    held = call(stack, vosk, *garbled, presses("5"), presses("5"), presses("1"), LEAVES)
    assert held.said.index("call.keys_instead") < held.said.index("menu.first") < held.said.index("red_flag.dial")
    assert "Emergency, chosen by key." in held.briefed[0]
    assert held.bridged
