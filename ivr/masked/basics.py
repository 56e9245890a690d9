"""Small moves that all steps of a masked call are made of."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from dialogs.port import Prompt
from ivr.masked.commands import Answer, Command, Finish, HangUp, Hush, Say, StartTimer, StopTimer, TakeOver
from ivr.masked.state import Call, Leg, Offer, State
from masking.port import LegEnd

Next: TypeAlias = tuple[Call, tuple[Command, ...]]
Step: TypeAlias = Callable[[Call, Any], Next]

CONFIRM_SECONDS = 20.0
"""Time for whoever picked up to press 1: two rounds of the sentence; a voicemail never does."""
CODE_SECONDS = 10.0
"""Silence after the wish for a code before it counts as a try: the code must be looked for."""
KEYS_SECONDS = 5.0
"""Pause between keys that ends a code."""
CHECK_SECONDS = 8.0
"""Silence after a code was read back before it is asked for again."""
OFFER_SECONDS = 4.0
"""Silence after an offer before it takes its course."""
FEWEST_DIGITS = 6
MOST_DIGITS = 10
"""Of a code; with the last one it is whole."""
TRIES = 3
"""Wrong codes in one call."""
AGAIN = 4
"""How often a code may be taken back."""
RING, CONFIRM, LAST_MINUTE, TIME_UP = "ring", "confirm", "last_minute", "time_up"
CODE, OFFER = "code", "offer"
RING_SECONDS = 40.0
"""How long a phone rings; most voicemails answer before."""


def stay(call: Call, event: object) -> Next:
    """Nothing changes: the event is late, or means nothing here."""
    return call, ()


def sentence(name: str, **values: str) -> Prompt:
    """A sentence of masked calls."""
    return Prompt(key=f"masked.{name}", values=values)


def say(call: Call, leg: Leg, prompts: tuple[Prompt, ...], **changes: Any) -> Next:
    """Say sentences on a leg."""
    number = call.says + 1
    return replace(call, says=number, saying=number, **changes), (Say(leg=leg, say=number, prompts=prompts),)


def heard(call: Call, *prompts: Prompt, **changes: Any) -> Next:
    """Leg a hears sentences: at once, or as soon as it is answered."""
    call = replace(call, words=prompts, **changes)
    return say(call, Leg.A, prompts) if call.answered else (call, (Answer(),))


def plus(step: Next, *more: Command, before: tuple[Command, ...] = ()) -> Next:
    """The same step with commands around it."""
    return step[0], (*before, *step[1], *more)


def without_b(call: Call) -> tuple[Call, tuple[Command, ...]]:
    """Leg b is let go, and nothing waits for it any more."""
    stops: tuple[Command, ...] = (StopTimer(name=RING), StopTimer(name=CONFIRM))
    return replace(call, there=False), (*stops, HangUp(leg=Leg.B)) if call.there else stops


def tell(call: Call, end: LegEnd, *prompts: Prompt, by: str = "us") -> Next:
    """Last words to leg a, if any, then the end."""
    call, dropped = without_b(call)
    call = replace(call, state=State.TELLING, end=call.end or end, released_by=by)
    if prompts:
        return plus(heard(call, *prompts), before=dropped)
    return call, (*dropped, Hush(leg=Leg.A), HangUp(leg=Leg.A))


def fixed(call: Call, end: LegEnd) -> Next:
    """The one announcement of all that is not to be told apart. Nobody is left without a way to a human."""
    call, dropped = without_b(call)
    call = replace(call, state=State.OFFERING, offer=Offer.NOTHING, end=end)
    return plus(heard(call, sentence("unknown")), before=dropped)


def unreachable(call: Call, end: LegEnd) -> Next:
    """The callee cannot be had. The caller may be called back where we know the number."""
    if not call.reachable or call.click:
        return tell(call, end, sentence("unreachable"))
    call, dropped = without_b(call)
    call = replace(call, state=State.OFFERING, offer=Offer.CALLBACK, end=end)
    return plus(heard(call, sentence("unreachable"), sentence("callback_offer")), before=dropped)


def hand_over(call: Call, end: LegEnd, *, human: bool) -> Next:
    """The triage hotline goes on; a click-to-call has nobody to hand over."""
    if call.click:
        return tell(call, end, *((sentence("unreachable"),) if call.answered else ()))
    call, dropped = without_b(call)
    call = replace(call, state=State.HANDED, end=end)
    hush = (Hush(leg=Leg.A),) if call.answered else ()
    return call, (*dropped, *hush, finish(call), TakeOver(human=human))


def finish(call: Call) -> Finish:
    """The records."""
    return Finish(
        end=call.end or LegEnd.ABANDONED, released_by=call.released_by, dialled=call.dialled, joined=call.joined
    )


def timer(name: str, seconds: float) -> StartTimer:
    """Start or restart."""
    return StartTimer(name=name, seconds=seconds)
