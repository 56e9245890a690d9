"""Steps for what the caller does in the conversation: speaks, is silent, makes a noise, presses keys."""

from dataclasses import replace

from dialogs.port import Heard, Turn
from ivr.call import events as ev
from ivr.call.basics import DIGITS_SECONDS, HOLD_SECONDS, Next, plus, prompt, say
from ivr.call.commands import GoOn, Hold, StartTimer, StopSaying, StopTimer
from ivr.call.conversation import again, ask, broken, go_on, miss, no_input, to_keys, typed
from ivr.call.handover import seek_person
from ivr.call.state import Call, State

NOISES_BEFORE_MISS = 3
MUMBLE_SECONDS = 0.8
"""A sound of this length was speech that could not be understood."""
HOLDS_A_SAY = 4
"""So often sounds may hold one Say; on a line with more of them only words stop it."""


def barge_in(call: Call, event: ev.SpeechStarted) -> Next:
    """A voice while something is said: be silent, unless it must be heard, until it is clear what the voice means."""
    call = replace(call, speaking=True)
    if not call.barge or not call.saying or call.holding or call.holds >= HOLDS_A_SAY:
        return call, ()
    held = replace(call, held=call.saying, holds=call.holds + 1)
    return held, (Hold(), StartTimer(name="hold", seconds=HOLD_SECONDS))


def take_turn(call: Call, event: object) -> Next:
    """The caller takes the turn: what was being said is given up."""
    call = replace(call, speaking=True)
    if not call.barge or not call.saying:
        return call, ()
    state = call.state if call.state is State.GREETING else State.LISTENING
    return replace(call, saying=0, cut=True, state=state), (StopSaying(), StopTimer(name="hold"))


def release(call: Call) -> Next:
    """The voice meant nothing: what is held goes on."""
    return (replace(call, held=0), (StopTimer(name="hold"), GoOn())) if call.holding else (call, ())


def aside(call: Call) -> Next:
    """A sign of listening: go on with the sentence, or say it again where it was given up meanwhile."""
    call = replace(call, speaking=False)
    if call.saying or call.awaiting or call.state not in (State.GREETING, State.LISTENING, State.THINKING):
        return release(call)
    if call.state is not State.LISTENING:
        return go_on(call)
    return again(call, call.said) if call.cut else (call, (no_input(call),))


def speech_in_silence(call: Call, event: ev.SpeechStarted) -> Next:
    """The caller begins to answer."""
    return replace(call, speaking=True), (StopTimer(name="no_input"),)


def heard_greeting(call: Call, event: ev.Heard) -> Next:
    """The caller did not wait for the first question."""
    if event.aside:
        return aside(call)
    call = replace(call, speaking=False)
    if call.awaiting:
        return replace(keep(call, event), state=State.THINKING, saying=0), (StopSaying(),)
    return answer(call, event)


def answer(call: Call, event: ev.Heard) -> Next:
    """Give the words to the dialogue. The rest of a sentence that was taken for finished goes with its beginning, and
    where the two fit no question the caller is asked the same again, without reproach."""
    if not event.continues or call.words is None:
        return ask(replace(call, words=event.words), words=event.words)
    whole = joined(call.words, event.words)
    pending = call.pending or (Turn(say=call.said, question=call.question) if call.said and call.question else None)
    return ask(replace(call, words=whole, pending=pending), words=whole)


def heard_answer(call: Call, event: ev.Heard) -> Next:
    """An answer: ask the dialogue what it means; without a single known word it is a misunderstanding."""
    if event.aside:
        return aside(call)
    call = replace(call, speaking=False)
    if not event.words.text.replace("[unk]", "").strip():
        return plus(miss(call, "no_match", call.said), before=(StopTimer(name="no_input"),))
    return answer(call, event)


def heard_over_question(call: Call, event: ev.Heard) -> Next:
    """An answer over the question stops it; one during a sentence that must be heard is kept until that ends."""
    if event.aside:
        return aside(call)
    if call.barge and call.saying:
        call, stop = take_turn(call, event)
        return plus(heard_answer(call, event), before=stop)
    return replace(call, speaking=False, early=joined(call.early, event.words)), ()


def heard_while_thinking(call: Call, event: ev.Heard) -> Next:
    """The caller went on after a pause: these words belong to the next question or to none."""
    if event.aside:
        return aside(call)
    call = replace(call, speaking=False)
    return (keep(call, event), ()) if call.awaiting else answer(call, event)


def keep(call: Call, event: ev.Heard) -> Call:
    """Words for when the dialogue is ready, after earlier ones that wait, or after the beginning of the sentence."""
    early = joined(call.early or (call.words if event.continues else None), event.words)
    return replace(call, early=early, words=early)


def joined(first: Heard | None, second: Heard) -> Heard:
    """Two utterances as one."""
    if first is None:
        return second
    return Heard(text=f"{first.text} {second.text}", confidence=min(first.confidence, second.confidence))


def noise(call: Call, event: ev.NothingHeard) -> Next:
    """A sound without words: what is held goes on, a cut sentence is taken up again; long mumbling, or three sounds,
    are a misunderstanding."""
    if call.holding:
        return aside(call)
    call = replace(call, speaking=False, noises=call.noises + 1)
    if call.state in (State.GREETING, State.THINKING):
        return (call, ()) if call.saying or call.awaiting else go_on(call)
    if call.noises >= NOISES_BEFORE_MISS or event.seconds >= MUMBLE_SECONDS:
        return miss(call, "no_match", call.said)
    return again(call, call.said) if call.cut else (call, (no_input(call),))


def noise_over_question(call: Call, event: ev.NothingHeard) -> Next:
    """A sound without words over a question: what is held goes on."""
    return aside(call)


def key_in_greeting(call: Call, event: ev.DigitPressed) -> Next:
    """Somebody who reaches for the keys gets the keypad menu."""
    return seek_person(call, None, ()) if event.digit == "0" else to_keys(call)


def key(call: Call, event: ev.DigitPressed) -> Next:
    """A key as an answer: 0 alone is a person, digits of a number are collected, others go to the engine."""
    if event.digit == "0" and not call.digits:
        return seek_person(call, None, ())
    if typed(call) and event.digit in "0123456789":
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
    if event.name == "hold" and call.holding:
        return take_turn(call, event) if call.speaking else release(call)
    if event.name == "no_input" and call.state is State.LISTENING and not call.speaking and not call.digits:
        return miss(call, "no_input", call.said)
    if event.name == "digits" and call.digits:
        return ask(call, words=Heard(text=call.digits))
    if event.name == "filler" and call.state is State.THINKING and not call.saying and not call.speaking:
        return say(call, (prompt("filler"),))
    if event.name == "dialogue" and call.awaiting:
        return broken(call, event)
    return call, ()
