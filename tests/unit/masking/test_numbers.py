"""Caller ids become E.164 or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.numbers import normalise

US, GB = "+12025550123", "+447700900123"


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        (US, "US", US),
        ("2025550123", "US", US),
        ("12025550123", "US", US),
        ("0012025550123", "GB", US),
        ("01112025550123", "US", US),
        ("12025550123", "GB", US),
        ("07700900123", "GB", GB),
        ("447700900123", "GB", GB),
        ("(+44) 7700 900123", "US", GB),
        ("(202) 555-0123", "US", US),
        ("202.555.0123", "US", US),
        ("++1 202 555 0123", "US", US),
        ("+1202\u20115550123", "US", US),
        ("\u200e+12025550123\u202c", "US", US),
        ("１２０２５５５０１２３", "US", US),
        ("＋１２０２５５５０１２３", "US", US),
        ("+120255501\u0662\u0663", "US", US),
        ("+12025550123\r\n", "US", US),
        ("+12025550123;npdi;rn=1", "US", US),
        ("tel:+1-202-555-0123;ext=9", "GB", US),
        ("sip:+12025550123@gw.example.org", "GB", US),
        ("%2B12025550123", "GB", US),
    ],
)
def test_many_spellings_are_one_number(text: str, region: str, number: str) -> None:
    found = normalise(text, region)
    assert found is not None
    assert found.reveal() == number


@pytest.mark.parametrize("text", ["anonymous", "Anonymous", "unknown", "UNAVAILABLE", "restricted", "private", "", " "])
def test_withheld_words_are_nothing(text: str) -> None:
    assert normalise(text, "US") is None


@pytest.mark.parametrize("digits", ["266696687", "7378742833", "2562533", "8656696", "86282452253", "7748283"])
@pytest.mark.parametrize("prefix", ["", "+", "00", "011", "+ "])
@pytest.mark.parametrize("region", ["US", "GB", "CN", "LS", "RU", "UG"])
def test_withheld_words_typed_on_a_keypad_are_nothing(digits: str, prefix: str, region: str) -> None:
    assert normalise(prefix + digits, region) is None


@pytest.mark.parametrize(
    "text",
    [
        "alice",
        "1-800-FLOWERS",
        "*31#2025550123",
        "101",
        "112",
        "911",
        "0",
        "0000000000",
        "5550123",
        "+",
        "+1",
        "+999123456789",
        "+1202555012300000",
        "9" * 500,
        "+1202\n5550123",
        "+1202'5550123",
        "\x00",
        "\ud800",
        "%",
        "%ff%fe",
        ";@?",
        "tel:",
    ],
)
def test_garbage_is_nothing(text: str) -> None:
    assert normalise(text, "US") is None


def test_a_number_does_not_print_itself() -> None:
    found = normalise(US, "US")
    assert "2025550123" not in f"{found!r} {found}"


@given(
    text=st.text(max_size=80) | st.text("+0123456789 -().;%@*#", max_size=40),
    region=st.sampled_from(["US", "CN", "ZZ"]),
)
def test_anything_is_a_number_or_nothing(text: str, region: str) -> None:
    found = normalise(text, region)
    if found is not None:
        assert found.reveal().startswith("+")
        assert found.reveal()[1:].isdigit()
        again = normalise(found.reveal(), region)
        assert again is not None
        assert 7 <= len(found.reveal()) <= 16
