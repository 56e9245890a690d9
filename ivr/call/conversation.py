"""Steps of the conversation: greeting, question, answer, and the ladders for silence and misunderstanding."""

from dataclasses import replace

from dialogs.port import Expect, Heard, Level, Prompt, Turn
from ivr.call import events as ev
from ivr.call.basics import (
    DIALOGUE_SECONDS,
    DIGITS_SECONDS,
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
NOISES_BEFORE_MISS = 3
MUMBLE_SECONDS = 0.8
"""A sound of this length was speech that could not be understood."""


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
    return say(call, (prompt("greeting"),), answered=True)


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
    return again(call, (prompt(kind), *prompts))


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


def barge_in(call: Call, event: ev.SpeechStarted) -> Next:
    """The caller speaks while something is said: be silent, unless it must be heard."""
    call = replace(call, speaking=True)
    if not call.barge or not call.saying:
        return call, ()
    state = call.state if call.state is State.GREETING else State.LISTENING
    return replace(call, saying=0, cut=True, state=state), (StopSaying(),)


def speech_in_silence(call: Call, event: ev.SpeechStarted) -> Next:
    """The caller begins to answer."""
    return replace(call, speaking=True), (StopTimer(name="no_input"),)


def heard_greeting(call: Call, event: ev.Heard) -> Next:
    """The caller did not wait for the first question."""
    call = replace(call, speaking=False)
    if call.awaiting:
        return replace(call, early=joined(call.early, event.words), state=State.THINKING, saying=0), (StopSaying(),)
    return ask(call, words=event.words)


def heard_answer(call: Call, event: ev.Heard) -> Next:
    """An answer: ask the dialogue what it means; without a single known word it is a misunderstanding."""
    call = replace(call, speaking=False)
    if not event.words.text.replace("[unk]", "").strip():
        return plus(miss(call, "no_match", call.said), before=(StopTimer(name="no_input"),))
    return ask(call, words=event.words)


def heard_over_question(call: Call, event: ev.Heard) -> Next:
    """An answer during a sentence that must be heard: keep it until the sentence ends."""
    return replace(call, speaking=False, early=joined(call.early, event.words)), ()


def heard_while_thinking(call: Call, event: ev.Heard) -> Next:
    """The caller went on after a pause: these words belong to the next question or to none."""
    call = replace(call, speaking=False)
    if call.awaiting:
        return replace(call, early=joined(call.early, event.words)), ()
    return ask(call, words=event.words)


def joined(first: Heard | None, second: Heard) -> Heard:
    """Two utterances as one."""
    if first is None:
        return second
    return Heard(text=f"{first.text} {second.text}", confidence=min(first.confidence, second.confidence))


def noise(call: Call, event: ev.NothingHeard) -> Next:
    """A sound without words: take the cut sentence up again; long mumbling, or three sounds, are a misunderstanding."""
    call = replace(call, speaking=False, noises=call.noises + 1)
    if call.state in (State.GREETING, State.THINKING):
        return (call, ()) if call.saying or call.awaiting else go_on(call)
    if call.noises >= NOISES_BEFORE_MISS or event.seconds >= MUMBLE_SECONDS:
        return miss(call, "no_match", call.said)
    return again(call, call.said) if call.cut else (call, (no_input(call),))


def key_in_greeting(call: Call, event: ev.DigitPressed) -> Next:
    """Somebody who reaches for the keys gets the keypad menu."""
    return seek_person(call, None, ()) if event.digit == "0" else to_keys(call)


def key(call: Call, event: ev.DigitPressed) -> Next:
    """A key as an answer: 0 alone is a person, digits of a number are collected, others go to the engine."""
    numeric = call.question is not None and call.question.expect in (Expect.NUMBER, Expect.SEVERITY)
    if event.digit == "0" and not call.digits:
        return seek_person(call, None, ())
    if numeric and event.digit in "0123456789":
        return collect(call, event.digit)
    if call.digits and event.digit == "#":
        return ask(call, words=Heard(text=call.digits))
    return ask(replace(call, speaking=False), digit=event.digit)


def collect(call: Call, digit: str) -> Next:
    """One more digit of a number."""
    call = replace(call, state=State.LISTENING, saying=0, digits=(call.digits + digit)[-6:])
    return call, (
        StopSaying(),
        StopTimer(name="no_input"),
        StartTimer(name="digits", seconds=DIGITS_SECONDS),
    )


def key_while_thinking(call: Call, event: ev.DigitPressed) -> Next:
    """Only 0 means something while nothing is asked."""
    return seek_person(call, None, ()) if event.digit == "0" else (call, ())


def timer(call: Call, event: ev.TimerFired) -> Next:
    """Timers of the conversation."""
    if event.name == "no_input" and call.state is State.LISTENING and not call.speaking and not call.digits:
        return miss(call, "no_input", call.said)
    if event.name == "digits" and call.digits:
        return ask(call, words=Heard(text=call.digits))
    if event.name == "filler" and call.state is State.THINKING and not call.saying and not call.speaking:
        return say(call, (prompt("filler"),))
    if event.name == "dialogue" and call.awaiting:
        return broken(call, event)
    return call, ()


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
