"""What follows from a text. Pure."""

from dataclasses import dataclass

from masking.port import Admission, Happened, Outcome, Verdict
from masking.sms.words import Say, Word

LONGEST = 1500
"""Characters that are relayed; carriers take 1600, and what is hidden may make a text longer."""
CARDS = ("begin:vcard", "begin:vcalendar", "mecard:")
PAUSE = 3600.0
PAUSES = {
    Say.EMERGENCY: 600.0,
    Say.STOPPED: 60.0,
    Say.STARTED: 60.0,
    Say.HELP: 60.0,
    Say.MEDIA: 600.0,
    Say.GROUP: 600.0,
}
"""Seconds in which a sentence is said once to one phone by one number: two machines must not talk to each other."""
EVEN_STOPPED = frozenset({Say.EMERGENCY, Say.STOPPED, Say.STARTED})
"""Said also to those who want no texts: that their wish was understood, and what to do in the danger they told of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A whole text and all that is known about it."""

    verdict: Verdict
    """What a call would lead to."""
    admission: Admission = Admission.ADMITTED
    """Whether there are too many."""
    body: str = ""
    """Words."""
    word: Word | None = None
    """Meant for the relay."""
    media: int = 0
    """Pictures, cards, files."""
    others: int = 0
    """Further recipients."""
    danger: bool = False
    """Whether the words tell of a danger."""
    sender_stopped: bool = False
    """Whether the sender wants no texts of this pair."""
    callee_stopped: bool = False
    """Whether the other side wants none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do."""

    relay: bool = False
    """Whether the words are passed on."""
    say: tuple[Say, ...] = ()
    """What the sender is told."""
    stop: bool | None = None
    """A new wish of the sender."""
    event: Happened = Happened.TEXT_REFUSED
    """What is told of it."""
    reason: str = ""
    """Why it was not passed on; stable."""


def decide(text: Arrived) -> Plan:
    """Words of danger are answered whatever becomes of the text: a caller in danger comes before every other rule."""
    plan = _plan(text)
    first = (Say.EMERGENCY,) if text.danger else ()
    say = tuple(
        one for one in (*first, *plan.say) if one in EVEN_STOPPED or not text.sender_stopped or plan.stop is False
    )
    return Plan(relay=plan.relay, say=say, stop=plan.stop, event=plan.event, reason=plan.reason)


def _plan(text: Arrived) -> Plan:
    if text.verdict.outcome != Outcome.CONNECT:
        return _nowhere(text)
    if text.word == Word.STOP:  # before all limits: a wish to be left alone is never too much
        return Plan(say=(Say.STOPPED,), stop=True, event=Happened.TEXT_STOPPED)
    if text.admission != Admission.ADMITTED:
        say = () if text.admission == Admission.SCAN else (Say.LIMITED,)
        return Plan(say=say, reason=text.admission)
    if text.word == Word.START:
        return Plan(say=(Say.STARTED,), stop=False, event=Happened.TEXT_STOPPED, reason="started")
    return _to_the_other(text)


def _nowhere(text: Arrived) -> Plan:
    """Whoever may not write here hears one sentence, whatever the reason; only an end is told to those it concerns."""
    reason = str(text.verdict.outcome)
    if text.word == Word.STOP or text.admission != Admission.ADMITTED:
        return Plan(reason=reason)
    return Plan(say=(Say.EXPIRED if text.verdict.outcome == Outcome.EXPIRED else Say.UNKNOWN,), reason=reason)


def _to_the_other(text: Arrived) -> Plan:
    if text.others:
        return Plan(say=(Say.GROUP,), reason="group")
    if any(card in text.body.casefold() for card in CARDS) or (text.media and not text.body.strip()):
        return Plan(say=(Say.MEDIA,), reason="media")
    if len(text.body) > LONGEST:
        return Plan(say=(Say.TOO_LONG,), reason="too_long")
    if text.callee_stopped:
        return Plan(say=(Say.OTHER_STOPPED,), reason="stopped")
    # "Help" is passed on as well: it may be meant for the doctor.
    say = ((Say.MEDIA,) if text.media else ()) + ((Say.HELP,) if text.word == Word.HELP else ())
    return Plan(relay=True, say=say, event=Happened.TEXT_RELAYED)
