"""Small moves that all steps are made of."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from dialogs.port import Expect, Prompt, Question
from ivr.call.commands import Command, Say, StopTimer
from ivr.call.state import Call, State

Next: TypeAlias = tuple[Call, tuple[Command, ...]]
Step: TypeAlias = Callable[[Call, Any], Next]

NO_INPUT_SECONDS = 7.0
"""Silence after a question before it counts as no answer; people in pain search for words."""
KEYS_SECONDS = 9.0
"""The same while keys are expected: the phone must be taken from the ear."""
DIGITS_SECONDS = 2.0
"""Pause between keys that ends a number."""
FILLER_SECONDS = 1.5
"""Wait for the dialogue before "one moment" is said: dead air must stay below two seconds."""
HOLD_SECONDS = 2.0
"""Longest hold of a sentence: the ears have decided long before, unless they hang."""
DIALOGUE_SECONDS = 8.0
"""Last bound on a turn; the engines have shorter bounds of their own."""
ANNOUNCE_SECONDS = 2.0
"""How long a caller may go on speaking before the emergency number is said over the voice."""
ACCEPT_SECONDS = 20.0
"""Time for an agent to press 1: two rounds of the summary; a voicemail never does."""
FRESH_SECONDS = 10.0
"""A bridge that ends sooner was an accident: the caller is put through again."""

DANGER = Question(id="danger", expect=Expect.YES_NO)
"""While a human is sought: free speech, but what must be said is said at the first short pause."""
CALLBACK = Question(id="callback", expect=Expect.YES_NO, hints=("yes", "yes please", "no", "no thank you"))
"""Asked when nobody took the call."""


def prompt(key: str, *, interruptible: bool = True) -> Prompt:
    """A sentence of the machine's own."""
    return Prompt(key=f"call.{key}", interruptible=interruptible)


def say(call: Call, prompts: tuple[Prompt, ...], **changes: Any) -> Next:
    """Say sentences; `changes` are further changes to the call."""
    number = call.says + 1
    barge = all(one.interruptible for one in prompts) and call.noises < 2
    fresh = {"holds": 0, "must_hear": False, "cut": False}
    after = replace(call, says=number, saying=number, barge=barge, **{**fresh, **changes})
    return after, (Say(say=number, prompts=prompts),)


def plus(step: Next, *more: Command, before: tuple[Command, ...] = ()) -> Next:
    """The same step with commands around it."""
    return step[0], (*before, *step[1], *more)


def stay(call: Call, event: object) -> Next:
    """Nothing changes: the event is late, or means nothing here."""
    return call, ()


def voiced(call: Call, event: object) -> Next:
    """Only note that the caller speaks."""
    return replace(call, speaking=True), ()


def quiet(call: Call, event: object) -> Next:
    """Only note that the caller is silent again."""
    return replace(call, speaking=False), ()


def said(call: Call, event: Any) -> Next:
    """A Say ended; a late one means nothing."""
    return (replace(call, saying=0, must_hear=False), ()) if event.say == call.saying else (call, ())


CONVERSATION_TIMERS = ("no_input", "filler", "dialogue", "digits")


def stop_conversation_timers() -> tuple[Command, ...]:
    """What must not fire any more once a human is sought."""
    return tuple(StopTimer(name=name) for name in CONVERSATION_TIMERS)


def talking(call: Call) -> bool:
    """Whether the conversation with the dialogue is still going on."""
    return call.state in (State.GREETING, State.ASKING, State.LISTENING, State.THINKING)
