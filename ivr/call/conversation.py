"""Steps of the conversation: greeting, turns of the dialogue, and the ladders for silence and misunderstanding."""

from dataclasses import replace

from dialogs.port import Expect, Heard, Level, Prompt, Turn
from ivr.call import events as ev
from ivr.call.basics import (
    DIALOGUE_SECONDS,
    FILLER_SECONDS,
    KEYS_SECONDS,
    NO_INPUT_SECONDS,
    Next,
    plus,
    prompt,
    say,
)
from ivr.call.commands import Answer, AskDialogue, Engine, Listen, StartTimer, StopSaying, StopTimer
from ivr.call.handover import seek_person
from ivr.call.state import Call, State

MISSES_BEFORE_KEYS = 2
MISSES_BEFORE_HUMAN = 3


def arrive(call: Call, event: ev.CallArrived) -> Next:
    """Answer, and have the dialogue think of its first question while the greeting is said."""
    start = replace(call, state=State.GREETING, reachable=event.reachable, asks=1, awaiting=1)
    return start, (
        Answer(),
        Listen(question=None),
        AskDialogue(ask=1, engine=Engine.TALK),
        StartTimer(name="dialogue", seconds=DIALOGUE_SECONDS),
    )


def greet(call: Call, event: ev.CallAnswered) -> Next:
    """Media flows: greet."""
    words = (prompt("cut_off_again"), prompt("greeting")) if call.earlier else (prompt("greeting"),)
    return say(call, words, answered=True)


def ask(call: Call, *, words: Heard | None = None, digit: str = "", engine: Engine | None = None) -> Next:
    """Ask the engine that leads the conversation."""
    number = call.asks + 1
    engine = engine or (Engine.KEYS if call.on_keys else Engine.TALK)
    after = replace(
        call, state=State.THINKING, asks=number, awaiting=number, saying=0, early=None, digits="", noises=0
    )
    return after, (
        StopTimer(name="no_input"),
        StopTimer(name="digits"),
        StopSaying(),
        AskDialogue(ask=number, engine=engine, words=words, digit=digit),
        StartTimer(name="filler", seconds=FILLER_SECONDS),
        StartTimer(name="dialogue", seconds=DIALOGUE_SECONDS),
    )


def turn_ready(call: Call, event: ev.TurnReady) -> Next:
    """The dialogue answered: say it now, after the greeting, or when the caller has finished."""
    if event.ask != call.awaiting:
        return call, ()
    turn, stop = event.turn, (StopTimer(name="filler"), StopTimer(name="dialogue"))
    call = replace(call, awaiting=0)
    if not call.answered:
        return replace(call, pending=turn), stop
    if call.pending and not turn.understood and not turn.handover:
        return plus(say_turn(call, call.pending), before=stop)  # late words that fit no question are no mistake
    if turn.handover or not turn.question:
        return plus(say_turn(call, turn), before=stop)
    if call.early:
        return plus(ask(replace(call, pending=turn), words=call.early), before=stop)
    if call.speaking or (call.state is State.GREETING and call.saying):
        return replace(call, pending=turn), stop
    return plus(say_turn(call, turn), before=stop)


def say_turn(call: Call, turn: Turn) -> Next:
    """Say a turn and open its question; hand over or close where it has none."""
    call = replace(call, pending=None, early=None, result=turn.result or call.result)
    if turn.handover:
        return seek_person(call, turn.handover, turn.say or (prompt("human_coming"),))
    if not turn.understood:
        return miss(call, "no_match", turn.say or call.said)
    prompts = (*call.announce, *turn.say)
    stuck = turn.question is not None and turn.question.id in call.asked
    if stuck and not call.on_keys and call.misses + 1 >= MISSES_BEFORE_KEYS:
        return to_keys(call)  # the same question again and again is a misunderstanding, whatever the engine thinks
    if not turn.question:
        return say(call, (*prompts, prompt("goodbye")), state=State.CLOSING, said=prompts, announce=(), question=None)
    opened = say(
        call,
        prompts,
        state=State.ASKING,
        question=turn.question,
        said=turn.say,
        asked=call.asked | {turn.question.id},
        misses=call.misses + stuck if stuck or call.announce else 0,
        announce=(),
    )
    return plus(opened, before=(Listen(question=turn.question),))


def again(call: Call, prompts: tuple[Prompt, ...]) -> Next:
    """Say sentences and expect an answer to the same question."""
    return say(call, prompts, state=State.ASKING)


def repeat(call: Call, event: object) -> Next:
    """The caller asks to hear it again."""
    call = replace(call, speaking=False)
    return plus(again(call, call.said or (prompt("greeting"),)), before=(StopTimer(name="no_input"),))


def greet_again(call: Call, event: object) -> Next:
    """The caller asks to hear the greeting again."""
    return say(replace(call, speaking=False), (prompt("greeting"),))


def miss(call: Call, kind: str, prompts: tuple[Prompt, ...]) -> Next:
    """Silence or misunderstanding: say it again, then keys, then a human."""
    call = replace(call, misses=call.misses + 1, noises=0, speaking=False)
    if call.misses >= MISSES_BEFORE_HUMAN:
        return seek_person(call, None, (prompt("human_coming"),), reason="not_understood", level=Level.URGENT)
    if call.misses >= MISSES_BEFORE_KEYS and not call.on_keys:
        return to_keys(call)
    keys = (prompt("or_keys"),) if typed(call) and not call.on_keys else ()
    return again(call, (prompt(kind), *keys, *prompts))


def typed(call: Call) -> bool:
    """Whether the answer is a number that keys can give."""
    return call.question is not None and call.question.expect in (Expect.NUMBER, Expect.SEVERITY)


def to_keys(call: Call) -> Next:
    """The keypad menu takes the lead; one more miss is allowed there before a human is called."""
    call = replace(
        call, on_keys=True, misses=MISSES_BEFORE_KEYS - 1, pending=None, announce=(prompt("keys_instead"),)
    )
    return plus(ask(call, engine=Engine.KEYS), before=(Listen(question=None),))


def keys_after_greeting(call: Call) -> Next:
    """Nothing can be heard, but the greeting with the emergency number is said to its end."""
    number = call.asks + 1
    changed = replace(call, on_keys=True, asks=number, awaiting=number, announce=(prompt("keys_instead"),))
    return changed, (AskDialogue(ask=number, engine=Engine.KEYS),)


def said_greeting(call: Call, event: ev.SayEnded) -> Next:
    """The greeting is over: first question, or wait for it."""
    if event.say != call.saying:
        return call, ()
    call = replace(call, saying=0)
    return go_on(call)


def go_on(call: Call) -> Next:
    """Nothing is being said and the caller is silent: say what waits, else wait for the dialogue."""
    if call.pending and not call.speaking:
        return say_turn(call, call.pending)
    if not call.pending and not call.awaiting:
        return broken(call, None)
    return replace(call, state=State.THINKING), (StartTimer(name="filler", seconds=FILLER_SECONDS),)


def said_question(call: Call, event: ev.SayEnded) -> Next:
    """The question has been asked; from now on silence counts."""
    if event.say != call.saying:
        return call, ()
    call = replace(call, saying=0)
    if call.early:
        return ask(call, words=call.early)
    call = replace(call, state=State.LISTENING)
    return (call, ()) if call.speaking else (call, (no_input(call),))


def no_input(call: Call) -> StartTimer:
    """The timer that ends a silence."""
    keys = call.on_keys or (call.question is not None and call.question.expect is Expect.KEYS)
    return StartTimer(name="no_input", seconds=KEYS_SECONDS if keys else NO_INPUT_SECONDS)


def failed(call: Call, event: ev.DialogueFailed) -> Next:
    """No engine answered this ask."""
    return broken(call, event) if event.ask == call.awaiting else (call, ())


def broken(call: Call, event: object) -> Next:
    """Something of ours is broken: a human takes over. Without ears the keys still work."""
    greeting = call.state is State.GREETING and (bool(call.saying) or not call.answered)
    if isinstance(event, ev.Trouble) and event.what == "recogniser":
        if call.on_keys:
            return call, ()
        return keys_after_greeting(call) if greeting else to_keys(replace(call, speaking=False))
    if greeting and not isinstance(event, ev.Trouble):
        return replace(call, awaiting=0), ()  # told when the greeting ends and no turn waits
    if not call.answered:
        return replace(call, awaiting=0), ()
    return seek_person(call, None, (prompt("trouble"),), reason="trouble", level=Level.URGENT)
