"""One call's steps and facts in, its moments out. Pure: the clock is given with everything that is told.

The response gap is measured from the caller's last sound, which the ears date back from the end of the utterance, to
the first sound in what is given to the line. What the line and the network add is not in it.
"""

from collections.abc import Callable
from typing import Any

from ivr.call import commands as do
from ivr.call.state import Call, State
from ivr.watch import words
from ivr.watch.moments import Moment, What
from ivr.watch.watcher import Fact, Joined, JournalLost, Listened, Masked, MaskedEnded, Played, Step

KEYS_INSTEAD = "call.keys_instead"
"""Said first where the dialogue itself went over to the keypad menu."""


class Story:
    """What must be remembered of a call to measure it."""

    def __init__(self, at: float) -> None:
        self._began = at
        self._outcome = "failed"
        self._level = ""
        self._last_sound = at
        self._turn: float | None = None
        self._lost = 0
        self._on_keys = False
        self._asks: dict[int, tuple[float, str]] = {}
        self._says: dict[int, float] = {}
        self._rung: dict[str, float] = {}
        self._picked: dict[str, float] = {}
        self._ringing_now: set[str] = set()
        self._joining: dict[str, float] = {}
        self._flag: float | None = None
        self._flag_rang = self._flag_bridged = False
        self._out: list[Moment] = []

    def begin(self) -> list[Moment]:
        """The call was taken."""
        self._tell(What.BEGAN, self._began)
        self._tell(What.STATE, self._began, word=State.NEW.value)
        return self._take()

    def end(self, at: float) -> list[Moment]:
        """The call is over."""
        self._tell(What.ENDED, at, word=self._outcome, seconds=at - self._began)
        return self._take()

    def step(self, step: Step, at: float) -> list[Moment]:
        """A step of the machine."""
        if happened := EVENTS.get(type(step.event).__name__):
            happened(self, step, at)
        for command in step.commands:
            if ordered := COMMANDS.get(type(command)):
                ordered(self, command, at)
        self._compare(step.before, step.after, at)
        return self._take()

    def fact(self, fact: Fact, at: float) -> list[Moment]:
        """What the machine does not see."""
        match fact:
            case Listened():
                self._last_sound = at - fact.silence - fact.delay
                self._tell(What.LISTENED, at, seconds=fact.delay)
                if fact.lost > self._lost:
                    self._tell(What.LOST, at, count=fact.lost - self._lost)
                    self._lost = fact.lost
            case Played():
                self._played(fact, at)
            case Joined():
                self._joined(fact.slot, at)
            case JournalLost():
                self._tell(What.JOURNAL_LOST, at)
            case Masked():
                self._outcome = words.MASKED
                self._tell(What.STATE, at, word=words.MASKED)
            case MaskedEnded():
                self._tell(What.MASKED_ENDED, at, word=fact.end)
        return self._take()

    def _tell(self, what: What, at: float, **more: Any) -> None:
        self._out.append(Moment(what=what, at=at, **more))

    def _take(self) -> list[Moment]:
        out, self._out = self._out, []
        return out

    # What changed -------------------------------------------------------------------------------------------------

    def _compare(self, before: Call, after: Call, at: float) -> None:
        if after.state is not before.state:
            self._tell(What.STATE, at, word=after.state.value)
        if after.cut and not before.cut:
            self._tell(What.BARGED_IN, at)
        if after.on_keys and not before.on_keys:
            self._keys(at)
        known = after.handover or after.result
        if known is not None and known.level.value != self._level:
            self._level = known.level.value
            self._tell(What.LEVEL, at, word=self._level)
        if self._turn is not None and after.state in (State.BRIDGED, State.ENDED):
            self._drop_turn(at)

    # What happened ------------------------------------------------------------------------------------------------

    def _speech(self, step: Step, at: float) -> None:
        if self._turn is not None:
            self._drop_turn(at)

    def _words(self, step: Step, at: float) -> None:
        """The caller has finished: an answer is due, unless something is being said to the end over the words."""
        if getattr(step.event, "aside", False):
            return
        answered = any(isinstance(command, do.Say) for command in step.commands)
        if step.after.state in (State.BRIDGED, State.ENDED) or (step.after.saying and not answered):
            return
        self._turn = min(self._last_sound, at)
        self._tell(What.TURN_BEGAN, at, since=self._turn)

    def _keys(self, at: float) -> None:
        """Once a call: the dialogue may have gone over to the keys by itself before the machine does."""
        if not self._on_keys:
            self._on_keys = True
            self._tell(What.KEYS, at)

    def _drop_turn(self, at: float) -> None:
        self._turn = None
        self._tell(What.TURN_GONE, at)

    def _turn_came(self, step: Step, at: float, *, good: bool = True) -> None:
        ask: int = getattr(step.event, "ask", 0)
        since, engine = self._asks.pop(ask, (at, words.OTHER))
        self._tell(What.ANSWERED, at, key=str(ask), word=engine, seconds=at - since, good=good)
        turn = getattr(step.event, "turn", None)
        if turn is not None and any(one.key == KEYS_INSTEAD for one in turn.say):
            self._keys(at)

    def _turn_failed(self, step: Step, at: float) -> None:
        self._turn_came(step, at, good=False)

    def _red_flag(self, step: Step, at: float) -> None:
        if self._flag is None:
            self._flag = at
            self._tell(What.FLAG, at)
            if self._ringing_now:  # an agent's phone rings already, or somebody has taken the call
                self._flag_rang = True
                self._tell(What.FLAG_RANG, at)

    def _ringing(self, step: Step, at: float) -> None:
        self._ringing_now.add(_slot(step))
        self._tell(What.RINGING, at, key=_slot(step))
        if self._flag is not None and not self._flag_rang:
            self._flag_rang = True
            self._tell(What.FLAG_RANG, at, seconds=at - self._flag)

    def _picked_up(self, step: Step, at: float) -> None:
        slot = _slot(step)
        if slot in self._rung:
            self._picked[slot] = at
            self._tell(What.PICKED_UP, at, key=slot, seconds=at - self._rung[slot])

    def _pressed(self, step: Step, at: float) -> None:
        slot = _slot(step)
        if step.after.accepted == slot != step.before.accepted and slot in self._picked:
            self._tell(What.ACCEPTED, at, key=slot, seconds=at - self._picked[slot])

    def _leg_gone(self, step: Step, at: float) -> None:
        slot = _slot(step)
        self._ringing_now.discard(slot)
        if self._rung.pop(slot, None) is not None:
            cause = words.closed(str(getattr(step.event, "cause", "")), words.LEG_RESULTS)
            self._tell(What.LEG_GONE, at, key=slot, word=cause, good=self._picked.pop(slot, None) is not None)

    def _trouble(self, step: Step, at: float) -> None:
        self._tell(What.TROUBLE, at, word=words.closed(getattr(step.event, "what", ""), words.PARTS))

    def _air(self, step: Step, at: float) -> None:
        self._tell(What.DEAD_AIR, at, word=words.closed(str(getattr(step.event, "level", "")), words.AIR))

    def _owed(self, step: Step, at: float) -> None:
        self._tell(What.OWED, at)

    # What is done -------------------------------------------------------------------------------------------------

    def _asked(self, command: do.AskDialogue, at: float) -> None:
        self._asks[command.ask] = (at, command.engine.value)
        self._tell(What.ASKED, at, key=str(command.ask), word=command.engine.value)

    def _say(self, command: do.Say, at: float) -> None:
        self._says = {command.say: at}  # what was to be said before will not be heard any more
        self._tell(What.SAY, at, key=str(command.say))

    def _played(self, fact: Played, at: float) -> None:
        heard = at + fact.lead
        if (given := self._says.pop(fact.say, None)) is not None:
            self._tell(What.PLAYED, heard, key=str(fact.say), seconds=heard - given)
        if self._turn is not None:
            gap, self._turn = heard - self._turn, None
            self._tell(What.GAP, heard, seconds=gap)

    def _sought(self, command: do.FindAgent, at: float) -> None:
        self._tell(What.SOUGHT, at, word=command.level.value)

    def _ring(self, command: do.Ring, at: float) -> None:
        self._rung[command.slot] = at
        self._tell(What.RUNG, at, key=command.slot)

    def _join(self, command: do.Bridge, at: float) -> None:
        self._joining[command.slot] = at
        self._tell(What.JOINING, at, key=command.slot)

    def _joined(self, slot: str, at: float) -> None:
        self._tell(What.JOINED, at, key=slot, seconds=at - self._joining.pop(slot, at))
        if self._flag is not None and not self._flag_bridged:
            self._flag_bridged = True
            self._tell(What.FLAG_BRIDGED, at, seconds=at - self._flag)

    def _finish(self, command: do.Finish, at: float) -> None:
        self._outcome = words.closed(command.outcome, words.OUTCOMES)


def _slot(step: Step) -> str:
    return str(getattr(step.event, "slot", ""))


EVENTS: dict[str, Callable[[Story, Step, float], None]] = {
    "SpeechStarted": Story._speech,
    "Heard": Story._words,
    "CommandHeard": Story._words,
    "TurnReady": Story._turn_came,
    "DialogueFailed": Story._turn_failed,
    "RedFlagRaised": Story._red_flag,
    "AgentRinging": Story._ringing,
    "AgentAnswered": Story._picked_up,
    "AgentDigit": Story._pressed,
    "AgentGone": Story._leg_gone,
    "Trouble": Story._trouble,
    "DeadAir": Story._air,
    "CallbackNoted": Story._owed,
}
COMMANDS: dict[type, Callable[[Story, Any, float], None]] = {
    do.AskDialogue: Story._asked,
    do.Say: Story._say,
    do.FindAgent: Story._sought,
    do.Ring: Story._ring,
    do.Bridge: Story._join,
    do.Finish: Story._finish,
}
