"""What a partial transcript says about whether the caller has finished. Pure; words are data by language."""

from dataclasses import dataclass
from enum import StrEnum

ONE_BREATH = 7
"""Words in a row without a notable pause that somebody who speaks haltingly hardly says."""
UNKNOWN = "[unk]"
"""Stands for a word outside a grammar."""


class Hint(StrEnum):
    """What the words so far suggest."""

    NONE = "none"
    COMPLETE = "complete"
    READING = "reading"
    """Digits one by one: more may follow after any of them."""
    LIKELY = "likely"
    """A sentence that may well be over: closed by a time or a courtesy, or many words in one breath."""
    UNFINISHED = "unfinished"
    BRIEF = "brief"
    """Said into a sentence of ours, in few words so far: what it is shows at its end, and we are silent until then."""
    ASIDE = "aside"
    """Said over a sentence of ours, and so far no more than a sign of listening: it is short, and we wait for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words of one language that show where a sentence stands; all lower case."""

    open_ended: frozenset[str] = frozenset()
    """A sentence that ends in one of these goes on."""
    yes_no: frozenset[str] = frozenset()
    """Whole answers to a yes-or-no question."""
    whole_numbers: frozenset[str] = frozenset()
    """Numbers after which no smaller number follows: one to nineteen."""
    digits: frozenset[str] = frozenset()
    """Zero to nine, as they are read out one by one."""
    round_numbers: frozenset[str] = frozenset()
    """Numbers that a smaller one may follow: twenty, hundred."""
    units: frozenset[str] = frozenset()
    """Words that close a duration or an age."""
    closing: frozenset[str] = frozenset()
    """A sentence that ends in one of these, or in a unit, is most likely over."""
    asides: frozenset[str] = frozenset()
    """Whole utterances that only show that somebody listens; some are answers too, where a question is asked."""
    counters: tuple[str, ...] = ()
    """What people say to interrupt: a grammar of signs of listening must know it too, or it is misheard as one."""
    meaningless: frozenset[str] = frozenset()
    """Words that say nothing alone: hesitation, and what a recogniser makes of a cough or a door."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


ENGLISH = Words(
    open_ended=_set(
        "a about after almost also an and are around as at because been before but by can cause could do does er erm "
        "feel feels felt for from get gets getting got had has have having he her his hmm how i i'm i've if in into "
        "is it's its just keep keeps like maybe my near need of on or our over she since so some take takes taking "
        "than that the their then there they think through to took uh um until very want wants was we well went were "
        "when where which while who will with without would you your"
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
    digits=_set("zero oh one two three four five six seven eight nine double"),
    round_numbers=_set("twenty thirty forty fifty sixty seventy eighty ninety hundred thousand"),
    units=_set(
        "minute minutes hour hours day days week weeks month months year years old yesterday today tonight morning "
        "night ago"
    ),
    closing=_set("please thanks thank badly now"),
    asides=frozenset(
        {
            *_set("yeah yes yep yup ya mm mhm hmm hm uh-huh mm-hm mm-hmm okay ok alright right sure thanks exactly"),
            "mm hm",
            "mm hmm",
            "mm mm",
            "hmm hmm",
            "uh huh",
            "all right",
            "i see",
            "i understand",
            "i know",
            "got it",
            "of course",
            "thank you",
        }
    ),
    counters=(
        *("no", "no no", "no thanks", "not really", "stop", "stop it", "wait", "wait a moment", "hold on", "hello"),
        *("yes please", "but", "sorry", "excuse me", "what", "i have a question", "listen", "never mind"),
    ),
    meaningless=_set("a an the uh um er erm huh hey ah aha oh i and of in it so has well"),
)
"""English."""

LANGUAGES = {"en": ENGLISH}
"""By the first part of the language tag; a language not listed gives no hints."""


def hint(text: str, expect: str, phrases: tuple[str, ...] = (), language: str = "en") -> Hint:
    """What the partial transcript suggests, for a value of `dialogs.port.Expect` and the phrases expected."""
    words = LANGUAGES.get(language.split("-")[0].lower(), Words())
    said = text.lower().split()
    if not said or said[-1] == UNKNOWN:
        return Hint.NONE
    whole = " ".join(said)
    if expect == "yes_no" and whole in words.yes_no:
        return Hint.COMPLETE
    if whole in phrases and expect not in _NUMERIC:
        return Hint.NONE if any(phrase.startswith(whole + " ") for phrase in phrases) else Hint.COMPLETE
    if said[-1] in words.open_ended:
        return Hint.UNFINISHED
    if expect in _NUMERIC:
        return _number(said, expect, words)
    closed = len(said) > 1 and said[-1] in words.closing | words.units
    return Hint.LIKELY if closed or len(said) >= ONE_BREATH else Hint.NONE


_NUMERIC = frozenset({"number", "duration", "severity", "keys"})


def _number(said: list[str], expect: str, words: Words) -> Hint:
    last = said[-1]
    if last in words.units:
        return Hint.COMPLETE
    if expect == "duration":
        return Hint.UNFINISHED if last in words.whole_numbers | words.round_numbers else Hint.NONE
    if last not in words.whole_numbers:
        return Hint.NONE
    if expect != "severity" and len(said) > 1 and said[-2] in words.digits:
        return Hint.READING
    after_tens = len(said) > 1 and said[-2] in words.round_numbers
    return Hint.COMPLETE if expect == "severity" or (expect == "number" and after_tens) else Hint.NONE
