"""No telephone number crosses; no dose, date or reading is touched."""

import base64
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.leaks import LeakOracle
from masking.sms.redaction import ADDRESS, HIDDEN, redact_text
from masking.sms.units import HANZI, fold, units

A, D = "+12025550123", "+447700900123"
ORACLE = LeakOracle([A, D])
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

HARMLESS = (
    "10 mg x2, 14 days, BP 120/80", "take 2 tablets 3 times a day", "2026-11-24 at 14:30", "38.5", "HR 72",
    "BP 120/80 72 38.5 98%", "2026-11-24 14:30", "24.11.2026 08:15", "T 38.5 37.2 36.9 38.1", "98, 110, 102, 95, 120",
    "1-0-1 for 14 days", "1,200,000 units", "1 000 000 IU", "25-50-75-100 mg", "every 4-6 hours", "in 2024-2026",
    "glucose 5.6 7.8 6.1 9.0 mmol/L", "120/80 130/85 125/82", "one thousand two hundred milligrams", "20261124",
    "take two tablets three times a day for seven days", "2026年11月24日下午2点", "一天三次 每次两片",
    "my room is 1204, bed 3", "500/125 mg twice", "call 911", "2026-11-24T14:30:00Z", "from 14:30-15:45",
    "Amoxicillin 500mg 3x/day 7 days", "paracetamol 1000 mg x 4, max 4000 mg/24h", "fourteen thirty on the 24th",
    "INR 2.5, Hb 13.2, WBC 11.2, platelets 250000", "born 1984-02-29, 42 years old, 172 cm, 68.5 kg",
    "CRP 140 → 98 → 35", "BP 118/76, HR 72, RR 16, T 36.8, SpO2 98%", "72\n98\n120\n36", "11/24/2026 or 25/11/26?",
    "insulin 6-8-6-12 units", "体温38.5度，血压120/80，心率72", "每次10毫克，一日两次，连服14天", "7,4 mmol", "",
    "2 puffs 4x daily, 40 mg prednisolone 5 days then 20 mg 5 days", "I am 42 and weigh 80 kg",
)  # fmt: skip

NUMBERS = (
    "2025550123", "(202) 555-0123", "+1 202 555 0123", "202.555.0123", "202, 555, 0123", "1-202-555-0123",
    "two oh two five five five oh one two three", "two zero two, triple five, oh one two three", "2O2-555-Ol23",
    "5️⃣5️⃣5️⃣0️⃣1️⃣2️⃣3️⃣", "二零二五五五零幺二三", "２０２５５５０１２３", "3210555202", "MjAyNTU1MDEyMw==",
    "07700 900123", "+44 (0)7700 900123", "twenty twenty five fifty five oh one twenty three", "2 0 2 5 5 5 0 1 2 3",
    "fivefivefiveohonetwothree", "555 and then 0123", "555\n0123", "double five 5 0 one 2 three",
    "贰零贰伍伍伍零壹贰叁",
    "seven seven oh oh nine double oh one two three", "202⁵⁵⁵0123", "²⁰²⁵⁵⁵⁰¹²³", "2\u200b0\u200b2\u200b5550123",
    "sip:+12025550123@example.org", "tel:+1-202-555-0123", "wa.me/12025550123", "%2B12025550123", "2025550123 mg",
    "32 30 32 35 35 35 30 31 32 33", "202-55-50-123", "٢٠٢٥٥٥٠١٢٣", "5.5.5.0.1.2.3", "555 at 01 and 23",
)  # fmt: skip

OTHERS = (
    "+1 202 555 0147", "020 7946 0018", "06 12 34 56 78", "138 0013 8000", "0033612345678", "555-0147", "+4930123456",
    "oh two oh seven nine four six double oh one eight", "一三八零零一三八零零零", "５５５－０１４７",
)  # fmt: skip


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_number_stays(text: str) -> None:
    assert redact_text(text, [A, D]).text == text
    assert redact_text(f"Hello, {text} - thank you", [A, D]).hidden == 0


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_of_either_party_goes(text: str) -> None:
    for words in (text, f"call {text} please", f"10 mg x2\n{text}\nBP 120/80"):
        left = redact_text(words, [A, D])
        assert HIDDEN in left.text or ADDRESS in left.text
        assert ORACLE.scan(left.text.encode()) == ()
        assert sum(char.isdigit() for char in left.text) <= sum(char.isdigit() for char in "10 mg x2 120/80 202 44 0")


@pytest.mark.parametrize("text", OTHERS)
def test_other_numbers_go_too(text: str) -> None:
    left = redact_text(f"ring {text} tonight, 10 mg x2", [A, D])
    assert left.text == f"ring {HIDDEN} tonight, 10 mg x2"


def test_doses_beside_a_number_stay() -> None:
    text = "take 2 tablets 3 times a day, questions: {}, BP 120/80 on 2026-11-24 at 14:30"
    assert redact_text(text.format("202-555-0123"), [A, D]).text == text.format(HIDDEN)


def test_mail_addresses_go() -> None:
    assert redact_text("write to a.b-c@example.org today", [A]).text == f"write to {ADDRESS} today"


DIGIT = {
    digit: (digit, chr(0xFF10 + int(digit)), chr(0x0660 + int(digit)), WORDS[int(digit)] + " ", HANZI[int(digit)][0])
    for digit in "0123456789"
}
SPELT = st.tuples(*(st.sampled_from(DIGIT[digit]) for digit in A[1:]))
GAPS = st.lists(st.sampled_from(["", " ", "-", ".", "  ", " - ", ", ", "\u200b", "/"]), min_size=11, max_size=11)


@settings(max_examples=120, deadline=None)
@given(spelt=SPELT, gaps=GAPS, before=st.text(max_size=12), after=st.text(max_size=12))
def test_any_mixture_of_spellings_goes(spelt: tuple[str, ...], gaps: list[str], before: str, after: str) -> None:
    number = "".join(part + gap for part, gap in zip(spelt, gaps, strict=True))
    left = redact_text(f"{before} {number} {after}", [A, D])
    assert ORACLE.scan(left.text.encode(errors="replace")) == ()
    folded = "".join(unit.digits for unit in units(fold(left.text).text))
    assert A[-7:] not in folded or A[-7:] in "".join(
        unit.digits for unit in units(fold(f"{before}{after}").text)
    )


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.integers(1, 1000).map(lambda mg: f"{mg} mg"),
            st.tuples(st.integers(80, 200), st.integers(40, 120)).map(lambda bp: f"BP {bp[0]}/{bp[1]}"),
            st.dates(min_value=date(1930, 1, 1)).filter(lambda day: day.year < 2100).map(str),
            st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda at: f"{at[0]:02}:{at[1]:02}"),
            st.integers(340, 420).map(lambda tenths: f"{tenths / 10:.1f}"),
            st.integers(1, 30).map(lambda days: f"for {days} days"),
            st.integers(40, 180).map(lambda rate: f"HR {rate}"),
        ),
        max_size=8,
    )
)
def test_any_list_of_doses_dates_and_readings_stays(items: list[str]) -> None:
    text = ", ".join(items)
    assert redact_text(text, [A, D]).text == text


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(text: str) -> None:
    once = redact_text(text, [A, D])
    assert redact_text(once.text, [A, D]).text == once.text


def test_a_hostile_text_takes_no_longer_than_its_length(recwarn: pytest.WarningsRecorder) -> None:
    encoded = base64.b64encode(b"5" * 900).decode()
    for text in ("1-" * 800, "1 " * 800, "one " * 400, "(" * 1600, "5,5," * 400, encoded, "1.1/" * 400, "o" * 1600):
        redact_text(text, [A, D])
