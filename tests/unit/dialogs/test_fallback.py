"""The second engine takes over when the first is silent or broken."""

import asyncio
from dataclasses import dataclass

import pytest

from dialogs.fallback import INSTEAD, FallbackDialogue
from dialogs.port import DialogueUnavailable, Expect, Heard, Prompt, Question, Turn
from dialogs.scripted import Line, ScriptedDialogue, Trouble


def asks(name: str) -> Turn:
    """A turn with a question."""
    return Turn(say=(Prompt(key=f"ask.{name}"),), question=Question(id=name, expect=Expect.OPEN))


FIRST, NEXT, MENU, MENU_NEXT = asks("first"), asks("next"), asks("menu"), asks("menu_next")
SWITCHED = Turn(say=(INSTEAD, *MENU.say), question=MENU.question)


@dataclass
class Clock:
    """A clock that stands still until told."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


class Rig:
    """A fallback over two scripts."""

    def __init__(self, first: list[Line], second: list[Line] | None = None) -> None:
        self.first = ScriptedDialogue(first)
        self.second = ScriptedDialogue(second or [MENU, MENU_NEXT])
        self.clock = Clock()
        self.dialogue = FallbackDialogue(self.first, self.second, seconds=0.02, rest=10, clock=self.clock)


def test_a_healthy_first_engine_is_the_only_one_asked() -> None:
    async def run() -> None:
        rig = Rig([FIRST, NEXT])
        assert await rig.dialogue.start("a", "en") == FIRST
        assert await rig.dialogue.hear("a", Heard(text="x")) == NEXT
        assert await rig.dialogue.press("a", "1") == NEXT
        await rig.dialogue.end("a")
        assert rig.second.received == []
        assert rig.first.received[-1] == ("end", "")

    asyncio.run(run())


@pytest.mark.parametrize("trouble", list(Trouble))
def test_trouble_in_mid_call_switches_that_call_for_good(trouble: Trouble) -> None:
    async def run() -> None:
        rig = Rig([FIRST, trouble, FIRST])
        await rig.dialogue.start("a", "en")
        assert await rig.dialogue.hear("a", Heard(text="x")) == SWITCHED
        assert await rig.dialogue.press("a", "1") == MENU_NEXT
        rig.clock.now = 100
        assert await rig.dialogue.hear("a", Heard(text="y")) == MENU_NEXT
        assert len(rig.first.received) == 2
        await rig.dialogue.end("a")
        assert rig.first.received[-1] == rig.second.received[-1] == ("end", "")

    asyncio.run(run())


@pytest.mark.parametrize("trouble", list(Trouble))
def test_a_broken_engine_is_left_alone_for_a_while(trouble: Trouble) -> None:
    async def run() -> None:
        rig = Rig([trouble])
        assert await rig.dialogue.start("a", "en") == SWITCHED
        assert await rig.dialogue.start("b", "en") == SWITCHED
        assert len(rig.first.received) == 1
        assert rig.dialogue.broken
        rig.clock.now = 10.0
        assert not rig.dialogue.broken
        await rig.dialogue.start("c", "en")
        assert len(rig.first.received) == 2

    asyncio.run(run())


def test_other_calls_on_the_first_engine_go_on() -> None:
    async def run() -> None:
        rig = Rig([FIRST, Trouble.FAIL, NEXT])
        await rig.dialogue.start("a", "en")
        await rig.dialogue.start("b", "de")
        assert await rig.dialogue.press("a", "1") == SWITCHED
        assert await rig.dialogue.press("b", "1") == SWITCHED
        assert ("start", "de") in rig.second.received

    asyncio.run(run())


def test_when_both_fail_the_caller_is_told() -> None:
    async def run() -> None:
        rig = Rig([Trouble.FAIL], [Trouble.FAIL])
        with pytest.raises(DialogueUnavailable):
            await rig.dialogue.start("a", "en")

    asyncio.run(run())


class Endless(ScriptedDialogue):
    """Cannot even say goodbye."""

    async def end(self, call: str) -> None:
        """Hang, as a server that does not answer."""
        await asyncio.Event().wait()


def test_end_never_raises_nor_hangs() -> None:
    async def run() -> None:
        dialogue = FallbackDialogue(Endless([FIRST]), ScriptedDialogue([MENU]), seconds=0.02)
        await dialogue.start("a", "en")
        await dialogue.end("a")
        await dialogue.end("a")
        await dialogue.end("never started")

    asyncio.run(run())


def test_an_empty_script_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        ScriptedDialogue([])
