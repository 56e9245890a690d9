"""The triage knowledge: frozen types, and their loader from knowledge/*.toml.

Structure after telephone protocols in daily use (Schmitt-Thompson, NHS Pathways): questions in falling urgency, each
naming the danger it rules out; the first yes that cannot be outdone decides. Every file names its guideline.
"""

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dialogs.port import Level
from dialogs.tables import DataError, Table

RANK: Final[Mapping[Level, int]] = {Level.SELF_CARE: 0, Level.ROUTINE: 1, Level.URGENT: 2, Level.EMERGENCY: 3}
"""Levels as numbers: higher is more urgent."""
DANGERS: Final = frozenset(
    (
        *("chest_pain", "stroke", "breathing", "unconscious", "bleeding", "anaphylaxis", "seizure", "suicide"),
        *("poisoning", "pregnancy_bleeding", "infant_fever", "head_injury", "meningitis", "burn"),
    )
)
"""Names of the safety net's red-flag rules."""
FRAMES: Final = frozenset(("today", "3_days", "1_week", "2_weeks", "home"))
"""Time frames that a complaint may give."""
ASKED_OF_ALL: Final = frozenset(("for_whom", "age", "onset", "severity", "risk"))
"""General questions; a complaint may want some before its discriminators (`first`) or never (`skip`)."""
GENERAL: Final = "general.toml"
OTHER: Final = "other"
"""The protocol for a complaint that was not understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskFinding:
    """One discriminator of a complaint, always asked as a yes/no question."""

    finding: str
    """Name in the catalogue of findings; the sentence is "ask.<finding>"."""
    level: Level
    """Level where the answer is yes."""
    danger: str | None
    """Red-flag rule of the safety net that a yes fires; None where it has none for this danger."""
    rules_out: str
    """The dangers that a no makes unlikely; for reviewers, never spoken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A combination that sets a level; all conditions given must hold. It never lowers."""

    name: str
    """Stable name for reports: "<complaint>.rule<number>"."""
    level: Level
    """Level where it holds."""
    source: str
    """Guideline behind it."""
    danger: str | None = None
    """Red-flag rule it stands for, if any."""
    finding: str | None = None
    """Finding that must be present (an unknown one counts half: one level below)."""
    modifier: str | None = None
    """Condition that must be known."""
    age_below_years: float | None = None
    """Strictly younger."""
    age_over_years: float | None = None
    """Strictly older."""
    onset_over_hours: float | None = None
    """Lasting longer."""
    onset_below_hours: float | None = None
    """Newer than that."""
    severity_at_least: int | None = None
    """0 to 10."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One complaint's protocol."""

    id: str
    """Stable name, also the file's name."""
    department: str
    """Where grown-ups go."""
    department_child: str
    """Where children go."""
    level: Level
    """Level where nothing says more."""
    within: str
    """Time frame of that level, one of FRAMES."""
    first: tuple[str, ...]
    """General questions asked before the discriminators."""
    skip: frozenset[str]
    """General questions that say nothing about this complaint."""
    questions: tuple[AskFinding, ...]
    """In falling urgency."""
    rules: tuple[Rule, ...]
    """Combinations."""
    advice: tuple[str, ...]
    """Names of care advice, prompts "advice.<name>"."""
    safety_net: str
    """Prompt "safety_net.<name>": what would change the advice."""
    source: str
    """Guideline."""
    drafted: datetime.date
    """Day on which its author wrote it; no clinician has reviewed it yet."""
    phrases: Mapping[str, tuple[str, ...]]
    """What people call it, by language."""
    sounds_like: Mapping[str, tuple[str, ...]]
    """What recognisers make of it, by language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeBase:
    """Everything the engine needs; immutable, shared by all conversations."""

    complaints: Mapping[str, Complaint]
    """By name."""
    findings: Mapping[str, Mapping[str, tuple[str, ...]]]
    """Phrases by finding and language."""
    alarms: Mapping[str, Level]
    """Levels of findings that count whatever the complaint is."""
    modifiers: Mapping[str, Mapping[str, tuple[str, ...]]]
    """Phrases by modifier and language."""
    infant_below_years: float
    """Younger ones are urgent at least."""
    child_below_years: float
    """Younger ones see paediatrics."""
    old_above_years: float
    """Older ones are raised by one."""
    severity_urgent_from: int
    """Urgent at least from this severity."""
    version: str
    """"<latest day of writing>-<hash of all files>"."""


def load(folder: Path) -> KnowledgeBase:
    """Read general.toml and one file a complaint. Raises DataError naming file and field."""
    general = Table.load(folder / GENERAL)
    general.only("drafted", "source", "age", "severity", "modifier", "finding")
    findings, modifiers = _phrase_book(general.table("finding")), _phrase_book(general.table("modifier"))
    paths = sorted(path for path in folder.glob("*.toml") if path.name != GENERAL)
    complaints = {path.stem: _complaint(Table.load(path), path.stem, findings, modifiers) for path in paths}
    if OTHER not in complaints:
        raise DataError(f"{OTHER}.toml: the protocol for everything else is missing")
    drafted = max(complaint.drafted for complaint in complaints.values())
    return KnowledgeBase(
        complaints=complaints,
        findings=findings,
        alarms=_alarms(general.table("finding")),
        modifiers=modifiers,
        infant_below_years=general.table("age").number("infant_below_years"),
        child_below_years=general.table("age").number("child_below_years"),
        old_above_years=general.table("age").number("old_above_years"),
        severity_urgent_from=int(general.table("severity").number("urgent_from")),
        version=f"{max(drafted, general.date('drafted')).isoformat()}-{_hash([folder / GENERAL, *paths])}",
    )


def _hash(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:10]


def _phrase_book(table: Table) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    book = {}
    for name in table.names():
        table.table(name).only("phrases", "level")
        book[name] = _by_language(table.table(name).table("phrases"))
    return book


def _alarms(table: Table) -> Mapping[str, Level]:
    entries = {name: table.table(name) for name in table.names()}
    return {name: _level(entry) for name, entry in entries.items() if "level" in entry.names()}


def _by_language(table: Table) -> Mapping[str, tuple[str, ...]]:
    return {language: table.texts(language) for language in table.names()}


def _complaint(
    table: Table,
    stem: str,
    findings: Mapping[str, object],
    modifiers: Mapping[str, object],
) -> Complaint:
    table.only(
        *("id", "department", "department_child", "level", "within", "first", "skip", "source", "drafted"),
        *("safety_net", "advice", "phrases", "sounds_like", "question", "rule"),
    )
    if table.text("id") != stem:
        raise DataError(f"{table.place}: field 'id' must be the file's name, {stem!r}")
    questions = tuple(_question(item, findings) for item in table.tables("question"))
    ranks = [RANK[question.level] for question in questions]
    if not questions or ranks != sorted(ranks, reverse=True):
        raise DataError(f"{table.place}: questions must be there and stand in falling urgency")
    return Complaint(
        id=stem,
        department=table.text("department"),
        department_child=table.text("department_child", "paediatrics"),
        level=_level(table),
        within=_one_of(table, "within", table.text("within"), FRAMES),
        first=tuple(_one_of(table, "first", name, ASKED_OF_ALL) for name in table.texts("first", ())),
        skip=frozenset(_one_of(table, "skip", name, ASKED_OF_ALL) for name in table.texts("skip", ())),
        questions=questions,
        rules=tuple(
            _rule(item, f"{stem}.rule{number}", findings, modifiers)
            for number, item in enumerate(table.tables("rule"), 1)
        ),
        advice=table.texts("advice"),
        safety_net=table.text("safety_net"),
        source=table.text("source"),
        drafted=table.date("drafted"),
        phrases=_by_language(table.table("phrases")),
        sounds_like=_by_language(table.table("sounds_like")),
    )


def _question(table: Table, findings: Mapping[str, object]) -> AskFinding:
    table.only("finding", "level", "danger", "rules_out")
    return AskFinding(
        finding=_one_of(table, "finding", table.text("finding"), findings),
        level=_level(table),
        danger=_danger(table),
        rules_out=table.text("rules_out"),
    )


def _rule(table: Table, name: str, findings: Mapping[str, object], modifiers: Mapping[str, object]) -> Rule:
    numbers = ("age_below_years", "age_over_years", "onset_over_hours", "onset_below_hours", "severity_at_least")
    table.only("level", "source", "danger", "finding", "modifier", *numbers)
    finding, modifier = table.text("finding", ""), table.text("modifier", "")
    severity = table.maybe_number("severity_at_least")
    return Rule(
        name=name,
        level=_level(table),
        source=table.text("source"),
        danger=_danger(table),
        finding=_one_of(table, "finding", finding, findings) if finding else None,
        modifier=_one_of(table, "modifier", modifier, modifiers) if modifier else None,
        age_below_years=table.maybe_number("age_below_years"),
        age_over_years=table.maybe_number("age_over_years"),
        onset_over_hours=table.maybe_number("onset_over_hours"),
        onset_below_hours=table.maybe_number("onset_below_hours"),
        severity_at_least=None if severity is None else int(severity),
    )


def _level(table: Table) -> Level:
    return Level(_one_of(table, "level", table.text("level"), frozenset(Level)))


def _danger(table: Table) -> str | None:
    danger = table.text("danger", "")
    return _one_of(table, "danger", danger, DANGERS) if danger else None


def _one_of(table: Table, field: str, value: str, allowed: frozenset[str] | Mapping[str, object]) -> str:
    if value not in allowed:
        raise DataError(f"{table.place}: field {field!r} is {value!r}, which is none of {', '.join(sorted(allowed))}")
    return value
