"""What every Dialogue must do. A new engine adds one maker to MAKERS."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from dialogs.fallback import FallbackDialogue
from dialogs.menu import KeypadMenu
from dialogs.menu_tree import load_menu, load_menu_words
from dialogs.port import Dialogue, DialogueUnavailable, Expect, Heard, Prompt, Question, Turn
from dialogs.prompts import load_sentences
from dialogs.scripted import ScriptedDialogue, Trouble

ROOM = Path(__file__).parents[2] / "dialogs"


def menu() -> Dialogue:
    """The keypad menu as shipped."""
    return KeypadMenu(load_menu(ROOM / "menu.toml"), load_menu_words(ROOM / "menu"))


def scripted() -> Dialogue:
    """A script of two questions."""
    turns = (Question(id=name, expect=Expect.OPEN) for name in ("complaint", "age"))
    return ScriptedDialogue([Turn(say=(Prompt(key=f"ask.{asked.id}"),), question=asked) for asked in turns])


def fallen_back() -> Dialogue:
    """The menu behind an engine that is down."""
    return FallbackDialogue(ScriptedDialogue([Trouble.FAIL]), menu(), seconds=1.0)


MAKERS: dict[str, Callable[[], Dialogue]] = {"menu": menu, "scripted": scripted, "fallback": fallen_back}


@pytest.fixture(params=sorted(MAKERS))
def dialogue(request: pytest.FixtureRequest) -> Dialogue:
    """One of the implementations, fresh."""
    return MAKERS[request.param]()


def whole(turn: Turn) -> None:
    """A turn leads on: to a question, a human or a goodbye, in sentences that exist."""
    sentences = load_sentences(ROOM / "prompts")["en"]
    assert all(prompt.key in sentences for prompt in turn.say)
    assert turn.say or turn.handover
    assert not (turn.question and turn.handover)
    if turn.handover is not None:
        assert turn.handover.summary
        assert all(prompt.key in sentences for prompt in turn.handover.summary)


def test_a_conversation_starts_with_a_question(dialogue: Dialogue) -> None:
    turn = asyncio.run(dialogue.start("a", "en"))
    whole(turn)
    assert turn.question is not None
    assert turn.say


@pytest.mark.parametrize("text", ["", "[unk]", "one", "yes", "my head hurts", "\u75bc", "x" * 3000, "'; drop table --"])
def test_any_words_get_a_whole_turn(dialogue: Dialogue, text: str) -> None:
    async def run() -> None:
        await dialogue.start("a", "en")
        for _ in range(4):
            turn = await dialogue.hear("a", Heard(text=text))
            whole(turn)

    asyncio.run(run())


@pytest.mark.parametrize("digit", list("0123456789*#"))
def test_any_key_gets_a_whole_turn(dialogue: Dialogue, digit: str) -> None:
    async def run() -> None:
        await dialogue.start("a", "en")
        whole(await dialogue.press("a", digit))
        whole(await dialogue.press("a", digit))

    asyncio.run(run())


def test_conversations_share_nothing(dialogue: Dialogue) -> None:
    async def run() -> None:
        first = await dialogue.start("a", "en")
        await dialogue.press("a", "2")
        assert await dialogue.start("b", "en") == first

    asyncio.run(run())


def test_starting_again_begins_anew(dialogue: Dialogue) -> None:
    async def run() -> None:
        first = await dialogue.start("a", "en")
        await dialogue.press("a", "2")
        assert await dialogue.start("a", "en") == first

    asyncio.run(run())


def test_end_is_always_allowed_and_forgets(dialogue: Dialogue) -> None:
    async def run() -> None:
        await dialogue.end("never started")
        first = await dialogue.start("a", "en")
        await dialogue.press("a", "2")
        await dialogue.end("a")
        await dialogue.end("a")
        assert await dialogue.start("a", "en") == first

    asyncio.run(run())


def test_a_call_that_was_never_started_is_unavailable_or_begins(dialogue: Dialogue) -> None:
    async def run() -> Turn | None:
        try:
            return await dialogue.hear("stranger", Heard(text="hello"))
        except DialogueUnavailable:
            return None

    turn = asyncio.run(run())
    if turn is not None:
        whole(turn)
