"""The world around a call machine, as far as it can send events: for tests of every sequence and for the drawing."""

from dataclasses import dataclass, field, replace

from dialogs.port import Command as Spoken
from dialogs.port import Expect, Handover, Heard, Level, Prompt, Question, RedFlag, TriageResult, Turn
from ivr.call import commands as do
from ivr.call import events as ev
from ivr.call.machine import advance
from ivr.call.state import Call, State
from ivr.ports import Cause
from routing.port import Agent, RingStep

FLAG = RedFlag(rule="chest_pain", words="", prompts=(Prompt(key="red_flag.chest_pain"),), summary=Prompt(key="s"))
HANDOVER = Handover(level=Level.URGENT, reason="result", summary=(Prompt(key="s"),))
RESULT = TriageResult(level=Level.ROUTINE, department="d", complaint="c", reasons=(), version="1")
OPEN = Question(id="complaint", expect=Expect.OPEN)
AGE = Question(id="age", expect=Expect.NUMBER)
TURNS = (
    Turn(say=(Prompt(key="ask.complaint"),), question=OPEN),
    Turn(say=(Prompt(key="ask.age", interruptible=False),), question=AGE),
    Turn(say=(Prompt(key="ask.age"),), question=AGE, understood=False),
    Turn(say=(Prompt(key="result.urgent"),), handover=HANDOVER),
    Turn(say=(Prompt(key="result.routine"),), result=RESULT),
)
PLANS = (
    (),
    (
        RingStep(agents=(Agent(id="n1", address="sip:n1@127.0.0.1"),), seconds=15, name="agent"),
        RingStep(
            agents=(Agent(id="n1", address="sip:n1@127.0.0.1"), Agent(id="n2", address="sip:n2@127.0.0.1")),
            seconds=15,
            name="group",
        ),
    ),
)


@dataclass(slots=True)
class World:
    """One call and everything that may still come to it."""

    reachable: bool = True
    """Whether the caller can be called back."""
    call: Call = field(default_factory=Call)
    """The machine's value."""
    says: set[int] = field(default_factory=set)
    held: bool = False
    """Whether what is being said is held: it does not end by itself."""
    timers: set[str] = field(default_factory=set)
    asks: set[int] = field(default_factory=set)
    plans: int = 0
    legs: dict[str, str] = field(default_factory=dict)
    """Agent legs: "dialling", "ringing", "answered"."""
    briefs: set[str] = field(default_factory=set)
    notes: int = 0
    answering: bool = False
    hanging_up: bool = False
    trace: list[tuple[State, type, State]] = field(default_factory=list)
    done: list[do.Command] = field(default_factory=list)
    """All commands given so far."""

    def send(self, event: ev.Event) -> tuple[do.Command, ...]:
        """Let an event happen."""
        before = self.call.state
        self._spend(event)
        self.call, commands = advance(self.call, event)
        self.trace.append((before, type(event), self.call.state))
        for command in commands:
            self._take(command)
        self.done.extend(commands)
        return commands

    def _spend(self, event: ev.Event) -> None:
        """What was awaited has come."""
        match event:
            case ev.CallAnswered():
                self.answering = False
            case ev.SayEnded():
                self.says.discard(event.say)
                self.held = False
            case ev.TimerFired():
                self.timers.discard(event.name)
            case ev.TurnReady() | ev.DialogueFailed():
                self.asks.discard(event.ask)
            case ev.PlanReady():
                self.plans -= 1
            case ev.AgentRinging():
                self.legs[event.slot] = "ringing"
            case ev.AgentAnswered():
                self.legs[event.slot] = "answered"
            case ev.AgentGone():
                self.legs.pop(event.slot, None)
                self.briefs.discard(event.slot)
            case ev.BriefingEnded():
                self.briefs.discard(event.slot)
            case ev.CallbackNoted() | ev.CallbackFailed():
                self.notes -= 1

    def _take(self, command: do.Command) -> None:
        """What an order makes possible."""
        match command:
            case do.Answer():
                self.answering = True
            case do.Say():
                self.says, self.held = {command.say}, False
            case do.StopSaying():
                self.says, self.held = set(), False
            case do.Hold():
                self.held = True
            case do.GoOn():
                self.held = False
            case do.StartTimer():
                self.timers.add(command.name)
            case do.StopTimer():
                self.timers.discard(command.name)
            case do.AskDialogue():
                self.asks.add(command.ask)
            case do.FindAgent():
                self.plans += 1
            case do.Ring():
                self.legs[command.slot] = "dialling"
            case do.Brief():
                self.briefs.add(command.slot)
            case do.DropAgent():
                self.briefs.discard(command.slot)
            case do.NoteCallback():
                self.notes += 1
            case do.HangUp():
                self.hanging_up = True

    def pending(self) -> list[ev.Event]:
        """What will come by itself, in the order of the most natural: if this is empty, the call is stuck."""
        come: list[ev.Event] = [ev.CallAnswered()] if self.answering else []
        come += [ev.TurnReady(ask=ask, turn=TURNS[0]) for ask in sorted(self.asks)]
        come += [ev.PlanReady(steps=PLANS[1])] * bool(self.plans)
        for slot, at in sorted(self.legs.items()):
            if at == "dialling":
                come.append(ev.AgentRinging(slot=slot))
            elif at == "ringing":
                come.append(ev.AgentAnswered(slot=slot))
            elif slot in self.briefs:
                come.append(ev.BriefingEnded(slot=slot))
        come += [ev.CallbackNoted()] * bool(self.notes)
        come += [ev.SayEnded(say=say) for say in sorted(self.says) if not self.held]
        come += [ev.TimerFired(name=name) for name in sorted(self.timers)]
        return come + [ev.HungUp(cause=Cause.NORMAL)] * self.hanging_up

    def possible(self) -> list[ev.Event]:
        """Everything that can happen now, late and hostile events included."""
        if self.call.state is State.NEW:
            arrived = ev.CallArrived(call="c", party="p", reachable=self.reachable, language="en")
            cut = [
                replace(arrived, earlier="b", earlier_level=level, rung_back=rung)
                for level in (None, Level.ROUTINE, Level.EMERGENCY)
                for rung in (True, False)
            ]
            return [*[arrived] * 3 * len(cut), ev.HungUp(cause=Cause.NORMAL), *cut]  # most callers were never cut off
        can = self.pending() + [ev.HungUp(cause=Cause.NORMAL)]
        can += [ev.TurnReady(ask=ask, turn=turn) for ask in sorted(self.asks) for turn in TURNS[1:]]
        can += [ev.DialogueFailed(ask=ask) for ask in sorted(self.asks)]
        can += [ev.PlanReady(steps=PLANS[0])] * bool(self.plans)
        can += [ev.AgentGone(slot=slot, cause=Cause.BUSY) for slot in sorted(self.legs)]
        can += [
            ev.AgentDigit(slot=slot, digit=digit)
            for slot, at in sorted(self.legs.items())
            if at == "answered"
            for digit in "129"
        ]
        can += [ev.CallbackFailed()] * bool(self.notes)
        can += [ev.SayEnded(say=say) for say in sorted(self.says) if self.held]  # it ended just before the hold
        if self.call.accepted:
            can.append(ev.BridgeFailed(slot=self.call.accepted))
        if not self.answering:
            can += CALLER
        return can


CALLER: list[ev.Event] = [
    ev.SpeechStarted(),
    ev.TurnTaken(),
    ev.NothingHeard(),
    ev.NothingHeard(seconds=2.0),
    ev.Heard(words=Heard(text="mm hmm"), aside=True),
    ev.Heard(words=Heard(text="and my arm"), continues=True),
    ev.Heard(words=Heard(text="my head hurts")),
    ev.Heard(words=Heard(text="[unk]")),
    ev.Heard(words=Heard(text="no"), yes=False),
    ev.Heard(words=Heard(text="yes"), yes=True),
    ev.CommandHeard(command=Spoken.HUMAN),
    ev.CommandHeard(command=Spoken.REPEAT),
    ev.RedFlagRaised(flag=FLAG),
    *(ev.DigitPressed(digit=digit) for digit in "0127#"),
    ev.Trouble(what="recogniser"),
    ev.Trouble(what="voice"),
    *(ev.DeadAir(level=level) for level in ev.Lull),
]
"""What the caller, or a fault, can do at any moment after the answer."""
