"""The machine of masked calls: one table, (state, event) -> step. Pure: no clock, no I/O, no logging.

`advance` takes a frozen call and an event and returns the next call and the commands to carry out. Everything can come
late, and a stranger can press keys at any time: a pair that is not in the table changes nothing, except that what is
sent before the call began is a mistake of the session and raises.
"""

from ivr.masked import entry, talk
from ivr.masked import events as ev
from ivr.masked.basics import Next, Step, stay
from ivr.masked.state import Call, State


class IllegalEvent(Exception):
    """This event cannot happen in this state; the call is unchanged."""

    def __init__(self, state: State, event: type) -> None:
        super().__init__(f"{event.__name__} cannot happen in state {state}")


LIVE = tuple(state for state in State if state not in (State.NEW, State.HANDED, State.ENDED))
SEEKING = (State.ADMITTING, State.RINGING, State.CONFIRMING, State.BRIDGED, State.CALLING, State.GREETING)
"""A binding is found, so it can be killed."""

TABLE: dict[tuple[State, type], Step] = {
    # Whatever comes late, or from whoever is not asked, means nothing; the states that await it say so below.
    **{(state, late): stay for state in LIVE for late in ev.Event.__args__ if late not in (ev.Arrived, ev.Clicked)},
    **{(state, late): stay for state in (State.HANDED, State.ENDED) for late in ev.Event.__args__},
    **{(state, ev.LegDown): talk.down for state in LIVE},
    **{(state, ev.LegUp): talk.up for state in LIVE},
    **{(state, ev.DialFailed): talk.dial_failed for state in LIVE},
    **{(state, ev.Killed): talk.killed for state in SEEKING},
    **{(state, ev.Broken): talk.broken for state in LIVE if state is not State.TELLING},
    **{
        (state, ev.FaxHeard): talk.fax
        for state in (State.CODING, State.CHECKING, State.GREETING, State.RINGING, State.CONFIRMING, State.OFFERING)
    },
    (State.NEW, ev.Arrived): entry.arrive,
    (State.NEW, ev.Clicked): entry.click,
    (State.NEW, ev.LegDown): talk.down,
    (State.ASKED, ev.Resolved): entry.resolved,
    (State.ASKED, ev.ResolveFailed): entry.unavailable,
    (State.CODING, ev.SayEnded): entry.said_code,
    (State.CODING, ev.KeyPressed): entry.key_of_code,
    (State.CODING, ev.TimerFired): entry.code_timer,
    (State.CHECKING, ev.SayEnded): entry.said_check,
    (State.CHECKING, ev.KeyPressed): entry.key_of_check,
    (State.CHECKING, ev.TimerFired): entry.check_timer,
    (State.ADMITTING, ev.HookSaid): entry.hook_said,
    # Click-to-call: the first phone
    (State.CALLING, ev.LegUp): talk.first_up,
    (State.CALLING, ev.TimerFired): talk.first_timer,
    (State.GREETING, ev.SayEnded): talk.first_said,
    (State.GREETING, ev.KeyPressed): talk.first_key,
    (State.GREETING, ev.TimerFired): talk.first_timer,
    # The other phone
    (State.RINGING, ev.LegUp): talk.callee_up,
    (State.RINGING, ev.KeyPressed): talk.wants_human,
    (State.RINGING, ev.TimerFired): talk.callee_timer,
    (State.CONFIRMING, ev.SayEnded): talk.callee_said,
    (State.CONFIRMING, ev.KeyPressed): talk.callee_key,
    (State.CONFIRMING, ev.TimerFired): talk.callee_timer,
    # Both talk
    (State.BRIDGED, ev.TimerFired): talk.talk_timer,
    (State.BRIDGED, ev.BridgeFailed): talk.bridge_failed,
    # Last words
    (State.OFFERING, ev.SayEnded): talk.said_offer,
    (State.OFFERING, ev.KeyPressed): talk.offer_key,
    (State.OFFERING, ev.TimerFired): talk.offer_timer,
    (State.TELLING, ev.SayEnded): talk.said_last,
    (State.TELLING, ev.KeyPressed): talk.last_key,
    (State.TELLING, ev.Promised): talk.promised,
}


def advance(call: Call, event: ev.Event) -> Next:
    """The next call and the commands to carry out. Raises IllegalEvent and changes nothing."""
    step = TABLE.get((call.state, type(event)))
    if step is None:
        raise IllegalEvent(call.state, type(event))
    return step(call, event)
