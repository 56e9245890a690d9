"""Steps towards a human: ring, brief, bridge."""

from dataclasses import replace

from dialogs.port import Handover, Level, Prompt
from ivr.call import events as ev
from ivr.call.basics import (
    ACCEPT_SECONDS,
    ANNOUNCE_SECONDS,
    CALLBACK,
    DANGER,
    FRESH_SECONDS,
    Next,
    plus,
    prompt,
    say,
    stop_conversation_timers,
)
from ivr.call.commands import (
    Bridge,
    Brief,
    Command,
    DropAgent,
    FindAgent,
    Listen,
    Ring,
    StartTimer,
    StopSaying,
    StopTimer,
)
from ivr.call.state import Call, State

URGENCY_ORDER = (Level.EMERGENCY, Level.URGENT, Level.ROUTINE, Level.SELF_CARE)
HOLD = (Prompt(key="sound.hold"), prompt("still_calling"))
HOLD_EMERGENCY = (Prompt(key="sound.hold"), prompt("emergency_still"))


def seek_person(
    call: Call,
    handover: Handover | None,
    prompts: tuple[Prompt, ...],
    *,
    reason: str = "asked",
    level: Level = Level.ROUTINE,
) -> Next:
    """Find a human; without a handover given, make one from the reason, never below the level already known."""
    known = call.result.level if call.result else level
    wish = handover or Handover(
        level=min(level, known, key=URGENCY_ORDER.index),
        reason=reason,
        summary=(Prompt(key="agent.not_understood" if reason == "not_understood" else "agent.asked"),),
    )
    return seek(call, wish, prompts or (prompt("human_coming"),))


def asked(call: Call, event: object) -> Next:
    """The caller wants a person."""
    return seek_person(replace(call, speaking=False), None, ())


def red_flag(call: Call, event: ev.RedFlagRaised) -> Next:
    """A danger: phones ring now; the emergency number is said as soon as the caller lets us."""
    flag = event.flag
    wish = Handover(
        level=Level.EMERGENCY, reason=f"red_flag:{flag.rule}", summary=(flag.summary,), department=flag.department
    )
    return seek(call, wish, flag.prompts)


def seek(call: Call, wish: Handover, prompts: tuple[Prompt, ...]) -> Next:
    """Start ringing; speak now, or when the caller has finished the sentence."""
    call = replace(
        call, state=State.SEEKING, handover=wish, awaiting=0, pending=None, early=None, digits="", question=None
    )
    find: tuple[Command, ...] = (
        *stop_conversation_timers(),
        Listen(question=DANGER),
        FindAgent(level=wish.level, department=wish.department),
    )
    if call.speaking:
        waiting = replace(call, announce=prompts, saying=0)
        return waiting, (*find, StopSaying(), StartTimer(name="announce", seconds=ANNOUNCE_SECONDS))
    return plus(announce(replace(call, announce=prompts)), before=find)


def announce(call: Call) -> Next:
    """Say what waits. In danger the first sentence, with the emergency number, is heard to its end before the bridge;
    the advice after it gives way to a human."""
    words = call.announce
    if call.handover is None or call.handover.level is not Level.EMERGENCY:
        return plus(say(call, words, announce=(), said=words), StopTimer(name="announce"))
    first = say(call, words[:1], announce=(), advice=words[1:], said=words, must_hear=True)
    return plus(first, StopTimer(name="announce"))


def upgrade(call: Call, event: ev.RedFlagRaised) -> Next:
    """A danger while a human is already sought: phones that ring go on ringing, the plan becomes the urgent one."""
    if call.handover and call.handover.level is Level.EMERGENCY:
        return call, ()
    return red_flag(call, event)


def silent(call: Call, event: object) -> Next:
    """The caller has finished speaking: now say what waited."""
    call = replace(call, speaking=False)
    return announce(call) if call.announce else (call, ())


def plan_ready(call: Call, event: ev.PlanReady) -> Next:
    """Whose phones ring. A plan that comes while phones ring replaces the rest of the old one."""
    call = replace(call, plan=event.steps, step=-1)
    return (call, ()) if call.ringing or call.briefing or call.accepted else next_step(call)


def next_step(call: Call) -> Next:
    """Ring the next phones of the plan; after the last, tell the caller."""
    step = call.step + 1
    if step >= len(call.plan):
        return nobody(replace(call, step=step))
    ring = call.plan[step]
    slots = tuple(f"a{call.slots + n}" for n in range(1, len(ring.agents) + 1))
    after = replace(call, step=step, slots=call.slots + len(slots), ringing=frozenset(slots))
    rings = tuple(Ring(slot=slot, agent=agent) for slot, agent in zip(slots, ring.agents, strict=True))
    return after, (*rings, StartTimer(name="ring", seconds=ring.seconds))


def agent_answered(call: Call, event: ev.AgentAnswered) -> Next:
    """Somebody picked up: whisper the summary. A slot that we gave up is late."""
    if event.slot not in call.ringing or call.handover is None:
        return call, ()
    after = replace(call, ringing=call.ringing - {event.slot}, briefing=call.briefing | {event.slot})
    return after, (
        brief(after, event.slot),
        StartTimer(name=f"accept:{event.slot}", seconds=ACCEPT_SECONDS),
        *(() if after.ringing else (StopTimer(name="ring"),)),
    )


def brief(call: Call, slot: str) -> Brief:
    """One sentence about the caller, and how to take the call."""
    summary = call.handover.summary if call.handover else ()
    return Brief(slot=slot, prompts=(Prompt(key="agent.whisper"), *summary, Prompt(key="agent.accept")))


def brief_again(call: Call, event: ev.BriefingEnded) -> Next:
    """Until the agent decides, the summary is repeated."""
    return (call, (brief(call, event.slot),)) if event.slot in call.briefing else (call, ())


def agent_digit(call: Call, event: ev.AgentDigit) -> Next:
    """1 takes the call, 2 passes it on; other keys mean nothing."""
    if event.slot not in call.briefing or event.digit not in "12":
        return call, ()
    if event.digit == "2":
        return give_up(call, event.slot)
    others = (call.ringing | call.briefing) - {event.slot}
    call = replace(call, accepted=event.slot, ringing=frozenset(), briefing=frozenset())
    drops = (StopTimer(name="ring"), StopTimer(name=f"accept:{event.slot}"), *drop(others))
    return (call, drops) if call.must_hear or call.announce else plus(bridge(call), before=drops)


def bridge(call: Call) -> Next:
    """Join the two; from now on no machine speaks."""
    after = replace(call, state=State.BRIDGED, bridged=True, fresh=True, saying=0, speaking=False, announce=())
    return after, (
        StopSaying(),
        Bridge(slot=call.accepted),
        StartTimer(name="fresh", seconds=FRESH_SECONDS),
    )


def drop(slots: frozenset[str]) -> tuple[Command, ...]:
    """End agent legs and their timers."""
    return tuple(one for slot in sorted(slots) for one in (StopTimer(name=f"accept:{slot}"), DropAgent(slot=slot)))


def give_up(call: Call, slot: str) -> Next:
    """This agent will not take the call."""
    after = replace(call, briefing=call.briefing - {slot}, ringing=call.ringing - {slot})
    return plus(on_if_idle(after), before=drop(frozenset({slot})))


def on_if_idle(call: Call) -> Next:
    """Next step when nobody rings or listens any more."""
    return (call, ()) if call.ringing or call.briefing or call.accepted else next_step(call)


def agent_gone(call: Call, event: ev.AgentGone) -> Next:
    """An agent leg ended before the bridge."""
    if event.slot == call.accepted:
        return next_step(replace(call, accepted=""))
    if event.slot not in call.ringing | call.briefing:
        return call, ()
    after = replace(call, briefing=call.briefing - {event.slot}, ringing=call.ringing - {event.slot})
    return plus(on_if_idle(after), before=(StopTimer(name=f"accept:{event.slot}"),))


def seek_timer(call: Call, event: ev.TimerFired) -> Next:
    """Timers while a human is sought."""
    if event.name == "announce" and call.announce:
        return announce(call)
    if event.name == "ring" and call.ringing:
        return plus(on_if_idle(replace(call, ringing=frozenset())), before=drop(call.ringing))
    slot = event.name.removeprefix("accept:")
    return give_up(call, slot) if slot in call.briefing else (call, ())


def said_seeking(call: Call, event: ev.SayEnded) -> Next:
    """Bridge if somebody waits; else keep the line alive: dead air makes callers hang up."""
    if event.say != call.saying:
        return call, ()
    call = replace(call, saying=0, must_hear=False)
    if call.accepted:
        return bridge(call)
    if call.advice:
        return say(call, call.advice, advice=())
    urgent = call.handover is not None and call.handover.level is Level.EMERGENCY
    return say(call, HOLD_EMERGENCY if urgent else HOLD)


def nobody(call: Call) -> Next:
    """The plan is exhausted: the emergency number, and a callback if there is a number to call."""
    call = replace(call, plan=(), step=-1, announce=(), advice=(), speaking=False, unanswered=True)
    if call.noted or not call.reachable:
        words = (prompt("nobody"), prompt("callback_noted" if call.noted else "callback_impossible"))
        return say(call, words, state=State.CLOSING, said=words)
    offer = say(call, (prompt("nobody"), prompt("callback_offer")), state=State.OFFERING, question=CALLBACK)
    return plus(offer, before=(Listen(question=CALLBACK),))


def bridged_gone(call: Call, event: ev.AgentGone) -> Next:
    """The agent's leg ended: at once back to ringing when it was an accident, else ask whether that was all."""
    if event.slot != call.accepted:
        return call, ()
    call = replace(call, accepted="")
    if call.fresh and call.handover:
        return seek(call, call.handover, (prompt("human_coming"),))
    return say(call, (prompt("agent_lost"),), state=State.PARTED, said=(prompt("agent_lost"),))


def bridge_failed(call: Call, event: ev.BridgeFailed) -> Next:
    """The two could not be joined: try the next human."""
    if event.slot != call.accepted or call.handover is None:
        return call, ()
    again = seek(replace(call, accepted="", bridged=False), call.handover, (prompt("human_coming"),))
    return plus(again, before=drop(frozenset({event.slot})))


def bridged_timer(call: Call, event: ev.TimerFired) -> Next:
    """The bridge has stood long enough to count as a conversation."""
    return (replace(call, fresh=False), ()) if event.name == "fresh" else (call, ())
