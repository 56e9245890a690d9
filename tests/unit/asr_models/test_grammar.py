"""Grammars: what is expected, what is dropped, what catches the rest."""

import json

from hypothesis import given
from hypothesis import strategies as st

from asr_models.grammar import SINGLE_WEIGHT, UNKNOWN, WEIGHT, build, fillers, vocabulary
from asr_models.grammar import _one_edit as one_edit

KNOWN = {"yes", "no", "please", "chest", "pain"}


def _knows(word: str) -> bool:
    return word in KNOWN


def test_phrase_with_an_unknown_word_is_dropped_and_counted() -> None:
    made = build(("yes", "Yes  Please", "nope", "no way", "[unk]", ""), _knows, ())
    assert made is not None
    assert made.dropped == 2
    assert made.words == {"yes", "please"}
    assert set(json.loads(made.source)) == {"yes", "yes please", UNKNOWN}


def test_no_known_phrase_means_free_speech() -> None:
    assert build(("nope", "[unk]"), _knows, ("a", "b")) is None
    assert build((), _knows, ("a", "b")) is None


def test_fillers_are_shown_as_unknown_and_are_rare() -> None:
    made = build(("yes", "no please"), _knows, ("chest", "pain", "yes"))
    assert made is not None
    phrases = json.loads(made.source)
    assert phrases.count("yes") == SINGLE_WEIGHT > phrases.count("no please") == WEIGHT > phrases.count("chest") == 1
    assert [made.show(word) for word in ("yes", "chest")] == ["yes", UNKNOWN]


def test_filler_too_near_to_an_expected_word_is_left_out() -> None:
    made = build(("yes", "no"), _knows, ("yet", "not", "go", "pest"))
    assert made is not None
    assert set(json.loads(made.source)) == {"yes", "no", "go", "pest", UNKNOWN}


def test_fillers_are_the_shortest_real_words() -> None:
    lines = ["<eps> 0", "elephant 1", "ox 2", "!SIL 3", "[unk] 4", "cat 5", "#0 6", "", "a 7"]
    assert fillers(vocabulary(lines), 3) == ("a", "ox", "cat")


@given(st.text("abc", max_size=5), st.text("abc", max_size=5))
def test_one_edit_is_symmetric_and_means_what_it_says(one: str, other: str) -> None:
    near = {other}
    for i in range(len(other) + 1):
        near |= {other[:i] + letter + other[i:] for letter in "abc"}
        near |= {other[:i] + letter + other[i + 1 :] for letter in "abc"}
        near.add(other[:i] + other[i + 1 :])
    assert one_edit(one, other) == one_edit(other, one) == (one in near)
