"""Caller ids as they come from carriers, made into E.164 numbers. Pure; nothing here logs or raises with a number."""

import re
import unicodedata
from urllib.parse import unquote

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from masking.port import PhoneNumber

LONGEST = 64
"""Characters looked at: E.164 has 15 digits, the rest is separators and hostile input."""

WITHHELD_NUMBERS = frozenset({"266696687", "7378742833", "2562533", "8656696", "86282452253", "7748283"})
"""The words ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN, UNAVAILABLE and PRIVATE typed on a keypad: gateways that can only
send digits send these. Some of them look possible in some countries, so they are refused by name."""

_SCHEME = re.compile(r"^(?:sips?|tel):", re.IGNORECASE)
_SHAPE = re.compile(r"\(?\+{0,2}\(?[0-9][0-9 .\-()/]*")


def normalise(text: str, region: str) -> PhoneNumber | None:
    """The number that a SIP user part (or tel URI) stands for; None where it is withheld, fake or no number at all.

    `region` is the ISO 3166 code of the country that numbers without country code belong to. Numbers only have to be
    possible, not assigned: numbering plans change faster than tables, and a patient must be callable.
    """
    plain = _plain(text)
    if plain is None or _is_withheld(plain):
        return None
    parsed = _possible(plain, region) or _without_plus(plain)
    if parsed is None:
        return None
    return PhoneNumber(phonenumbers.format_number(parsed, PhoneNumberFormat.E164))


COSTLY = frozenset({
    phonenumbers.PhoneNumberType.PREMIUM_RATE,
    phonenumbers.PhoneNumberType.SHARED_COST,
    phonenumbers.PhoneNumberType.UAN,
})  # fmt: skip


def may_be_dialled(number: PhoneNumber) -> bool:
    """Whether a machine may call a number that a caller showed: caller ids can be forged to make others call premium
    numbers or an emergency service."""
    try:
        parsed = phonenumbers.parse(number.reveal(), None)
    except NumberParseException:
        return False
    national = str(parsed.national_number)
    region = phonenumbers.region_code_for_number(parsed) or ""
    emergency = bool(region) and phonenumbers.is_emergency_number(national, region)
    possible = phonenumbers.is_possible_number(parsed)
    return possible and not emergency and phonenumbers.number_type(parsed) not in COSTLY


KEYPAD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
"""Letters on a telephone's keys (ITU-T E.161)."""
_POOL = re.compile(r"(?:\+?(?:00)?86)?0?(700\d{12})")
_VANITY = re.compile(r"[+(]*\d[\dA-Z .\-()/]*")


def on_keypad(text: str) -> str:
    """Letters of a vanity number as digits: for numbers that people type in, never for caller ids. A text that does not
    begin as a number comes back as it is."""
    user = unicodedata.normalize("NFKC", _user(text)).strip().upper()
    return user.translate(KEYPAD) if _VANITY.fullmatch(user) else text


def unfold(text: str) -> str | None:
    """ASCII digits with plus and separators; None where it is no number."""
    return _plain(text)


def is_sentinel(plain: str) -> bool:
    """Whether digits only stand for a withheld caller."""
    return _is_withheld(plain)


def parse(plain: str, region: str) -> phonenumbers.PhoneNumber | None:
    """A possible number; `plain` is what `unfold` gave."""
    return _possible(plain, region) or _without_plus(plain)


def pool_number(text: str) -> str | None:
    """A Chinese 700 number (15 digits, made for masking) in the form +86700...: too long for E.164, so the tables do
    not know it. Others: None."""
    plain = _plain(text)
    found = _POOL.fullmatch(re.sub(r"[^\d+]", "", plain)) if plain else None
    return f"+86{found[1]}" if found else None


def virtual_number(text: str, region: str) -> str | None:
    """A number of ours as a carrier or an operator writes it, in one form; None for no number."""
    if pool := pool_number(text):
        return pool
    number = normalise(text, region)
    return number.reveal() if number else None


def alias_key(number: str) -> str:
    """One form for E.164 numbers that are one subscriber: Mexican mobile numbers with the 1 of old times, Argentine
    ones with the 9 that is only dialled from abroad. Others stay."""
    if number.startswith("+521") and len(number) == 14:
        return "+52" + number[4:]
    if number.startswith("+549") and len(number) == 14:
        return "+54" + number[4:]
    return number


def _user(text: str) -> str:
    """User part of an address, or the text."""
    user = _SCHEME.sub("", unquote(text[:LONGEST]).strip())
    return re.split(r"[;@?]", user, maxsplit=1)[0]


def _plain(text: str) -> str | None:
    """Digits, plus and separators in ASCII, or None. Anything with letters is none: that refuses the words for
    a withheld number ("anonymous" of RFC 3323, "unknown", "unavailable", "restricted") and vanity spellings."""
    folded = unicodedata.normalize("NFKC", _user(text))
    ascii_digits = "".join(_digit(char) for char in folded if unicodedata.category(char) != "Cf").strip()
    dashes = re.sub(r"[\u2010-\u2015\u2212]", "-", ascii_digits)
    return dashes if _SHAPE.fullmatch(dashes) else None


def _digit(char: str) -> str:
    """A decimal digit of any script as ASCII; anything else unchanged."""
    value = unicodedata.decimal(char, None)
    return char if value is None else str(value)


def _is_withheld(plain: str) -> bool:
    digits = re.sub(r"\D", "", plain)
    spellings = {digits, digits.removeprefix("00"), digits.removeprefix("011")}
    return bool(spellings & WITHHELD_NUMBERS) or not digits.strip("0")


def _possible(plain: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        parsed = phonenumbers.parse(plain, region)
    except NumberParseException:
        return None
    # "Local only" (a number without its area code) cannot be called back from elsewhere: not good enough.
    reason = phonenumbers.is_possible_number_with_reason(parsed)
    return parsed if reason == ValidationResult.IS_POSSIBLE else None


def _without_plus(plain: str) -> phonenumbers.PhoneNumber | None:
    """Many carriers leave the plus out. Guessing a country code needs more proof: the number must be valid there."""
    if plain.startswith("+"):
        return None
    parsed = _possible("+" + plain, "ZZ")
    return parsed if parsed is not None and phonenumbers.is_valid_number(parsed) else None
