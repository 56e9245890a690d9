"""The call machine: one table, (state, event) -> step. Pure: no clock, no I/O, no logging.

`advance` takes a frozen call and an event and returns the next call and the commands to carry out. A pair that is not
in the table is a mistake of the session and raises; events that may come late are in the table as `stay`.
"""

from dialogs.port import Command as Spoken
from ivr.call import answers as reply
from ivr.call import conversation as talk
from ivr.call import events as ev
from ivr.call import farewell as bye
from ivr.call import handover as hand
from ivr.call import rescue
from ivr.call import resume as back
from ivr.call.basics import Next, Step, quiet, said, stay, voiced
from ivr.call.state import Call, State


class IllegalEvent(Exception):
    """This event cannot happen in this state; the call is unchanged."""

    def __init__(self, state: State, event: type) -> None:
        super().__init__(f"{event.__name__} cannot happen in state {state}")


def command(repeat: Step) -> Step:
    """A spoken command: a person, or the last sentences again."""

    def step(call: Call, event: ev.CommandHeard) -> Next:
        return repeat(call, event) if event.command is Spoken.REPEAT else hand.asked(call, event)

    return step


def repeat_only(call: Call, event: ev.CommandHeard) -> Next:
    """A human is already sought; only "repeat" changes anything."""
    heard, commands = hand.silent(call, event)
    return bye.repeat_last(heard, event) if event.command is Spoken.REPEAT and not commands else (heard, commands)


def command_back(call: Call, event: ev.CommandHeard) -> Next:
    """Whoever picked up asks for a person, or to hear it again."""
    return bye.repeat_last(call, event) if event.command is Spoken.REPEAT else back.wants_human(call, event)


LIVE = tuple(state for state in State if state not in (State.NEW, State.ENDED))
TALKING = (State.GREETING, State.ASKING, State.LISTENING, State.THINKING)

TABLE: dict[tuple[State, type], Step] = {
    # Late echoes of orders already withdrawn; the states that await them say so below.
    **{
        (state, late): stay
        for state in LIVE
        for late in (
            ev.SayEnded,
            ev.TurnReady,
            ev.DialogueFailed,
            ev.PlanReady,
            ev.AgentRinging,
            ev.AgentAnswered,
            ev.BriefingEnded,
            ev.AgentDigit,
            ev.AgentGone,
            ev.BridgeFailed,
            ev.CallbackNoted,
            ev.CallbackFailed,
            ev.TimerFired,
            ev.Trouble,
        )
    },
    **{(state, ev.HungUp): bye.close for state in (*LIVE, State.NEW)},
    **{(state, ev.RedFlagRaised): hand.red_flag for state in LIVE},
    **{(state, ev.SpeechStarted): voiced for state in LIVE},
    **{(state, ev.TurnTaken): stay for state in LIVE},
    **{(state, late): quiet for state in LIVE for late in (ev.Heard, ev.NothingHeard)},
    **{(state, ev.DeadAir): rescue.CONVERSING for state in TALKING},
    (State.RETURNING, ev.DeadAir): rescue.RETURNING,
    (State.SEEKING, ev.DeadAir): rescue.SEEKING,
    (State.BRIDGED, ev.DeadAir): rescue.BRIDGED,
    (State.PARTED, ev.DeadAir): rescue.PARTED,
    (State.OFFERING, ev.DeadAir): rescue.OFFERING,
    (State.CLOSING, ev.DeadAir): rescue.CLOSING,
    (State.NEW, ev.CallArrived): back.arrive,
    # While the dialogue leads
    (State.GREETING, ev.CallAnswered): talk.greet,
    (State.GREETING, ev.SayEnded): talk.said_greeting,
    (State.ASKING, ev.SayEnded): talk.said_question,
    (State.LISTENING, ev.SayEnded): said,
    (State.THINKING, ev.SayEnded): said,
    (State.GREETING, ev.SpeechStarted): reply.barge_in,
    (State.ASKING, ev.SpeechStarted): reply.barge_in,
    (State.LISTENING, ev.SpeechStarted): reply.speech_in_silence,
    (State.GREETING, ev.TurnTaken): reply.take_turn,
    (State.ASKING, ev.TurnTaken): reply.take_turn,
    (State.GREETING, ev.Heard): reply.heard_greeting,
    (State.ASKING, ev.Heard): reply.heard_over_question,
    (State.LISTENING, ev.Heard): reply.heard_answer,
    (State.THINKING, ev.Heard): reply.heard_while_thinking,
    (State.GREETING, ev.NothingHeard): reply.noise,
    (State.ASKING, ev.NothingHeard): reply.noise_over_question,
    (State.LISTENING, ev.NothingHeard): reply.noise,
    (State.THINKING, ev.NothingHeard): reply.noise,
    (State.GREETING, ev.DigitPressed): reply.key_in_greeting,
    (State.ASKING, ev.DigitPressed): reply.key,
    (State.LISTENING, ev.DigitPressed): reply.key,
    (State.THINKING, ev.DigitPressed): reply.key_while_thinking,
    (State.GREETING, ev.CommandHeard): command(talk.greet_again),
    (State.ASKING, ev.CommandHeard): command(talk.repeat),
    (State.LISTENING, ev.CommandHeard): command(talk.repeat),
    (State.THINKING, ev.CommandHeard): command(quiet),
    **{(state, ev.TurnReady): talk.turn_ready for state in (State.GREETING, State.THINKING)},
    **{(state, ev.DialogueFailed): talk.failed for state in (State.GREETING, State.THINKING)},
    **{(state, ev.TimerFired): reply.timer for state in TALKING},
    **{(state, ev.Trouble): talk.broken for state in TALKING},
    # A caller whose earlier call was cut off by a fault of ours
    (State.RETURNING, ev.CallAnswered): back.answered,
    (State.RETURNING, ev.RedFlagRaised): back.danger,
    (State.RETURNING, ev.SayEnded): back.said,
    (State.RETURNING, ev.Heard): back.heard,
    (State.RETURNING, ev.NothingHeard): back.nothing,
    (State.RETURNING, ev.CommandHeard): command_back,
    (State.RETURNING, ev.DigitPressed): back.key,
    (State.RETURNING, ev.TimerFired): back.timer,
    (State.RETURNING, ev.Trouble): back.trouble,
    # While a human is sought
    (State.SEEKING, ev.RedFlagRaised): hand.upgrade,
    (State.SEEKING, ev.SayEnded): hand.said_seeking,
    (State.SEEKING, ev.Heard): hand.silent,
    (State.SEEKING, ev.NothingHeard): hand.silent,
    (State.SEEKING, ev.CommandHeard): repeat_only,
    (State.SEEKING, ev.DigitPressed): stay,
    (State.SEEKING, ev.PlanReady): hand.plan_ready,
    (State.SEEKING, ev.AgentAnswered): hand.agent_answered,
    (State.SEEKING, ev.BriefingEnded): hand.brief_again,
    (State.SEEKING, ev.AgentDigit): hand.agent_digit,
    (State.SEEKING, ev.AgentGone): hand.agent_gone,
    (State.SEEKING, ev.TimerFired): hand.seek_timer,
    # Caller and agent talk
    (State.BRIDGED, ev.RedFlagRaised): stay,
    (State.BRIDGED, ev.CommandHeard): stay,
    (State.BRIDGED, ev.DigitPressed): stay,
    (State.BRIDGED, ev.AgentGone): hand.bridged_gone,
    (State.BRIDGED, ev.BridgeFailed): hand.bridge_failed,
    (State.BRIDGED, ev.TimerFired): hand.bridged_timer,
    # The agent has left
    (State.PARTED, ev.SayEnded): bye.said_parted,
    (State.PARTED, ev.Heard): hand.asked,
    (State.PARTED, ev.NothingHeard): bye.still_waiting,
    (State.PARTED, ev.CommandHeard): command(bye.repeat_last),
    (State.PARTED, ev.DigitPressed): bye.zero_for_person,
    (State.PARTED, ev.TimerFired): bye.parted_timer,
    # Nobody answered
    (State.OFFERING, ev.SayEnded): bye.said_offer,
    (State.OFFERING, ev.Heard): bye.offer_heard,
    (State.OFFERING, ev.NothingHeard): bye.still_waiting,
    (State.OFFERING, ev.CommandHeard): command(bye.repeat_last),
    (State.OFFERING, ev.DigitPressed): bye.offer_digit,
    (State.OFFERING, ev.TimerFired): bye.offer_timer,
    (State.OFFERING, ev.CallbackNoted): bye.callback_noted,
    (State.OFFERING, ev.CallbackFailed): bye.callback_failed,
    # Last words
    (State.CLOSING, ev.SayEnded): bye.said_goodbye,
    (State.CLOSING, ev.Heard): bye.quiet_goodbye,
    (State.CLOSING, ev.NothingHeard): bye.quiet_goodbye,
    (State.CLOSING, ev.CommandHeard): command(bye.repeat_last),
    (State.CLOSING, ev.DigitPressed): bye.zero_for_person,
    # Over: whatever still comes is late
    **{(State.ENDED, late): stay for late in ev.Event.__args__ if late is not ev.CallArrived},
}


def advance(call: Call, event: ev.Event) -> Next:
    """The next call and the commands to carry out. Raises IllegalEvent and changes nothing."""
    step = TABLE.get((call.state, type(event)))
    if step is None:
        raise IllegalEvent(call.state, type(event))
    return step(call, event)
