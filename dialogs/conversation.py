"""One triage conversation as pure functions: what was said changes the facts; the facts say what comes next.

Rasa's forms, the chat and the tests share it. Nothing spoken is here: turns name prompts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from dialogs import extract, extract_numbers
from dialogs.complaints import complaints
from dialogs.engine import COMPLAINT, Ask, evaluate
from dialogs.facts import Facts, Finding, Who
from dialogs.knowledge_base import OTHER, KnowledgeBase
from dialogs.port import Prompt, Question, Turn
from dialogs.words import Words

MISSES: Final = 3
"""Answers in a row that could not be used, after which a human takes over."""
UNSURE: Final = 0.3
"""Confidence below which a "no" is held to be unknown; a "yes" counts however faint."""


class Outcome(StrEnum):
    """How the conversation stands."""

    OPEN = "open"
    RESULT = "result"
    ADMINISTRATIVE = "administrative"
    HUMAN = "human"
    NOT_UNDERSTOOD = "not_understood"


class Intent(StrEnum):
    """What Rasa's classifier may add to the words themselves; everything else is ignored."""

    ADMINISTRATIVE = "administrative"
    HUMAN = "ask_human"
    REPEAT = "ask_repeat"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A conversation so far."""

    facts: Facts = field(default_factory=Facts)
    """What is known."""
    misses: int = 0
    """Unusable answers in a row."""
    understood: bool = True
    """Whether the last words could be used."""
    noted: bool = False
    """Whether the last words changed facts that were not asked for."""
    outcome: Outcome = Outcome.OPEN
    """How it stands."""

    def to_json(self) -> dict[str, Any]:
        """Plain data for the tracker."""
        return {
            "facts": self.facts.to_json(),
            "misses": self.misses,
            "understood": self.understood,
            "noted": self.noted,
            "outcome": self.outcome,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Talk":
        """The reverse of `to_json`. Raises KeyError, TypeError or ValueError for other data."""
        return cls(
            facts=Facts.from_json(data["facts"]),
            misses=int(data["misses"]),
            understood=bool(data["understood"]),
            noted=bool(data["noted"]),
            outcome=Outcome(data["outcome"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One utterance of the caller, as far as the dialogue needs it."""

    text: str
    """The words."""
    confidence: float = 1.0
    """Of the recogniser, 0 to 1."""
    intent: Intent = Intent.OTHER
    """What the classifier makes of it, where it is sure."""
    complaint: str | None = None
    """The complaint that the classifier hears, where it is sure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Triage:
    """The knowledge that a conversation needs, in one language."""

    kb: KnowledgeBase
    """Protocols."""
    words: Words
    """Vocabulary of answers."""
    language: str = "en"
    """ISO 639-1."""

    def hear(self, talk: Talk, said: Said) -> Talk:
        """Take what the caller said. Complaints beat administrative wishes; a wish for a human beats questions."""
        asked = self.pending(talk)
        facts = self._learn(talk.facts, said, asked)
        answered = asked is not None and self.pending(replace(talk, facts=facts)) != asked
        changed = facts != talk.facts
        if said.intent is Intent.HUMAN and not changed:
            return replace(talk, outcome=Outcome.HUMAN, understood=True)
        if said.intent is Intent.REPEAT and not changed:
            return replace(talk, understood=True, noted=False)
        if facts.complaint is None and self._administrative(said):
            return replace(talk, outcome=Outcome.ADMINISTRATIVE, understood=True)
        if changed:
            finished = self.pending(replace(talk, facts=facts)) is None
            outcome = Outcome.RESULT if finished else Outcome.OPEN
            return Talk(facts=facts, noted=not answered, outcome=outcome)
        return self._missed(talk, asked)

    def pending(self, talk: Talk) -> Ask | None:
        """The question that stands."""
        return evaluate(talk.facts, self.kb).next_question

    def ask(self, talk: Talk) -> Turn:
        """The turn that puts the standing question. Hints are added where the caller's ears are: `hints.hints`."""
        asked = self.pending(talk)
        if asked is None:
            raise ValueError("nothing is left to ask")
        again = asked is COMPLAINT and (talk.noted or not talk.understood)  # words came, and no complaint in them
        key = "ask.complaint_again" if again else asked.prompt
        noted = (Prompt(key="ask.noted"),) if talk.noted else ()
        phrases = self._phrases() if again else ()
        question = Question(id=asked.id, expect=asked.expect, hints=phrases, danger=asked.danger)
        return Turn(say=(*noted, Prompt(key=key)), question=question, understood=talk.understood)

    def _phrases(self) -> tuple[str, ...]:
        """What complaints are called: at the second try the recogniser is told, for free speech has just failed."""
        groups = (complaint.phrases.get(self.language, ()) for complaint in self.kb.complaints.values())
        return tuple(dict.fromkeys(phrase for group in groups for phrase in group))

    def _administrative(self, said: Said) -> bool:
        return said.intent is Intent.ADMINISTRATIVE or extract.administrative(said.text, self.words)

    def _missed(self, talk: Talk, asked: Ask | None) -> Talk:
        """Nothing usable: ask again; a complaint missed twice goes through the general protocol."""
        misses = talk.misses + 1
        if asked is COMPLAINT and misses == MISSES - 1:
            facts = replace(talk.facts, complaint=OTHER)
            return Talk(facts=facts, misses=misses)
        outcome = Outcome.NOT_UNDERSTOOD if misses >= MISSES else Outcome.OPEN
        return replace(talk, misses=misses, understood=False, noted=False, outcome=outcome)

    def _learn(self, facts: Facts, said: Said, asked: Ask | None) -> Facts:
        facts = self._answer(facts, said, asked) if asked is not None else facts
        facts = self._volunteered(facts, said, asked)
        return self._complaint(facts, said, asked)

    def _answer(self, facts: Facts, said: Said, asked: Ask) -> Facts:
        """The answer to the standing question, if the words hold one."""
        text, words = said.text, self.words
        answer = extract.yes_no(text, words)
        if asked.finding is not None:
            return self._finding(facts, asked.finding, answer, said)
        if asked.slot == "risk":
            return self._risk(facts, answer, said)
        if asked.slot == "for_whom":
            who = extract.person(text, words)
            facts = replace(facts, for_whom=who) if who else facts
        if asked.slot == "age":
            facts = replace(
                facts, age_years=_first(extract_numbers.age_years(text, words, asked=True), facts.age_years)
            )
        if asked.slot == "onset":
            hours = extract_numbers.duration_hours(text, words, asked=True)
            facts = replace(facts, onset_hours=_first(hours, facts.onset_hours))
        if asked.slot == "severity":
            value = extract_numbers.severity(text, words, asked=True)
            facts = replace(facts, severity=value if value is not None else facts.severity)
        if answer is Finding.UNKNOWN and asked.slot != "complaint":
            facts = replace(facts, unknown=facts.unknown | {asked.slot})
        return facts

    def _finding(self, facts: Facts, name: str, answer: Finding | None, said: Said) -> Facts:
        mentioned = extract.findings(said.text, {name: self.kb.findings[name]}, self.language, self.words).get(name)
        if mentioned is Finding.PRESENT or answer is None:
            answer = mentioned
        if answer is None:
            return facts
        return facts.with_finding(name, self._cautious(answer, said))

    def _risk(self, facts: Facts, answer: Finding | None, said: Said) -> Facts:
        named = extract.modifiers(said.text, self.kb.modifiers, self.language, self.words)
        if named or answer is Finding.PRESENT:
            modifiers = facts.modifiers | (named or {"any_risk"})
            return replace(facts, modifiers=frozenset(modifiers), risk_asked=True)
        if answer is None:
            return facts
        if self._cautious(answer, said) is Finding.UNKNOWN:
            return replace(facts, unknown=facts.unknown | {"risk"})
        return replace(facts, risk_asked=True)

    def _reconciled(self, before: Finding | None, now: Finding, said: Said) -> Finding:
        """A denial in passing does not take back what was said to be there: it makes it unknown."""
        taken_back = before is Finding.PRESENT and now is Finding.ABSENT
        return Finding.UNKNOWN if taken_back else self._cautious(now, said)

    @staticmethod
    def _cautious(answer: Finding, said: Said) -> Finding:
        return Finding.UNKNOWN if answer is Finding.ABSENT and said.confidence < UNSURE else answer

    def _volunteered(self, facts: Facts, said: Said, asked: Ask | None) -> Facts:
        """What was said besides the answer, and corrections of earlier answers."""
        text, words, slot = said.text, self.words, asked.slot if asked else ""
        for name, value in extract.findings(text, self.kb.findings, self.language, words).items():
            if asked is None or name != asked.finding:
                facts = facts.with_finding(name, self._reconciled(facts.findings.get(name), value, said))
        named = extract.modifiers(text, self.kb.modifiers, self.language, words)
        facts = replace(facts, modifiers=facts.modifiers | named)
        age = extract_numbers.age_years(text, words, asked=False) if slot != "age" else None
        onset = extract_numbers.duration_hours(text, words, asked=False) if slot not in ("onset", "age") else None
        severity = extract_numbers.severity(text, words, asked=False) if slot in ("complaint", "finding") else None
        return replace(
            facts,
            age_years=_first(age, facts.age_years),
            onset_hours=_first(onset, facts.onset_hours),
            severity=severity if severity is not None else facts.severity,
            for_whom=self._named(text) or facts.for_whom,
        )

    def _named(self, text: str) -> Who | None:
        """Somebody else named in passing; "me" in passing says nothing."""
        who = extract.person(text, self.words)
        return who if who in (Who.CHILD, Who.OTHER) else None

    def _complaint(self, facts: Facts, said: Said, asked: Ask | None) -> Facts:
        sounds = facts.complaint is None and said.intent is not Intent.ADMINISTRATIVE
        named = complaints(said.text, self.kb, self.language, self.words, sounds=sounds)
        if facts.complaint is None:
            return self._main(facts, named or self._classified(said), said)
        if asked is not None and asked.slot in ("for_whom", "risk"):
            return facts
        known = {facts.complaint, *facts.also, *self._covered(facts.complaint)}
        new = tuple(name for name in named if name not in known)
        return replace(facts, also=(*facts.also, *new)[:2])

    def _classified(self, said: Said) -> tuple[str, ...]:
        """The classifier's complaint; it knows no negation, so that words of denial make it worthless."""
        words = extract.tokens(said.text)
        denied = any(extract.find(words, phrase) >= 0 for phrase in self.words.negations)
        known = said.complaint is not None and said.complaint in self.kb.complaints
        return (said.complaint,) if said.complaint and known and not denied and not self._administrative(said) else ()

    def _main(self, facts: Facts, named: tuple[str, ...], said: Said) -> Facts:
        """Take the complaint; who tells of "my head" and names nobody else speaks of himself."""
        if not named:
            return facts
        if facts.for_whom is None and self.words.first_person & set(extract.tokens(said.text)):
            facts = replace(facts, for_whom=Who.SELF)
        covered = self._covered(named[0])
        also = tuple(name for name in named[1:] if name not in covered)
        return replace(facts, complaint=named[0], also=also[:2])

    def _covered(self, complaint: str) -> frozenset[str]:
        """Complaints that the protocol asks about anyway, as findings."""
        return frozenset(question.finding for question in self.kb.complaints[complaint].questions)


def _first(new: float | None, old: float | None) -> float | None:
    return new if new is not None else old
