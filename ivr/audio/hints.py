"""What a partial transcript says about whether the caller has finished. Pure; words are data by language."""

from dataclasses import dataclass
from enum import StrEnum


class Hint(StrEnum):
    """What the words so far suggest."""

    NONE = "none"
    COMPLETE = "complete"
    UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words of one language that show where a sentence stands; all lower case."""

    open_ended: frozenset[str] = frozenset()
    """A sentence that ends in one of these goes on."""
    yes_no: frozenset[str] = frozenset()
    """Whole answers to a yes-or-no question."""
    whole_numbers: frozenset[str] = frozenset()
    """Numbers after which no smaller number follows: one to nineteen."""
    round_numbers: frozenset[str] = frozenset()
    """Numbers that a smaller one may follow: twenty, hundred."""
    units: frozenset[str] = frozenset()
    """Words that close a duration or an age."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


ENGLISH = Words(
    open_ended=_set(
        "a about after almost also an and are around as at because been before but by can cause could do does for from "
        "get gets getting got had has have having he her his how i if i'm i've in into is it's its just keep keeps "
        "like maybe my near of on or our over she since so some than that the their then there they through to "
        "uh um er erm hmm until very was we well went were when where which while who will with without would "
        "you your"
    ),
    yes_no=frozenset(
        {
            "yes",
            "yeah",
            "yep",
            "yup",
            "no",
            "nope",
            "nah",
            "sure",
            "correct",
            "right",
            "of course",
            "not really",
            "yes please",
            "no thanks",
            "no thank you",
            "yes i do",
            "yes i am",
            "yes it is",
            "yes it does",
            "yes i have",
            "no i don't",
            "no i'm not",
            "no it isn't",
            "no it doesn't",
            "no i haven't",
            "i do",
            "i don't",
            "i don't know",
            "not at all",
        }
    ),
    whole_numbers=_set(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen"
    ),
    round_numbers=_set("twenty thirty forty fifty sixty seventy eighty ninety hundred thousand"),
    units=_set(
        "minute minutes hour hours day days week weeks month months year years old yesterday today tonight morning "
        "night ago"
    ),
)
"""English."""

LANGUAGES = {"en": ENGLISH}
"""By the first part of the language tag; a language not listed gives no hints."""


def hint(text: str, expect: str, phrases: tuple[str, ...] = (), language: str = "en") -> Hint:
    """What the partial transcript suggests, for a value of `dialogs.port.Expect` and the phrases expected."""
    words = LANGUAGES.get(language.split("-")[0].lower(), Words())
    said = text.lower().split()
    if not said or said[-1] == "[unk]":
        return Hint.NONE
    whole = " ".join(said)
    if expect == "yes_no" and whole in words.yes_no:
        return Hint.COMPLETE
    if whole in phrases:
        longer = any(phrase.startswith(whole + " ") for phrase in phrases)
        return Hint.NONE if longer or expect in _NUMERIC else Hint.COMPLETE
    if said[-1] in words.open_ended:
        return Hint.UNFINISHED
    return _number(said, expect, words) if expect in _NUMERIC else Hint.NONE


_NUMERIC = frozenset({"number", "duration", "severity", "keys"})


def _number(said: list[str], expect: str, words: Words) -> Hint:
    last = said[-1]
    if last in words.units:
        return Hint.COMPLETE
    if expect == "duration":
        return Hint.UNFINISHED if last in words.whole_numbers | words.round_numbers else Hint.NONE
    if last not in words.whole_numbers:
        return Hint.NONE
    after_tens = len(said) > 1 and said[-2] in words.round_numbers
    return Hint.COMPLETE if expect == "severity" or (expect == "number" and after_tens) else Hint.NONE
