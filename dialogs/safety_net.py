"""Red flags and universal commands, by rules that are data. No network, no model, no state.

It runs on every partial and every final transcript before anything else sees the words, and doubts go to a human: low
confidence changes nothing, playing down ("probably nothing") changes nothing, a language without rules of its own is
checked against all that there are. Practices: NHS Pathways (exclude what threatens life first), Manchester Triage
general discriminators.
"""

from collections.abc import Mapping
from functools import cached_property

from dialogs.patterns import PatternIndex, Span
from dialogs.port import Command, Heard, Prompt, Question, RedFlag
from dialogs.red_flags import Rule, RuleBook, Wish
from dialogs.spoken import Words

UNKNOWN_SAY = ("red_flag.dial", "red_flag.stay")
UNKNOWN_WHISPER = "red_flag.agent_unknown"


class RuleSafetyNet:
    """SafetyNet over one rule book a language."""

    def __init__(self, books: Mapping[str, RuleBook]) -> None:
        """`books` by language, at least one. Raises ValueError without any."""
        if not books:
            raise ValueError("a safety net needs the rules of at least one language")
        self._books = dict(books)

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages that have rules of their own."""
        return tuple(sorted(self._books))

    def rules(self, language: str) -> Mapping[str, Rule]:
        """Rules of a language by name. Raises KeyError."""
        return self._books[language].rules

    def check(self, heard: Heard, question: Question | None, language: str) -> RedFlag | None:
        """The gravest danger in the words, or in a "yes" to a question about a danger; None where there is none."""
        gravest: tuple[Rule, str] | None = None
        for book in self._hearing(language):
            words = book.spoken.words(heard.text)
            found = _Utterance(book, words, heard.final).gravest()
            if found is not None and (gravest is None or found[0].gravity > gravest[0].gravity):
                gravest = found
        if question is not None and question.danger is not None and self._affirmed(heard, language):
            rule = self._rule(question.danger, language)
            if gravest is None or rule.gravity > gravest[0].gravity:
                gravest = (rule, heard.text)
        return None if gravest is None else _flag(*gravest)

    def command(self, heard: Heard, language: str) -> Command | None:
        """A universal command in a final utterance; a partial may still become "my agent said"."""
        if not heard.final:
            return None
        for book in self._hearing(language):
            words = book.spoken.words(heard.text)
            for wish in book.wishes:
                if _wished(book, wish, words):
                    return wish.command
        return None

    def flag(self, rule: str, language: str) -> RedFlag:
        """The flag of a rule by name, for a danger recognised by other means: a key pressed, silence. A name without
        a rule gives the general sentences."""
        return _flag(self._rule(rule, language), "")

    def _hearing(self, language: str) -> tuple[RuleBook, ...]:
        """Books to check against."""
        return (self._books[language],) if language in self._books else tuple(self._books.values())

    def _affirmed(self, heard: Heard, language: str) -> bool:
        """Whether a final utterance says yes. Partials do not: "yes" may grow into "yesterday"."""
        return heard.final and any(_says_yes(book, book.spoken.words(heard.text)) for book in self._hearing(language))

    def _rule(self, name: str, language: str) -> Rule:
        """A rule by name; a danger that a question names but no rule knows is a danger all the same."""
        for book in self._hearing(language):
            if name in book.rules:
                return book.rules[name]
        return Rule(
            name=name, gravity=0, department="emergency", say=UNKNOWN_SAY, whisper=UNKNOWN_WHISPER, source="question"
        )


def _flag(rule: Rule, words: str) -> RedFlag:
    """What a rule tells the caller and the agent."""
    return RedFlag(
        rule=rule.name,
        words=words,
        prompts=tuple(Prompt(key=key, interruptible=False) for key in rule.say),
        summary=Prompt(key=rule.whisper),
        department=rule.department,
    )


class _Utterance:
    """One transcript under examination; what several matches need is worked out once."""

    def __init__(self, book: RuleBook, words: Words, final: bool) -> None:
        self.book = book
        self.words = words
        self.final = final

    @cached_property
    def harmless(self) -> tuple[tuple[str, Span], ...]:
        """Harmless phrases, with the rule that each concerns."""
        return tuple(self.book.unless.find(self.words))

    @cached_property
    def past(self) -> tuple[tuple[str, Span], ...]:
        """Markers of a time long past."""
        return tuple(self.book.history.found(self.words))

    def gravest(self) -> tuple[Rule, str] | None:
        """The gravest rule with a match that counts, and the words matched."""
        best: tuple[Rule, str] | None = None
        book, tokens = self.book, self.words.tokens
        for index in (book.patterns, book.final, book.short) if self.final else (book.patterns,):
            for owner, span in index.find(self.words):
                rule = book.rules[owner]
                if best is not None and best[0].gravity >= rule.gravity:
                    continue
                if index is book.short and len(tokens) > rule.short_words:
                    continue
                if self._counts(rule, span):
                    best = (rule, " ".join(tokens[span.start : span.end]))
        return best

    def _counts(self, rule: Rule, span: Span) -> bool:
        """Whether a match stands: neither denied, nor long past, nor part of a harmless phrase."""
        history = self.book.history
        if self.book.negation.denies(self.words, span):
            return False
        if rule.history and history.excuses(self.words, span, self.past):
            return False
        if rule.history and not self.final and history.open(self.words, span):
            return False
        return not any(owner == rule.name and _overlap(span, other) for owner, other in self.harmless)


def _overlap(one: Span, other: Span) -> bool:
    """Whether two matches share a matched word."""
    return any(a < d and c < b for a, b in one.parts for c, d in other.parts)


def _says_yes(book: RuleBook, words: Words) -> bool:
    """Whether an answer affirms. "Yes, no, I mean" counts as yes: contradiction goes up."""
    answers = book.answers
    for _, span in answers.yes.find(words):
        if span.start == 0 or words.tokens[span.start - 1] not in answers.taken_back:
            return True
    return _any(answers.mild_yes, words) and not _any(answers.no, words)


def _wished(book: RuleBook, wish: Wish, words: Words) -> bool:
    """Whether the caller gives this command."""
    if _any(wish.never, words):
        return False
    if any(not book.negation.denies(words, span) for _, span in wish.requests.find(words)):
        return True
    short = len(words.tokens) <= book.wish_words and book.wish_unless.isdisjoint(words.tokens)
    return short and _any(wish.short, words)


def _any(index: PatternIndex, words: Words) -> bool:
    """Whether any pattern occurs."""
    return any(True for _ in index.find(words))
