"""What the recogniser's language model is told that callers say."""

from pathlib import Path

from ivr.bootstrap.said import said

ROOT = Path(__file__).parents[3]


def test_phrases_answers_and_examples_are_told_and_mishearings_are_not() -> None:
    told = said(ROOT, "en")
    assert len(told) > 1000
    assert {"stomach ache", "nope", "i don't know", "my grandson", "cannot breathe"} <= set(told)
    assert not {"barely hurts", "bellow ache", "no know"} & set(told)
    assert not any("[" in text or "{" in text for text in told)


def test_a_region_counts_as_its_language_and_an_unknown_one_as_none() -> None:
    assert said(ROOT, "en-us") == said(ROOT, "en")
    assert said(ROOT, "xx") == []
