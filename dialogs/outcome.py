"""The last turn of a triage: what is said, who takes over, what the agent hears."""

from dialogs.conversation import Outcome, Talk, Triage
from dialogs.engine import Assessment, evaluate
from dialogs.facts import Facts, Who
from dialogs.port import Handover, Level, Prompt, TriageResult, Turn

ADVICE_SAID = 2
"""Pieces of care advice said: people on the phone keep no more in mind."""


def close(triage: Triage, talk: Talk) -> Turn:
    """The closing turn for every outcome but OPEN. Raises ValueError for an open conversation."""
    if talk.outcome is Outcome.RESULT:
        return _result(triage, talk.facts)
    if talk.outcome is Outcome.ADMINISTRATIVE:
        return Turn(
            say=(Prompt(key="result.administrative"),),
            handover=Handover(
                level=Level.ROUTINE, reason="administrative", summary=(Prompt(key="summary.administrative"),)
            ),
        )
    if talk.outcome is Outcome.HUMAN:
        return Turn(
            handover=Handover(level=_careful(triage, talk), reason="asked", summary=_asked(talk, "agent.asked"))
        )
    if talk.outcome is Outcome.NOT_UNDERSTOOD:
        summary = _asked(talk, "agent.not_understood")
        return Turn(handover=Handover(level=Level.URGENT, reason="not_understood", summary=summary), understood=False)
    raise ValueError("the conversation is open")


def _result(triage: Triage, facts: Facts) -> Turn:
    found = evaluate(facts, triage.kb)
    result = TriageResult(
        level=found.level,
        department=found.department,
        complaint=facts.complaint or "other",
        reasons=found.reasons,
        version=triage.kb.version,
    )
    handover = None
    if found.level in (Level.EMERGENCY, Level.URGENT):
        summary = _summary(triage, facts, found.level)
        handover = Handover(level=found.level, reason="result", summary=summary, department=found.department)
    return Turn(say=_sentences(found), handover=handover, result=result)


def _sentences(found: Assessment) -> tuple[Prompt, ...]:
    """Level first, then what to do, then what would change it. Nothing of an emergency may be interrupted."""
    if found.level is Level.EMERGENCY:
        keys = ("result.emergency", "result.emergency_human")
        return tuple(Prompt(key=key, interruptible=False) for key in keys)
    net = f"safety_net.{found.safety_net}"
    if found.level is Level.URGENT:
        return tuple(Prompt(key=key) for key in ("result.urgent", net))
    place = (f"department.{found.department}", f"result.within_{found.within}")
    level = ("result.self_care",) if found.level is Level.SELF_CARE else ("result.routine", *place)
    advice = (f"advice.{name}" for name in found.advice[:ADVICE_SAID])
    return tuple(Prompt(key=key) for key in (*level, *advice, net, "result.no_diagnosis"))


def _summary(triage: Triage, facts: Facts, level: Level) -> tuple[Prompt, ...]:
    keys = [f"summary.{level}", f"complaint.{facts.complaint or 'other'}", *_person(triage, facts)]
    return tuple(Prompt(key=key) for key in keys)


def _person(triage: Triage, facts: Facts) -> tuple[str, ...]:
    kb, age = triage.kb, facts.age_years
    if age is not None and age < kb.infant_below_years:
        return ("summary.infant",)
    if age is not None and age < kb.child_below_years:
        return ("summary.child",)
    if age is not None and age > kb.old_above_years:
        return ("summary.elderly",)
    return ("summary.someone_else",) if facts.for_whom in (Who.CHILD, Who.OTHER) else ()


def _asked(talk: Talk, key: str) -> tuple[Prompt, ...]:
    complaint = talk.facts.complaint
    return (Prompt(key=key), *((Prompt(key=f"complaint.{complaint}"),) if complaint else ()))


def _careful(triage: Triage, talk: Talk) -> Level:
    """A human asked for in the middle: the level so far, and never below routine."""
    if talk.facts.complaint is None:
        return Level.ROUTINE
    level = evaluate(talk.facts, triage.kb).level
    return Level.ROUTINE if level is Level.SELF_CARE else level
