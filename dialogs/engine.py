"""The triage engine: facts in, level of care and next question out. Pure, deterministic, no I/O.

It excludes dangers in falling order of urgency and pronounces no diagnosis. It is monotone: a further positive finding
never lowers a level, and "unknown" counts more than "absent".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dialogs.facts import Facts, Finding
from dialogs.knowledge_base import RANK, AskFinding, Complaint, KnowledgeBase, Rule
from dialogs.port import Expect, Level

LEVELS: Final = tuple(sorted(RANK, key=RANK.__getitem__))
ALSO_QUESTIONS: Final = 1
"""Emergency discriminators asked for each complaint mentioned besides the main one."""
_URGENT: Final = RANK[Level.URGENT]
_NO, _MAYBE, _YES = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The next thing to ask."""

    id: str
    """"complaint", "for_whom", "age", "onset", "severity", "risk" or "<complaint>.<finding>"."""
    slot: str
    """What the answer fills: one of the general names, or "finding"."""
    expect: Expect
    """Kind of answer."""
    prompt: str
    """Key of the sentence."""
    finding: str | None = None
    """The finding asked for, where slot is "finding"."""
    danger: str | None = None
    """Red-flag rule that a yes fires."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What the facts say so far. The level is a result only once `next_question` is None."""

    level: Level
    """Level of care."""
    reasons: tuple[str, ...]
    """Rules that hold at this level or raised to it, sorted by name."""
    next_question: Ask | None
    """What to ask, or None where no answer could change the outcome any more."""
    department: str
    """Where to go."""
    within: str
    """Time frame: "now", "today", "3_days", "1_week", "2_weeks" or "home"."""
    advice: tuple[str, ...]
    """Names of care advice."""
    safety_net: str
    """Name of the sentence on what would change the advice."""


GENERAL: Final = {
    "for_whom": Ask(id="for_whom", slot="for_whom", expect=Expect.CHOICE, prompt="ask.for_whom"),
    "age": Ask(id="age", slot="age", expect=Expect.NUMBER, prompt="ask.age"),
    "onset": Ask(id="onset", slot="onset", expect=Expect.DURATION, prompt="ask.onset"),
    "severity": Ask(id="severity", slot="severity", expect=Expect.SEVERITY, prompt="ask.severity"),
    "risk": Ask(id="risk", slot="risk", expect=Expect.YES_NO, prompt="ask.risk"),
}
COMPLAINT: Final = Ask(id="complaint", slot="complaint", expect=Expect.OPEN, prompt="ask.complaint")


def evaluate(facts: Facts, kb: KnowledgeBase) -> Assessment:
    """Assess the facts. Raises KeyError for a complaint that the knowledge base does not have."""
    main = kb.complaints[facts.complaint or "other"]
    reasons = tuple(_reasons(facts, kb))
    rank = max([rank for _, rank in reasons], default=RANK[main.level])
    raisers = tuple(_raisers(facts, kb))
    raised = max(rank, min(rank + 1, _URGENT)) if raisers else rank
    level = LEVELS[raised]
    names = {name for name, value in reasons if value == rank} | (set(raisers) if raised > rank else set())
    return Assessment(
        level=level,
        reasons=tuple(sorted(names)),
        next_question=_next(facts, kb, main, raised),
        department=_department(facts, kb, main, level),
        within=_within(main, level),
        advice=() if level is Level.EMERGENCY else main.advice,
        safety_net=main.safety_net,
    )


def _complaints(facts: Facts, kb: KnowledgeBase) -> tuple[Complaint, ...]:
    return tuple(kb.complaints[name] for name in (facts.complaint or "other", *facts.also))


def _reasons(facts: Facts, kb: KnowledgeBase) -> Iterator[tuple[str, int]]:
    """Every rule that holds, with the rank it gives."""
    for complaint in _complaints(facts, kb):
        base = RANK[complaint.level]
        yield complaint.id, base
        for question in complaint.questions:
            name, rank = f"{complaint.id}.{question.finding}", RANK[question.level]
            answer = facts.findings.get(question.finding)
            if answer is Finding.PRESENT:
                yield name, rank
            elif answer is Finding.UNKNOWN:
                yield f"{name}.unknown", min(rank, max(base + 1, rank - 1))
        for rule in complaint.rules:
            holds = _holds(rule, facts)
            if holds:
                yield rule.name, RANK[rule.level] - (holds == _MAYBE)
    yield from _general_reasons(facts, kb)


def _general_reasons(facts: Facts, kb: KnowledgeBase) -> Iterator[tuple[str, int]]:
    if facts.age_years is not None and facts.age_years < kb.infant_below_years:
        yield "age.infant", _URGENT
    if facts.severity is not None and facts.severity >= kb.severity_urgent_from:
        yield "severity.high", _URGENT
    for name, level in kb.alarms.items():
        if facts.findings.get(name) is Finding.PRESENT:
            yield f"alarm.{name}", RANK[level]


def _raisers(facts: Facts, kb: KnowledgeBase) -> Iterator[str]:
    """Names of what lifts the level by one, not above urgent."""
    if facts.age_years is not None and facts.age_years > kb.old_above_years:
        yield "age.old"
    for modifier in facts.modifiers:
        yield f"modifier.{modifier}"
    for name in ("age", "severity", "risk"):
        if name in facts.unknown:
            yield f"{name}.unknown"


def _holds(rule: Rule, facts: Facts) -> int:
    """2 where the rule holds, 1 where only an unknown answer stands in its way, 0 where not."""
    parts = []
    if rule.finding is not None:
        answer = facts.findings.get(rule.finding)
        parts.append({Finding.PRESENT: _YES, Finding.UNKNOWN: _MAYBE}.get(answer, _NO) if answer else _NO)
    if rule.modifier is not None:
        parts.append(_YES if rule.modifier in facts.modifiers else _NO)
    if rule.severity_at_least is not None:
        parts.append(_compare(facts.severity, "severity", facts, low=rule.severity_at_least))
    age_low, age_high = rule.age_over_years, rule.age_below_years
    if age_low is not None or age_high is not None:
        parts.append(_compare(facts.age_years, "age", facts, above=age_low, below=age_high))
    onset_low, onset_high = rule.onset_over_hours, rule.onset_below_hours
    if onset_low is not None or onset_high is not None:
        parts.append(_compare(facts.onset_hours, "onset", facts, above=onset_low, below=onset_high))
    return min(parts, default=_NO)


def _compare(
    value: float | None,
    name: str,
    facts: Facts,
    *,
    above: float | None = None,
    below: float | None = None,
    low: float | None = None,
) -> int:
    if value is None:
        return _MAYBE if name in facts.unknown else _NO
    inside = (above is None or value > above) and (below is None or value < below) and (low is None or value >= low)
    return _YES if inside else _NO


def _next(facts: Facts, kb: KnowledgeBase, main: Complaint, rank: int) -> Ask | None:
    if facts.complaint is None:
        return COMPLAINT
    if rank == RANK[Level.EMERGENCY]:
        return None
    return next((ask for ask, up_to in _script(facts, kb, main) if up_to > rank and _open(ask, facts)), None)


def _script(facts: Facts, kb: KnowledgeBase, main: Complaint) -> Iterator[tuple[Ask, int]]:
    """All questions in order, each with the highest rank that its answer can lead to."""
    emergency = RANK[Level.EMERGENCY]
    general = [name for name in GENERAL if name not in main.skip and name != "risk"]
    for name in main.first:
        yield GENERAL[name], _reach(name, main)
    for question in main.questions:
        if RANK[question.level] == emergency:
            yield _ask(main, question), emergency
    for name in facts.also:
        urgent = [question for question in kb.complaints[name].questions if RANK[question.level] == emergency]
        for question in urgent[:ALSO_QUESTIONS]:
            yield _ask(kb.complaints[name], question), emergency
    for name in general:
        yield GENERAL[name], _reach(name, main)
    for question in main.questions:
        if RANK[question.level] < emergency:
            yield _ask(main, question), _finding_reach(question, main, facts)
    if "risk" not in main.skip:
        yield GENERAL["risk"], _reach("risk", main)


def _reach(name: str, main: Complaint) -> int:
    """The rank that knowing this may lead to: urgent by the general rules, more where the complaint has a rule."""
    ranks = [RANK[rule.level] for rule in main.rules if _uses(rule, name)]
    return max([_URGENT, *ranks])


def _finding_reach(question: AskFinding, main: Complaint, facts: Facts) -> int:
    """The rank that a yes may lead to, alone or together with a condition already known."""
    rules = [
        RANK[rule.level]
        for rule in main.rules
        if rule.finding == question.finding and (rule.modifier is None or rule.modifier in facts.modifiers)
    ]
    return max([RANK[question.level], *rules])


def _uses(rule: Rule, name: str) -> bool:
    conditions = {
        "age": (rule.age_below_years, rule.age_over_years),
        "severity": (rule.severity_at_least,),
        "onset": (rule.onset_over_hours, rule.onset_below_hours),
    }
    return any(condition is not None for condition in conditions.get(name, ()))


def _ask(complaint: Complaint, question: AskFinding) -> Ask:
    return Ask(
        id=f"{complaint.id}.{question.finding}",
        slot="finding",
        expect=Expect.YES_NO,
        prompt=f"ask.{question.finding}",
        finding=question.finding,
        danger=question.danger,
    )


def _open(ask: Ask, facts: Facts) -> bool:
    """Whether this was not answered yet."""
    if ask.finding is not None:
        return ask.finding not in facts.findings
    known = {
        "for_whom": facts.for_whom is not None,
        "age": facts.age_years is not None,
        "onset": facts.onset_hours is not None,
        "severity": facts.severity is not None,
        "risk": facts.risk_asked or bool(facts.modifiers),
    }
    return not known[ask.slot] and ask.slot not in facts.unknown


def _department(facts: Facts, kb: KnowledgeBase, main: Complaint, level: Level) -> str:
    if level is Level.EMERGENCY:
        return "emergency"
    child = facts.age_years is not None and facts.age_years < kb.child_below_years
    return main.department_child if child else main.department


def _within(main: Complaint, level: Level) -> str:
    if level is main.level:
        return main.within
    return {Level.EMERGENCY: "now", Level.URGENT: "today", Level.ROUTINE: "3_days", Level.SELF_CARE: "home"}[level]
