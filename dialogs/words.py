"""The vocabulary of answers in one language, read from words/<language>.toml."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dialogs.facts import Finding, Who
from dialogs.tables import DataError, Table

HINTS: Final = ("yes_no", "age", "duration", "units", "one_unit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What people say when they answer. Phrases are lower case and spelt as recognisers spell them."""

    answers: Mapping[Finding, tuple[str, ...]]
    """Yes, no and "I don't know"."""
    hints: Mapping[str, tuple[str, ...]]
    """What a recogniser is told to expect: "yes_no", "age", "duration", "units" and "one_unit"."""
    persons: Mapping[Who, tuple[str, ...]]
    """Who is ill."""
    first_person: frozenset[str]
    """Words by which callers speak of themselves."""
    negations: tuple[str, ...]
    """Words that negate what follows within a few words."""
    stops: frozenset[str]
    """Words that end a negation."""
    severities: Mapping[int, tuple[str, ...]]
    """Phrases by severity, 1 to 10."""
    units: Mapping[str, float]
    """Hours by unit of time."""
    moments: Mapping[float, tuple[str, ...]]
    """Phrases by hours ago."""
    numbers: Mapping[str, int]
    """Number words."""
    loose_numbers: Mapping[str, float]
    """Words that stand for a number only before a unit of time."""
    age_groups: Mapping[float, tuple[str, ...]]
    """Phrases by age in years."""
    old: frozenset[str]
    """The word after an age, with what recognisers make of it."""
    administrative: tuple[str, ...]
    """Phrases of callers who want something that is not medical."""


def load_words(path: Path) -> Words:
    """Read the vocabulary. Raises DataError naming file and field."""
    table = Table.load(path)
    answer, person = table.table("answer"), table.table("person")
    return Words(
        answers={
            Finding.PRESENT: answer.texts("yes"),
            Finding.ABSENT: answer.texts("no") + answer.texts("misheard_no", ()),
            Finding.UNKNOWN: answer.texts("unknown"),
        },
        hints={name: table.table("hints").texts(name) for name in HINTS},
        persons={who: person.texts(who.value) for who in Who},
        first_person=frozenset(word.replace("'", "") for word in person.texts("first_person")),
        negations=table.table("negation").texts("before"),
        stops=frozenset(table.table("negation").texts("stops")),
        severities={int(value): phrases for value, phrases in _by_number(table.table("severity")).items()},
        units={word: hours for hours, words in _by_number(table.table("unit")).items() for word in words},
        moments=_by_number(table.table("moment")),
        numbers={word: int(table.table("number").number(word)) for word in table.table("number").names()},
        loose_numbers={word: table.table("number_words").number(word) for word in table.table("number_words").names()},
        age_groups=_by_number(table.table("age_group")),
        old=frozenset(table.table("old").texts("words")),
        administrative=table.table("administrative").texts("phrases"),
    )


def load_languages(folder: Path) -> Mapping[str, Words]:
    """All vocabularies of a folder by language. Raises DataError."""
    return {path.stem: load_words(path) for path in sorted(folder.glob("*.toml"))}


def _by_number(table: Table) -> Mapping[float, tuple[str, ...]]:
    try:
        return {float(key): table.texts(key) for key in table.names()}
    except ValueError as error:
        raise DataError(f"{table.place}: field names must be numbers") from error
