"""Steps for what the caller does in the conversation: speaks, is silent, makes a noise, presses keys."""

from dataclasses import replace

from dialogs.port import Expect, Heard
from ivr.call import events as ev
from ivr.call.basics import DIGITS_SECONDS, Next, plus, prompt, say
from ivr.call.commands import StartTimer, StopSaying, StopTimer
from ivr.call.conversation import again, ask, broken, go_on, miss, no_input, to_keys
from ivr.call.handover import seek_person
from ivr.call.state import Call, State

NOISES_BEFORE_MISS = 3
MUMBLE_SECONDS = 0.8
"""A sound of this length was speech that could not be understood."""


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
