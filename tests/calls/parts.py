"""The hotline's parts around a call: the real rules and sentences, and dull implementations of the rest."""

import functools
from collections.abc import Callable
from pathlib import Path

from asr_models.port import Recogniser
from dialogs.menu import KeypadMenu
from dialogs.menu_tree import load_menu, load_menu_words
from dialogs.port import Expect, Level, Prompt, Question, TriageResult, Turn
from dialogs.prompts import TomlPrompts
from dialogs.red_flags import load_rule_books
from dialogs.safety_net import RuleSafetyNet
from ivr.bootstrap.doors import always_heard, make_affirms
from ivr.hearing import Ears, SecondLook
from routing.agents import Roster
from routing.port import Agent

ROOT = Path(__file__).resolve().parents[2]
SECONDS_PER_LETTER = 0.02

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


class BriskVoice:
    """Speaks quickly: a steady sound as long as the text."""

    name = "brisk"

    async def speak(self, text: str, *, keep: bool) -> bytes:
        """Two hundredths of a second a letter."""
        return b"\x00\x10" * round(8000 * SECONDS_PER_LETTER * len(text))


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
