"""Steps for dead air: the caller has heard nothing for too long, whatever this machine believes.

The first level needs no step: the sound is already playing. At the second the keys take over, or what was given up is
said again; the third ends at a human in every state, or, where no human answered, at a promise that one will call.
"""

from dataclasses import replace

from dialogs.port import Level
from ivr.call import events as ev
from ivr.call import resume as back
from ivr.call.basics import Next, Step, prompt, say, stay
from ivr.call.commands import HangUp
from ivr.call.conversation import to_keys
from ivr.call.farewell import farewell, note, repeat_last
from ivr.call.handover import HOLD, HOLD_EMERGENCY, announce, asked, bridge, bridge_failed, seek, seek_person
from ivr.call.state import Call


def rungs(keys: Step, human: Step) -> Step:
    """A step out of the steps of the two upper levels."""

    def step(call: Call, event: ev.DeadAir) -> Next:
        match event.level:
            case ev.Lull.KEYS:
                return keys(call, event)
            case ev.Lull.HUMAN:
                return human(call, event)
        return call, ()

    return step


def keys(call: Call, event: ev.DeadAir) -> Next:
    """The conversation hangs: the keypad menu leads; where it led already, a human."""
    if not call.answered:
        return call, ()
    return human(call, event) if call.on_keys else to_keys(replace(call, speaking=False))


def human(call: Call, event: ev.DeadAir) -> Next:
    """Nothing of the conversation can be heard."""
    call = replace(call, speaking=False)
    return seek_person(call, None, (prompt("trouble"),), reason="trouble", level=Level.URGENT)


def still_seeking(call: Call, event: ev.DeadAir) -> Next:
    """A human is sought, and what should be said meanwhile cannot be heard: whoever has accepted is put through now;
    a plan that never came is asked for again."""
    call = replace(call, speaking=False)
    if call.accepted:
        return bridge(call)
    hold = HOLD_EMERGENCY if call.handover and call.handover.level is Level.EMERGENCY else HOLD
    lost = event.level is ev.Lull.HUMAN and not call.ringing | call.briefing
    if lost and call.handover:
        return seek(call, call.handover, call.announce or hold)
    return announce(call) if call.announce else say(call, hold)


def not_joined(call: Call, event: ev.DeadAir) -> Next:
    """Caller and agent were to be joined, and the line says neither that they are nor that they cannot be."""
    return bridge_failed(call, ev.BridgeFailed(slot=call.accepted))


def call_back(call: Call, event: ev.DeadAir) -> Next:
    """Nobody answered, and the offer to call back cannot be heard: who needed a human is called back unasked."""
    return farewell(call, ()) if call.noted else note(call)


def last_words(call: Call, event: ev.DeadAir) -> Next:
    """The result, or why nobody comes, could not be heard: a human says it, if there is one."""
    return (call, (HangUp(),)) if call.unanswered or call.denied else asked(call, event)


def again(call: Call, event: ev.DeadAir) -> Next:
    """Say the last sentences again."""
    return (call, ()) if call.noted else repeat_last(call, event)


CONVERSING: Step = rungs(keys, human)
RETURNING: Step = rungs(again, back.wants_human)
SEEKING: Step = rungs(still_seeking, still_seeking)
BRIDGED: Step = rungs(stay, not_joined)
PARTED: Step = rungs(again, asked)
OFFERING: Step = rungs(again, call_back)
CLOSING: Step = rungs(again, last_words)
