"""What may be bound or dialled: nothing that is forbidden gets through in any spelling."""

import re
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from masking.numbers import alias_key, normalise, virtual_number
from masking.policy import Policy, Refusal, RefusedByPolicy, countries
from masking.port import PhoneNumber

US, GB = "+12025550123", "+447700900123"
POOL_700 = "700" + "0" * 11 + "1"
AMERICAN, CHINESE = Policy(region="US"), Policy(region="CN")


def example(country: str, kind: int, style: int = PhoneNumberFormat.E164) -> str:
    found = phonenumbers.example_number_for_type(country, kind)
    assert found is not None
    return phonenumbers.format_number(found, style)


def refused(policy: Policy, text: str) -> Refusal:
    with pytest.raises(RefusedByPolicy) as told:
        policy.admit(text)
    assert len(text) < 3 or text not in str(told.value)
    return told.value.code


@pytest.mark.parametrize("text", [US, "202-555-0123", "tel:+1-202-555-0123;ext=9", "1 202 555 0123\r\n"])
def test_ordinary_numbers_are_admitted(text: str) -> None:
    assert AMERICAN.admit(text).reveal() == US


@pytest.mark.parametrize("country", sorted(countries()))
@pytest.mark.parametrize("kind", [PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE])
def test_every_listed_countrys_subscribers_are_admitted(country: str, kind: int) -> None:
    number = example(country, kind)
    assert AMERICAN.admit(number).reveal() == number
    national = example(country, kind, PhoneNumberFormat.NATIONAL)
    assert Policy(region=country).admit(national).reveal() in {number, alias_key(number)}


def test_unassigned_numbers_of_a_listed_country_are_admitted() -> None:
    assert AMERICAN.admit(GB).reveal() == GB


@pytest.mark.parametrize(
    "text",
    ["120", "112", "122", "110", "119", "911", "+1911", "+86120", "+86 112", "010120", "010-122", "0755 110", "9-1-1",
     "１１２", "１２０", "١١٢", "+86 17951 120", "17951120", "0086120", "00 86 (120)", "tel:112", "tel:+86-120",
     "%2B86120", "112;ext=1", "112\n", "++86120", "sip:120@gw.example", "0112", "011 86 120", "999", "12593 110"],
)  # fmt: skip
@pytest.mark.parametrize("policy", [AMERICAN, CHINESE], ids=["US", "CN"])
def test_emergency_numbers_are_refused_in_every_spelling(policy: Policy, text: str) -> None:
    assert refused(policy, text) in {Refusal.EMERGENCY, Refusal.SHORT, Refusal.UNREADABLE}


@pytest.mark.parametrize("text", ["120", "122", "+86120", "010120", "17951120", "１２０", "0086120", "112;ext=1"])
def test_chinese_emergency_numbers_are_known_for_what_they_are(text: str) -> None:
    assert refused(CHINESE, text) == Refusal.EMERGENCY


@pytest.mark.parametrize("country", sorted(countries()))
def test_each_countrys_emergency_numbers_are_refused_with_and_without_its_code(country: str) -> None:
    home = Policy(region=country)
    code = phonenumbers.country_code_for_region(country)
    for number in countries()[country].emergency:
        for text in (number, f"+{code}{number}", f"00{code}{number}", "-".join(number)):
            assert refused(home, text) == Refusal.EMERGENCY, text
        assert refused(AMERICAN, f"+{code} {number}") == Refusal.EMERGENCY


def test_a_full_number_behind_911_is_refused() -> None:
    for text in ("9116661212", "+1 911 666 1212", "+1 (911) 555-0123"):
        refused(AMERICAN, text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("+1 900 555 0123", Refusal.PREMIUM),
        ("1-900-FLOWERS", Refusal.PREMIUM),
        ("+1 202 976 0123", Refusal.PREMIUM),
        ("+44 909 8790000", Refusal.PREMIUM),
        ("+44 118 500", Refusal.UNREADABLE),
        ("+49 180 1 000000", Refusal.SHARED_COST),
        ("+44 70 0000 0000", Refusal.SHARED_COST),
        ("+49 900 1 000000", Refusal.PREMIUM),
        ("+870 700 000 000", Refusal.SATELLITE),
        ("+8816 0000 0000", Refusal.SATELLITE),
        ("+882 16 00000000", Refusal.SATELLITE),
        ("+61 147 100 000", Refusal.SATELLITE),
        ("+1 876 555 0123", Refusal.UNLISTED),
        ("+53 5 0000000", Refusal.UNLISTED),
        ("+1 800 555 0123", Refusal.SPECIAL),
        ("+86 700 0000 0000 0001", Refusal.OWN),
        ("10086", Refusal.SHORT),
        ("anonymous", Refusal.UNREADABLE),
        ("+266696687", Refusal.WITHHELD),
        ("+86282452253", Refusal.WITHHELD),
        ("*31#2025550123", Refusal.UNREADABLE),
        ("", Refusal.UNREADABLE),
    ],
)
def test_costly_foreign_and_odd_numbers_are_refused(text: str, code: Refusal) -> None:
    assert refused(AMERICAN, text) == code


def test_a_country_that_is_not_allowed_is_refused() -> None:
    home = Policy(region="US", allowed={"US"})
    assert refused(home, GB) == Refusal.UNLISTED
    with pytest.raises(ValueError, match="no list of numbers for ZZ"):
        Policy(region="US", allowed={"US", "ZZ"})


def test_our_own_numbers_are_no_participants_in_any_spelling() -> None:
    own = {"+12025550199"}
    policy = Policy(region="US", hotline=["+12025550100"], own=lambda: frozenset(own))
    for text in ("2025550199", "+1 (202) 555-0199", "0012025550199"[2:]):
        assert refused(policy, text) == Refusal.OWN
    assert refused(policy, "202 555 0100") == Refusal.HOTLINE
    own.add(US)
    with pytest.raises(RefusedByPolicy):
        policy.check(PhoneNumber(US))


@pytest.mark.parametrize(
    "spelling",
    ["{d}", "0{d}", "86{d}", "+86{d}", "17951{d}", "12593{d}", "tel:+86{d}", "%2B86{d}", "{d};ext=1", "0086{d}",
     "++86{d}", "+86-{d}\r\n", "sip:{d}@carrier.example"],
)  # fmt: skip
def test_chinese_spellings_of_a_caller_are_one_number(spelling: str) -> None:
    number = example("CN", PhoneNumberType.MOBILE)
    text = spelling.format(d=number[3:])
    for one in (text, text.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})):
        found = normalise(one if "%" not in spelling else text, "CN")
        assert found is not None
        assert found.reveal() == number


@pytest.mark.parametrize("text", [POOL_700, "0" + POOL_700, "86" + POOL_700, "+86" + POOL_700, "0086" + POOL_700])
def test_chinese_masking_numbers_are_virtual_numbers(text: str) -> None:
    assert virtual_number(text, "CN") == "+86" + POOL_700


@pytest.mark.parametrize("text", ["700123", "+44" + POOL_700, POOL_700 + "0"])
def test_other_long_numbers_are_none(text: str) -> None:
    assert virtual_number(text, "CN") is None


def test_numbers_of_one_subscriber_have_one_key() -> None:
    mexican, argentine = example("MX", PhoneNumberType.MOBILE), example("AR", PhoneNumberType.MOBILE)
    assert alias_key("+521" + mexican[3:]) == mexican
    assert alias_key(argentine) == alias_key("+54" + argentine[4:])
    domestic = normalise(f"0{argentine[4:6]} 15 {argentine[6:]}", "AR")
    assert domestic is not None
    assert alias_key(domestic.reveal()) == alias_key(argentine)
    assert alias_key(US) == US


def test_a_wrong_country_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "XX.toml").write_text('emergency = ["nine"]')
    with pytest.raises(ValueError, match=r"XX\.toml"):
        countries(tmp_path)


TEXTS = st.text(max_size=70) | st.text("+0123456789 -().;%@*#１٣fF=", max_size=40)


@given(text=TEXTS, policy=st.sampled_from([AMERICAN, CHINESE]))
def test_anything_is_admitted_as_a_number_or_refused(text: str, policy: Policy) -> None:
    try:
        number = policy.admit(text).reveal()
    except RefusedByPolicy:
        return
    assert number[1:].isascii()
    assert number[1:].isdigit()
    assert policy.admit(number).reveal() == number


@given(emergency=st.sampled_from(["911", "112", "120", "110", "119", "999"]), data=st.data())
def test_no_way_of_writing_hides_an_emergency_number(emergency: str, data: st.DataObject) -> None:
    gaps = data.draw(st.lists(st.sampled_from(["", " ", "-", ".", "\u200b", "(", ")"]), min_size=3, max_size=3))
    digits = "".join(char + gap for char, gap in zip(emergency, gaps, strict=True))
    before = data.draw(st.sampled_from(["", "tel:", "+1", "+86", "0086", "011 86 ", "%2B1", "++", " "]))
    refused(CHINESE, before + digits)


@pytest.mark.parametrize("country", sorted(countries()))
def test_the_lists_miss_no_emergency_or_premium_number_that_the_tables_know(country: str) -> None:
    short = phonenumbers.PhoneMetadata.short_metadata_for_region(country)
    assert short is not None
    assert short.emergency is not None
    assert short.emergency.national_number_pattern is not None
    pattern = re.compile(short.emergency.national_number_pattern)
    known = {text for size in (2, 3, 4) for at in range(10**size) if pattern.fullmatch(text := f"{at:0{size}d}")}
    assert known
    policy = Policy(region=country, allowed=[country])
    for text in known:
        with pytest.raises(RefusedByPolicy) as refused:
            policy.admit(text)
        assert refused.value.code == Refusal.EMERGENCY
    premium = phonenumbers.example_number_for_type(country, PhoneNumberType.PREMIUM_RATE)
    assert premium is not None
    with pytest.raises(RefusedByPolicy) as refused:
        policy.admit(phonenumbers.format_number(premium, PhoneNumberFormat.E164))
    # Canada's and the United States' are of no single country, and so not on any list of allowed ones.
    assert refused.value.code in {Refusal.PREMIUM, Refusal.SHARED_COST, Refusal.UNLISTED}
