"""From the ring to the decision: look-up, code, hook."""

from dataclasses import replace

from dialogs.port import Prompt
from ivr.masked import events as ev
from ivr.masked.basics import (
    AGAIN,
    CHECK_SECONDS,
    CODE,
    CODE_SECONDS,
    FEWEST_DIGITS,
    KEYS_SECONDS,
    MOST_DIGITS,
    RING,
    RING_SECONDS,
    TRIES,
    Next,
    finish,
    fixed,
    hand_over,
    heard,
    plus,
    say,
    sentence,
    stay,
    tell,
    timer,
)
from ivr.masked.commands import Answer, AskHook, Command, Dial, Hush, Refuse, Resolve, Ringback, StopTimer
from ivr.masked.commands import Tell as TellOwner
from ivr.masked.state import Call, Leg, Offer, State
from masking.port import Admission, Decision, Happened, LegEnd, Outcome

LOOPED = 486
"""Busy: any status that means "try elsewhere" would come round once more."""


def arrive(call: Call, event: ev.Arrived) -> Next:
    """Look up what it leads to. A faked number is nobody's."""
    call = replace(
        call, state=State.ASKED, caller="" if event.suspect else event.caller, to_doctor=event.to_doctor,
        reachable=event.reachable and not event.suspect, serving=event.serving,
    )  # fmt: skip
    if event.loop:
        call = replace(call, state=State.ENDED, end=LegEnd.LOOP)
        return call, (Refuse(code=LOOPED), finish(call))
    if event.unavailable:
        return unavailable(call, event)
    told: tuple[Command, ...] = (TellOwner(kind=Happened.SPOOF_SUSPECT),) if event.suspect else ()
    return call, (Resolve(), *told)


def click(call: Call, event: ev.Clicked) -> Next:
    """The server calls both, if the hook agrees."""
    plan = event.plan
    call = replace(
        call, state=State.ADMITTING, click=True, caller=plan.first, binding=plan.binding, owner=event.owner,
        callee=plan.second, shown=plan.second_sees, first_shown=plan.first_sees, seconds=plan.seconds,
        tone_before=plan.tone_before, to_doctor=False,
    )  # fmt: skip
    return call, (AskHook(),)


def resolved(call: Call, event: ev.Resolved) -> Next:
    """Connect, ask for a code, or say why not."""
    if event.admission is not Admission.ADMITTED:
        return tell(call, LegEnd.LIMITED, sentence("limited"))
    verdict = event.verdict
    match verdict.outcome:
        case Outcome.CONNECT:
            call = replace(
                call, state=State.ADMITTING, binding=verdict.binding, owner=verdict.owner, callee=verdict.callee,
                shown=verdict.shown, seconds=verdict.seconds, tone_before=verdict.tone_before,
                by_code=verdict.by_code, digits="", words=(),
            )  # fmt: skip
            return call, (AskHook(), Ringback() if call.answered else Answer())
        case Outcome.ASK_CODE:
            return wrong_code(call) if call.digits else ask_code(call, "code")
        case Outcome.EXPIRED:
            call = replace(call, state=State.OFFERING, offer=Offer.HOTLINE, end=LegEnd.EXPIRED)
            return heard(call, sentence("expired"))
        case Outcome.LOCKED:
            return fixed(call, LegEnd.LOCKED)
        case Outcome.REFUSED:
            return fixed(call, LegEnd.REFUSED)
        case _:
            return fixed(call, LegEnd.UNBOUND if call.serving else LegEnd.OUT_OF_SERVICE)


def unavailable(call: Call, event: object) -> Next:
    """Masking cannot be asked: a human of ours takes the caller."""
    return hand_over(call, LegEnd.UNAVAILABLE, human=True)


# The code ------------------------------------------------------------------------------------------------------------


def ask_code(call: Call, name: str) -> Next:
    """Ask for it."""
    return heard(replace(call, state=State.CODING, digits=""), Prompt(key=f"masked.{name}"))


def wrong_code(call: Call) -> Next:
    """Three in a call, then it is over."""
    told = TellOwner(kind=Happened.CODE_FAILED)
    call = replace(call, tries=call.tries + 1, digits="")
    if call.tries >= TRIES:
        return plus(fixed(call, LegEnd.LOCKED), before=(told,))
    return plus(ask_code(call, "code_wrong"), before=(told,))


def said_code(call: Call, event: ev.SayEnded) -> Next:
    """The caller has time to find the code."""
    return (call, (timer(CODE, CODE_SECONDS),)) if event.say == call.saying else stay(call, event)


def key_of_code(call: Call, event: ev.KeyPressed) -> Next:
    """One digit more; hash ends it, star begins anew."""
    if event.leg is not Leg.A:
        return stay(call, event)
    if event.digit == "*":
        return plus(taken_back(call), before=(StopTimer(name=CODE),))
    if event.digit == "#":
        return code_ended(call)
    if not event.digit.isdecimal():
        return stay(call, event)
    call = replace(call, digits=call.digits + event.digit, saying=0)
    hush: tuple[Command, ...] = (Hush(leg=Leg.A), timer(CODE, KEYS_SECONDS))
    return plus(code_ended(call), before=hush) if len(call.digits) == MOST_DIGITS else (call, hush)


def code_timer(call: Call, event: ev.TimerFired) -> Next:
    """Silence ends the code; without any key it was a try."""
    return code_ended(call) if event.name == CODE else stay(call, event)


def code_ended(call: Call) -> Next:
    """Read back what could be a code."""
    stop = (StopTimer(name=CODE),)
    if len(call.digits) < FEWEST_DIGITS:
        return plus(wrong_code(call), before=stop)
    call = replace(call, state=State.CHECKING)
    return plus(say(call, Leg.A, (sentence("code_back", digits=", ".join(call.digits)),)), before=stop)


def said_check(call: Call, event: ev.SayEnded) -> Next:
    """The caller has time to press 1."""
    return (call, (timer(CODE, CHECK_SECONDS),)) if event.say == call.saying else stay(call, event)


def key_of_check(call: Call, event: ev.KeyPressed) -> Next:
    """1 or hash: it is right. Star or 2: keyed in anew."""
    if event.leg is not Leg.A:
        return stay(call, event)
    stop: tuple[Command, ...] = (StopTimer(name=CODE), Hush(leg=Leg.A))
    if event.digit in "1#":
        return replace(call, state=State.ASKED, saying=0), (*stop, Resolve(code=call.digits))
    return plus(taken_back(call), before=stop) if event.digit in "2*" else stay(call, event)


def check_timer(call: Call, event: ev.TimerFired) -> Next:
    """Nobody confirms: it is asked for again."""
    return taken_back(call) if event.name == CODE else stay(call, event)


def taken_back(call: Call) -> Next:
    """Anew; not for ever."""
    if call.again == AGAIN:
        return fixed(call, LegEnd.LOCKED)
    return ask_code(replace(call, again=call.again + 1), "code")


# The hook ------------------------------------------------------------------------------------------------------------


def hook_said(call: Call, event: ev.HookSaid) -> Next:
    """Only a plain yes goes on."""
    if event.decision is Decision.OPERATOR:
        return hand_over(call, LegEnd.INTERCEPTED, human=True)
    if event.decision is not Decision.CONNECT:
        return tell(call, LegEnd.INTERCEPTED, *(() if call.click else (sentence("unknown"),)))
    started = TellOwner(kind=Happened.CALL_STARTED)
    return plus(call_first(call) if call.click else call_callee(call), started)


def call_first(call: Call) -> Next:
    """Click-to-call: the doctor's phone first."""
    call = replace(call, state=State.CALLING)
    first = Dial(leg=Leg.A, party=call.caller, shown=call.first_shown)
    return call, (first, timer(RING, RING_SECONDS))


def call_callee(call: Call) -> Next:
    """The one whom the verdict names, and nobody else."""
    call = replace(call, state=State.RINGING, dialled=True, there=True)
    return call, (Dial(leg=Leg.B, party=call.callee, shown=call.shown), timer(RING, RING_SECONDS))
