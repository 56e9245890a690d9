"""Reads the rules of danger from <folder>/red_flags, /habits and /commands: a new language is three new files."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dialogs.patterns import Classes, PatternError, PatternIndex, compile_pattern
from dialogs.port import Command
from dialogs.scope import History, Negation
from dialogs.spoken import Spoken


class RulesError(ValueError):
    """A rule file that cannot be used; names the file and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One danger."""

    name: str
    """Stable name, for example "chest_pain"."""
    gravity: int
    """Which of several dangers is named first: the higher."""
    department: str
    """Department that the danger belongs to."""
    say: tuple[str, ...]
    """Keys of the sentences for the caller, the emergency number first."""
    whisper: str
    """Key of the sentence for the agent."""
    source: str
    """Guideline that the rule stands on."""
    history: bool = True
    """Whether a time long past takes the danger back."""
    short_words: int = 3
    """Longest utterance in which the rule's `short` patterns count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """How one language says yes and no to a question."""

    yes: PatternIndex
    """Enough wherever they stand."""
    mild_yes: PatternIndex
    """Enough where nothing says no."""
    no: PatternIndex
    """Says no, or not to know."""
    taken_back: frozenset[str]
    """Words which, right before a yes, take it back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How one language says a universal command."""

    command: Command
    """The command."""
    short: PatternIndex
    """Enough in a short utterance."""
    requests: PatternIndex
    """Enough in any utterance."""
    never: PatternIndex
    """Looks like the command and is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBook:
    """Everything that the safety net knows of one language."""

    spoken: Spoken
    """Spelling."""
    negation: Negation
    """How it says no."""
    history: History
    """How it says long ago."""
    answers: Answers
    """Yes and no."""
    rules: Mapping[str, Rule]
    """Rules by name."""
    patterns: PatternIndex
    """Count in every transcript, partial or final."""
    final: PatternIndex
    """Count in a final transcript only: too much can follow them."""
    short: PatternIndex
    """Count in a short final transcript only."""
    unless: PatternIndex
    """Harmless phrases: a match that overlaps one of its own rule does not count."""
    wishes: tuple[Wish, ...]
    """Universal commands."""
    wish_words: int
    """Longest utterance in which a command's `short` patterns count."""
    wish_unless: frozenset[str]
    """Words with which they do not."""


def load_rule_books(folder: Path) -> dict[str, RuleBook]:
    """Rule books by language. `folder` holds red_flags/, habits/ and commands/, each with <language>.toml.
    Raises RulesError."""
    languages = sorted(path.stem for path in (folder / "red_flags").glob("*.toml"))
    if not languages:
        raise RulesError(f"no rule files in {folder / 'red_flags'}")
    return {language: load_rule_book(folder, language) for language in languages}


def load_rule_book(folder: Path, language: str) -> RuleBook:
    """One language's rule book. Raises RulesError."""
    flags, habits, commands = (
        _read(folder / kind / f"{language}.toml") for kind in ("red_flags", "habits", "commands")
    )
    try:
        return _book(flags, habits, commands)
    except KeyError as error:
        raise RulesError(f"rules of language {language!r}: {error} is missing") from error
    except (PatternError, TypeError) as error:
        raise RulesError(f"rules of language {language!r}: {error}") from error


def _read(path: Path) -> dict[str, Any]:
    """One TOML file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RulesError(f"{path}: file is missing") from None
    except tomllib.TOMLDecodeError as error:
        raise RulesError(f"{path}: {error}") from error


class _Compiler:
    """Pattern texts → indexes, with one language's spelling and classes."""

    def __init__(self, spoken: Spoken, classes: Classes, breaks: Iterable[str] = ()) -> None:
        """`breaks` as PatternIndex takes them."""
        self._spoken = spoken
        self._classes = {name: tuple(words) for name, words in classes.items()}
        self._breaks = frozenset(breaks)

    def index(self, entries: Iterable[tuple[str, Iterable[str]]]) -> PatternIndex:
        """An index of (owner, pattern texts)."""
        return PatternIndex(
            (
                (owner, pattern)
                for owner, texts in entries
                for text in texts
                for pattern in compile_pattern(text, self._classes, self._spoken)
            ),
            self._breaks,
        )


def _book(flags: dict[str, Any], habits: dict[str, Any], commands: dict[str, Any]) -> RuleBook:
    """A rule book of three files' contents. Raises KeyError, PatternError, TypeError."""
    spelling = habits["spoken"]
    spoken = Spoken(
        whole=spelling["whole"], endings=spelling["endings"], interjections=frozenset(spelling["interjections"])
    )
    danger = _Compiler(spoken, flags["classes"], flags["breaks"])
    entries = flags["rule"]
    return RuleBook(
        spoken=spoken,
        negation=Negation(**{name: frozenset(words) for name, words in habits["negation"].items()}),
        history=_history(habits["history"], spoken),
        answers=_answers(habits["answers"], spoken),
        rules={entry["name"]: _rule(entry) for entry in entries},
        patterns=danger.index((entry["name"], entry["patterns"]) for entry in entries),
        final=danger.index((entry["name"], entry.get("final", ())) for entry in entries),
        short=danger.index((entry["name"], entry.get("short", ())) for entry in entries),
        unless=danger.index((entry["name"], entry.get("unless", ())) for entry in entries),
        wishes=tuple(_wish(command, commands, spoken) for command in Command),
        wish_words=int(commands["short_words"]),
        wish_unless=frozenset(commands["unless"]),
    )


def _rule(entry: Mapping[str, Any]) -> Rule:
    """One rule without its patterns."""
    return Rule(
        name=entry["name"],
        gravity=int(entry["gravity"]),
        department=entry["department"],
        say=tuple(entry["say"]),
        whisper=entry["whisper"],
        source=entry["source"],
        history=bool(entry.get("history", True)),
        short_words=int(entry.get("short_words", 3)),
    )


def _history(entry: Mapping[str, Any], spoken: Spoken) -> History:
    """How the language says long ago."""
    compiler = _Compiler(spoken, {"small_age": entry["small_age"]})
    return History(
        markers=compiler.index((owner, entry[owner]) for owner in ("after", "around", "before")),
        **{name: frozenset(entry[name]) for name in ("present", "breaks", "past", "past_through")},
    )


def _answers(entry: Mapping[str, Any], spoken: Spoken) -> Answers:
    """Yes and no."""
    compiler = _Compiler(spoken, {})
    yes, mild, no = (compiler.index([(kind, entry[kind])]) for kind in ("yes", "mild_yes", "no"))
    return Answers(yes=yes, mild_yes=mild, no=no, taken_back=frozenset(entry["taken_back"]))


def _wish(command: Command, entry: Mapping[str, Any], spoken: Spoken) -> Wish:
    """One universal command."""
    compiler = _Compiler(spoken, entry["classes"])
    kinds = entry[command.value]
    short, requests, never = (compiler.index([(kind, kinds[kind])]) for kind in ("short", "requests", "never"))
    return Wish(command=command, short=short, requests=requests, never=never)
