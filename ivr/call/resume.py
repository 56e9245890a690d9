"""Steps for a caller whose earlier call was cut off by a fault of ours: who called again, or was rung back."""

from dataclasses import replace

from dialogs.port import Expect, Handover, Level, Prompt, Question
from ivr.call import conversation as talk
from ivr.call import events as ev
from ivr.call.basics import Next, plus, prompt, say
from ivr.call.commands import Answer, HangUp, Listen, StartTimer, StopTimer
from ivr.call.farewell import farewell
from ivr.call.handover import asked, red_flag, seek_person
from ivr.call.state import Call, State

CONFIRM_SECONDS = 5.0
"""Silence after "if you called, press one" before it is said again."""
ASKED_TWICE = 2
IS_IT_YOU = Question(id="rung_back", expect=Expect.YES_NO, hints=("yes", "yes i did", "no", "no i did not"))
"""Asked of whoever picks up."""
SUMMARY = (Prompt(key="agent.cut_off"),)


def arrive(call: Call, event: ev.CallArrived) -> Next:
    """A caller. Who was in danger, or was about to reach a human when our fault struck, goes on where that was."""
    call = replace(call, reachable=event.reachable, earlier=event.earlier, earlier_level=event.earlier_level)
    call = replace(call, met=not event.rung_back)
    if not event.earlier or not (event.rung_back or event.earlier_level):
        return talk.arrive(call, event)
    return replace(call, state=State.RETURNING), (Answer(), Listen(question=IS_IT_YOU))


def answered(call: Call, event: ev.CallAnswered) -> Next:
    """Media flows. In danger nobody is asked first: a voicemail costs an agent ten seconds, a question perhaps more."""
    call = replace(call, answered=True)
    if call.met or call.earlier_level in (Level.EMERGENCY, Level.URGENT):
        return to_human(call)
    return ask_who(call)


def ask_who(call: Call) -> Next:
    """Say who we are, and ask whether this is the caller: a relative or a machine may have picked up."""
    words = (prompt("cut_off"), prompt("cut_off_confirm"))
    return say(replace(call, misses=call.misses + 1), words, said=words, question=IS_IT_YOU)


def said(call: Call, event: ev.SayEnded) -> Next:
    """Asked; wait for an answer."""
    if event.say != call.saying:
        return call, ()
    return replace(call, saying=0), (StartTimer(name="no_input", seconds=CONFIRM_SECONDS),)


def heard(call: Call, event: ev.Heard) -> Next:
    """Only a plain yes counts: the greeting of a voicemail has words too."""
    call = replace(call, speaking=False)
    if event.yes is None:
        return (call, ()) if call.saying else (call, (StartTimer(name="no_input", seconds=CONFIRM_SECONDS),))
    return confirmed(call) if event.yes else denied(call)


def nothing(call: Call, event: ev.NothingHeard) -> Next:
    """A sound without words: wait anew."""
    call = replace(call, speaking=False)
    return (call, ()) if call.saying else (call, (StartTimer(name="no_input", seconds=CONFIRM_SECONDS),))


def trouble(call: Call, event: ev.Trouble) -> Next:
    """Without ears the keys lead, here and afterwards; anything else broken is no reason to leave."""
    return (replace(call, on_keys=True), ()) if event.what == "recogniser" else (call, ())


def key(call: Call, event: ev.DigitPressed) -> Next:
    """1 is yes, 2 is no, 0 is a person, as everywhere."""
    if event.digit == "0":
        return wants_human(call, event)
    if event.digit not in "12":
        return call, ()
    return confirmed(call) if event.digit == "1" else denied(call)


def timer(call: Call, event: ev.TimerFired) -> Next:
    """Nobody answers: ask once more, then give up; the next try is made later."""
    if event.name != "no_input" or call.saying or call.speaking:
        return call, ()
    return ask_who(call) if call.misses < ASKED_TWICE else (call, (HangUp(),))


def confirmed(call: Call) -> Next:
    """It is the caller: to the human who was sought, else the conversation again."""
    call = replace(call, met=True, misses=0, question=None)
    if call.earlier_level is not None:
        return plus(to_human(call), before=(StopTimer(name="no_input"),))
    return talk.ask(call)


def denied(call: Call) -> Next:
    """Somebody else: say goodbye, and leave it to a human to call again."""
    return farewell(replace(call, denied=True), ())


def wants_human(call: Call, event: object) -> Next:
    """Whoever asks for a person gets one."""
    return asked(replace(call, met=True), event)


def danger(call: Call, event: ev.RedFlagRaised) -> Next:
    """Whoever speaks of a danger is in it."""
    return red_flag(replace(call, met=True), event)


def to_human(call: Call) -> Next:
    """The human, at the urgency known from the earlier call."""
    level = call.earlier_level or Level.ROUTINE
    wish = Handover(level=level, reason="cut_off", summary=SUMMARY)
    words = (prompt("cut_off"), prompt("human_coming"))
    return seek_person(replace(call, met=True), wish, words)
