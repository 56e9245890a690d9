"""From the first ring of the other phone to the end."""

from dataclasses import replace

from dialogs.port import Prompt
from ivr.masked import events as ev
from ivr.masked.basics import (
    CONFIRM,
    CONFIRM_SECONDS,
    LAST_MINUTE,
    OFFER,
    OFFER_SECONDS,
    RING,
    TIME_UP,
    Next,
    finish,
    hand_over,
    plus,
    say,
    sentence,
    stay,
    tell,
    timer,
    unreachable,
)
from ivr.masked.commands import Bridge, HangUp, Hush, NoteWish, Promise, Ringback, StopTimer, Warn
from ivr.masked.commands import Tell as TellOwner
from ivr.masked.entry import call_callee
from ivr.masked.state import Call, Leg, Offer, State
from ivr.ports import Cause
from masking.port import Happened, LegEnd, WishState

ENDS = {
    Cause.NORMAL: LegEnd.DECLINED,
    Cause.BUSY: LegEnd.BUSY,
    Cause.DECLINED: LegEnd.DECLINED,
    Cause.NO_ANSWER: LegEnd.NO_ANSWER,
    Cause.UNREACHABLE: LegEnd.UNREACHABLE,
}
"""Why a phone that rang was not reached; else the carrier failed."""


# Leg a ---------------------------------------------------------------------------------------------------------------


def up(call: Call, event: ev.LegUp) -> Next:
    """Leg a can hear: what waits to be said is said, else it rings."""
    if event.leg is not Leg.A:
        return stay(call, event)
    call = replace(call, answered=True)
    if call.words:
        return say(call, Leg.A, call.words)
    return call, (Ringback(),) if call.state in (State.ADMITTING, State.RINGING, State.CONFIRMING) else ()


def first_up(call: Call, event: ev.LegUp) -> Next:
    """Click-to-call: somebody picked up at the doctor's."""
    if event.leg is not Leg.A:
        return stay(call, event)
    call = replace(call, state=State.GREETING, answered=True)
    said = say(call, Leg.A, (sentence("click_first"),))
    return plus(said, timer(CONFIRM, CONFIRM_SECONDS), before=(StopTimer(name=RING),))


def first_said(call: Call, event: ev.SayEnded) -> Next:
    """Once more, until 1 is pressed or time is up."""
    return say(call, Leg.A, (sentence("click_first"),)) if event.say == call.saying else stay(call, event)


def first_key(call: Call, event: ev.KeyPressed) -> Next:
    """1: the patient is called."""
    if event.leg is not Leg.A or event.digit not in "12":
        return stay(call, event)
    if event.digit == "2":
        return tell(call, LegEnd.DECLINED, by="caller")
    before = (StopTimer(name=CONFIRM), NoteWish(state=WishState.FIRST_ANSWERED), Ringback())
    return plus(call_callee(replace(call, saying=0)), before=before)


def first_timer(call: Call, event: ev.TimerFired) -> Next:
    """Nobody picked up, or nobody pressed 1."""
    if event.name == RING and call.state is State.CALLING:
        return tell(call, LegEnd.NO_ANSWER)
    return tell(call, LegEnd.NOT_CONFIRMED) if event.name == CONFIRM else stay(call, event)


def down(call: Call, event: ev.LegDown) -> Next:
    """Leg a is gone: everything ends; leg b gone is told to whoever is left."""
    if event.leg is Leg.B:
        return callee_gone(call, event)
    if call.state in (State.CALLING, State.GREETING):  # nobody had spoken to us yet: it is the phone that was called
        end = ENDS.get(event.cause, LegEnd.FAILED) if call.state is State.CALLING else LegEnd.NOT_CONFIRMED
        call = replace(call, end=call.end or end, released_by="caller")
    elif call.state is not State.TELLING:
        end = LegEnd.COMPLETED if call.joined else LegEnd.ABANDONED
        failed = call.joined and event.cause is Cause.FAILED
        call = replace(call, end=call.end or (LegEnd.FAILED if failed else end), released_by="caller")
    drop = (HangUp(leg=Leg.B),) if call.there else ()
    call = replace(call, state=State.ENDED, there=False)
    return call, (*drop, finish(call))


# Leg b ---------------------------------------------------------------------------------------------------------------


def callee_gone(call: Call, event: ev.LegDown) -> Next:
    """What the caller is told depends on how far it had come."""
    call = replace(call, there=False)
    match call.state:
        case State.RINGING:
            return unreachable(call, ENDS.get(event.cause, LegEnd.FAILED))
        case State.CONFIRMING:
            return unreachable(call, LegEnd.NOT_CONFIRMED)
        case State.BRIDGED:
            end = LegEnd.FAILED if event.cause is Cause.FAILED else LegEnd.COMPLETED
            return tell(call, end, by="callee")
        case _:
            return call, ()


def dial_failed(call: Call, event: ev.DialFailed) -> Next:
    """No leg came of it."""
    if event.leg is Leg.A:
        if call.state is not State.CALLING:
            return stay(call, event)
        call = replace(call, state=State.ENDED, end=event.end)
        return call, (StopTimer(name=RING), finish(call))
    call = replace(call, there=False)
    if call.state is not State.RINGING:
        return stay(call, event)
    if event.end is LegEnd.BUSY:  # these two are connected, or being connected, already
        return tell(call, LegEnd.BUSY, sentence("busy"))
    if event.end is LegEnd.UNAVAILABLE:  # the vault does not give the number
        return hand_over(call, LegEnd.UNAVAILABLE, human=True)
    return unreachable(call, event.end)


def callee_up(call: Call, event: ev.LegUp) -> Next:
    """Somebody, or something, picked up: who is calling is said in neutral words."""
    if event.leg is Leg.A:
        return up(call, event)
    said = say(replace(call, state=State.CONFIRMING), Leg.B, offered(call))
    return plus(said, timer(CONFIRM, CONFIRM_SECONDS), before=(StopTimer(name=RING),))


def callee_said(call: Call, event: ev.SayEnded) -> Next:
    """Once more, until a key or the time decides."""
    return say(call, Leg.B, offered(call)) if event.say == call.saying else stay(call, event)


def offered(call: Call) -> tuple[Prompt, ...]:
    """Who is calling."""
    return (sentence("take_patient" if call.to_doctor else "take_doctor"),)


def wants_human(call: Call, event: ev.KeyPressed) -> Next:
    """0 for a human, as everywhere, for a caller who waits for somebody else."""
    if event.leg is not Leg.A or event.digit != "0" or call.click:
        return stay(call, event)
    return hand_over(call, LegEnd.ABANDONED, human=True)


def last_key(call: Call, event: ev.KeyPressed) -> Next:
    """0 for a human also in our last words, while they are being said to a caller who reached nobody."""
    if event.leg is not Leg.A or event.digit != "0" or call.click or call.joined or not call.saying:
        return stay(call, event)
    return hand_over(call, call.end or LegEnd.FAILED, human=True)


def callee_key(call: Call, event: ev.KeyPressed) -> Next:
    """1 takes the call, 2 does not; nothing else joins anybody."""
    if event.leg is Leg.A:
        return wants_human(call, event)
    if event.digit not in "12":
        return stay(call, event)
    if event.digit == "2":
        return unreachable(call, LegEnd.DECLINED)
    call = replace(call, state=State.BRIDGED, confirmed=True, joined=True, saying=0)
    tone = max(call.seconds - call.tone_before, call.seconds / 2)
    return call, (
        StopTimer(name=CONFIRM), Hush(leg=Leg.A), Hush(leg=Leg.B), Bridge(), timer(LAST_MINUTE, tone),
        timer(TIME_UP, call.seconds), TellOwner(kind=Happened.CALL_ANSWERED), NoteWish(state=WishState.CONNECTED),
    )  # fmt: skip


def callee_timer(call: Call, event: ev.TimerFired) -> Next:
    """It rings for too long, or nobody presses 1: a voicemail."""
    if event.name == RING and call.state is State.RINGING:
        return unreachable(call, LegEnd.NO_ANSWER)
    if event.name == CONFIRM and call.state is State.CONFIRMING:
        return unreachable(call, LegEnd.NOT_CONFIRMED)
    return stay(call, event)


def fax(call: Call, event: ev.FaxHeard) -> Next:
    """A machine: nobody is joined with it, for a fax tells its own number."""
    if event.leg is Leg.A:
        return tell(call, LegEnd.FAX, by="caller")
    return unreachable(call, LegEnd.FAX) if call.there else stay(call, event)


# Talking, and the end ----------------------------------------------------------------------------------------------


def talk_timer(call: Call, event: ev.TimerFired) -> Next:
    """A tone to both, then the end."""
    if event.name == LAST_MINUTE:
        return call, (Warn(),)
    return tell(call, LegEnd.TIME_UP) if event.name == TIME_UP else stay(call, event)


def killed(call: Call, event: ev.Killed) -> Next:
    """The binding was ended with its calls."""
    return tell(call, LegEnd.KILLED)


def bridge_failed(call: Call, event: ev.BridgeFailed) -> Next:
    """One of them has just gone."""
    call = replace(call, joined=False, confirmed=False)
    return tell(call, LegEnd.FAILED, sentence("unreachable"))


def broken(call: Call, event: ev.Broken) -> Next:
    """A fault of ours: a human takes whoever waits for a connection."""
    if call.joined:
        return stay(call, event)
    return hand_over(call, LegEnd.FAILED, human=True)


def said_offer(call: Call, event: ev.SayEnded) -> Next:
    """Time to press 1."""
    return (call, (timer(OFFER, OFFER_SECONDS),)) if event.say == call.saying else stay(call, event)


def offer_key(call: Call, event: ev.KeyPressed) -> Next:
    """1 takes the offer; 0 is a human, as everywhere."""
    if event.leg is not Leg.A or event.digit not in "01":
        return stay(call, event)
    stop = (StopTimer(name=OFFER), Hush(leg=Leg.A))
    if event.digit == "0" or call.offer is Offer.HOTLINE:
        return plus(hand_over(call, call.end or LegEnd.FAILED, human=event.digit == "0"), before=stop)
    if call.offer is Offer.NOTHING:
        return stay(call, event)
    call = replace(call, state=State.TELLING, words=(), saying=0)
    return call, (*stop, Promise())


def offer_timer(call: Call, event: ev.TimerFired) -> Next:
    """Who stays on the line is connected to the hotline; who wants no call back is let go."""
    if event.name != OFFER:
        return stay(call, event)
    if call.offer is Offer.HOTLINE:
        return hand_over(call, call.end or LegEnd.FAILED, human=False)
    return tell(call, call.end or LegEnd.FAILED)


def promised(call: Call, event: ev.Promised) -> Next:
    """Say whether it is written down."""
    return tell(call, call.end or LegEnd.FAILED, sentence("callback_noted" if event.noted else "unreachable"))


def said_last(call: Call, event: ev.SayEnded) -> Next:
    """We hang up."""
    return (call, (HangUp(leg=Leg.A),)) if event.say == call.saying else stay(call, event)
