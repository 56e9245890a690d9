"""Words for the relay itself, and its sentences."""

import tomllib

import pytest

from masking.sms.redaction import redact_text
from masking.sms.words import SENTENCES, WORDS, Say, Word, sentences, word

LANGUAGES = tuple(tomllib.loads(SENTENCES.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("body", "wish"),
    [
        ("STOP", Word.STOP), ("stop.", Word.STOP), (" Stop  All! ", Word.STOP), ("STOPALL", Word.STOP),
        ("UNSUBSCRIBE", Word.STOP), ("Cancel", Word.STOP), ("end", Word.STOP), ("Quit", Word.STOP),
        ("OPT-OUT", Word.STOP), ("Arrêt", Word.STOP), ("ＳＴＯＰ", Word.STOP), ("TD", Word.STOP), ("退订", Word.STOP),
        ("“STOP”", Word.STOP), ("START", Word.START), ("unstop", Word.START), ("HELP", Word.HELP),
        ("帮助？", Word.HELP), ("yes", None), ("please stop the tablets", None), ("cancel my appointment", None),
        ("", None), ("help me", None),
        ("the end", None), ("stop it hurts", None),
    ],
)  # fmt: skip
def test_a_text_is_a_word_or_it_is_a_text(body: str, wish: Word | None) -> None:
    assert word(body) is wish


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_there_and_names_the_emergency_number_where_it_helps(language: str) -> None:
    said = sentences(language, emergency="112", hotline="+12025550100")
    assert set(said) == set(Say)
    for name in (Say.EMERGENCY, Say.UNKNOWN, Say.EXPIRED, Say.LIMITED, Say.UNDELIVERED, Say.HELP):
        assert "112" in said[name]
    for text in said.values():
        assert word(text) is None
        assert len(text) <= 200
        assert "{" not in text
    assert "+12025550100" in said[Say.EXPIRED]
    assert "None" not in sentences(language, emergency="112")[Say.EXPIRED]


def test_an_unknown_language_is_english() -> None:
    assert sentences("xx", emergency="112") == sentences("en", emergency="112")


def test_our_words_are_no_numbers() -> None:
    for several in WORDS.values():
        for one in several:
            assert redact_text(one, ["+12025550123"]).text == one
