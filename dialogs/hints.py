"""The phrases that an answer to each kind of question may consist of: a grammar for the recogniser."""

from dialogs.facts import Finding
from dialogs.port import Expect
from dialogs.words import Words

MOST_OF_A_UNIT = 12
"""Counted durations offered per unit of time; longer ones are heard word by word."""
OLDEST = 100


def hints(expect: Expect, words: Words) -> tuple[str, ...]:
    """Phrases in lower case; empty for open questions, which are free speech."""
    if expect is Expect.YES_NO:
        return words.hints["yes_no"]
    if expect is Expect.CHOICE:
        return _unique(*words.persons.values(), words.answers[Finding.UNKNOWN])
    if expect is Expect.SEVERITY:
        spoken = tuple(word for word, value in words.numbers.items() if 1 <= value <= 10)
        scale = tuple(f"{word} out of ten" for word in spoken)
        return _unique(spoken, scale, *words.severities.values(), words.answers[Finding.UNKNOWN])
    if expect is Expect.NUMBER:
        groups = words.age_groups.values()
        return _unique(_spoken_numbers(words, OLDEST), words.hints["age"], *groups, words.answers[Finding.UNKNOWN])
    if expect is Expect.DURATION:
        return _unique(_durations(words), *words.moments.values(), words.answers[Finding.UNKNOWN])
    return ()


def _durations(words: Words) -> tuple[str, ...]:
    numbers = _spoken_numbers(words, MOST_OF_A_UNIT)
    counted = [f"{number} {unit}" for number in numbers for unit in words.hints["units"]]
    return (*words.hints["one_unit"], *words.hints["duration"], *counted, *_spoken_numbers(words, OLDEST))


def _spoken_numbers(words: Words, up_to: int) -> tuple[str, ...]:
    """Number words from one, tens joined with ones: "forty two"."""
    small = {value: word for word, value in reversed(tuple(words.numbers.items()))}
    spoken = []
    for value in range(1, up_to + 1):
        if value in small:
            spoken.append(small[value])
        elif value - value % 10 in small and value % 10 in small:
            spoken.append(f"{small[value - value % 10]} {small[value % 10]}")
    return tuple(spoken)


def _unique(*groups: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(phrase for group in groups for phrase in group))
