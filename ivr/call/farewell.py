"""Steps at the end of a call: nobody answered, the agent left, last words, and hanging up."""

from dataclasses import replace

from dialogs.port import Level, Prompt
from ivr.call import events as ev
from ivr.call.basics import Next, plus, prompt, say
from ivr.call.commands import Finish, HangUp, NoteCallback, StartTimer, StopTimer
from ivr.call.handover import asked, drop
from ivr.call.state import Call, State

PARTED_SECONDS = 6.0
OFFER_SECONDS = 8.0


def said_offer(call: Call, event: ev.SayEnded) -> Next:
    """The offer is made; wait for yes, no or a key."""
    if event.say != call.saying:
        return call, ()
    return replace(call, saying=0), (StartTimer(name="no_input", seconds=OFFER_SECONDS),)


def offer_heard(call: Call, event: ev.Heard) -> Next:
    """A plain no declines; everything else counts as a yes, for a caller who was told that nobody is there."""
    call = replace(call, speaking=False)
    return farewell(call, ()) if event.yes is False else note(call)


def offer_digit(call: Call, event: ev.DigitPressed) -> Next:
    """1 accepts, 0 tries the phones once more, 2 declines."""
    if event.digit == "0":
        return asked(call, event)
    if event.digit == "2":
        return farewell(call, ())
    return note(call) if event.digit == "1" else (call, ())


def offer_timer(call: Call, event: ev.TimerFired) -> Next:
    """Silence after the offer: who needed help soon is called back unasked."""
    if event.name != "no_input" or call.speaking:
        return call, ()
    urgent = call.handover is not None and call.handover.level in (Level.EMERGENCY, Level.URGENT)
    return note(call) if urgent else farewell(call, ())


def still_waiting(call: Call, event: ev.NothingHeard) -> Next:
    """A sound without words: wait for an answer anew."""
    call = replace(call, speaking=False)
    return (call, ()) if call.saying or call.noted else (call, (StartTimer(name="no_input", seconds=OFFER_SECONDS),))


def note(call: Call) -> Next:
    """Write the callback down; the caller is told when it is."""
    if call.noted:
        return call, ()
    level = call.handover.level if call.handover else Level.ROUTINE
    return replace(call, noted=True), (StopTimer(name="no_input"), NoteCallback(level=level))


def callback_noted(call: Call, event: ev.CallbackNoted) -> Next:
    """It is durable: say so."""
    return farewell(call, (prompt("callback_noted"),))


def callback_failed(call: Call, event: ev.CallbackFailed) -> Next:
    """Never promise what is not written."""
    return farewell(replace(call, noted=False), (prompt("callback_impossible"),))


def farewell(call: Call, prompts: tuple[Prompt, ...]) -> Next:
    """Last words."""
    words = (*prompts, prompt("goodbye"))
    return plus(say(call, words, state=State.CLOSING, said=words), before=(StopTimer(name="no_input"),))


def said_parted(call: Call, event: ev.SayEnded) -> Next:
    """Wait a little for a caller who was cut off."""
    if event.say != call.saying:
        return call, ()
    return replace(call, saying=0), (StartTimer(name="no_input", seconds=PARTED_SECONDS),)


def parted_timer(call: Call, event: ev.TimerFired) -> Next:
    """Silence: that was all."""
    return farewell(call, ()) if event.name == "no_input" and not call.speaking else (call, ())


def zero_for_person(call: Call, event: ev.DigitPressed) -> Next:
    """0 works here too."""
    return asked(call, event) if event.digit == "0" else (call, ())


def repeat_last(call: Call, event: object) -> Next:
    """Say the last sentences again without leaving the state."""
    return say(replace(call, speaking=False), call.said, must_hear=call.must_hear) if call.said else (call, ())


def said_goodbye(call: Call, event: ev.SayEnded) -> Next:
    """Everything is said: hang up, unless the caller is speaking."""
    if event.say != call.saying:
        return call, ()
    return replace(call, saying=0), () if call.speaking else (HangUp(),)


def quiet_goodbye(call: Call, event: object) -> Next:
    """The caller spoke over the last words and is silent now."""
    return replace(call, speaking=False), () if call.saying else (HangUp(),)


def close(call: Call, event: ev.HungUp) -> Next:
    """The caller is gone: free everybody. Who hung up in danger before a human came is called back."""
    slots = call.ringing | call.briefing | ({call.accepted} if call.accepted else frozenset())
    urgent = call.handover is not None and call.handover.level in (Level.EMERGENCY, Level.URGENT)
    owed = urgent and call.reachable and not call.bridged and not call.noted
    callback = (NoteCallback(level=call.handover.level),) if owed and call.handover else ()
    after = replace(
        call,
        state=State.ENDED,
        saying=0,
        ringing=frozenset(),
        briefing=frozenset(),
        accepted="",
        noted=call.noted or owed,
    )
    return after, (*drop(frozenset(slots)), *callback, Finish(outcome=outcome(after)))


def outcome(call: Call) -> str:
    """One word for lists."""
    if call.bridged:
        return "bridged"
    if not call.met:
        return "not_reached"
    if call.noted:
        return "callback"
    if call.handover is None:
        return "advised" if call.result else "hung_up"
    return "unanswered" if call.unanswered else "hung_up"
