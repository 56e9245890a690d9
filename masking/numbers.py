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


def _plain(text: str) -> str | None:
    """Digits, plus and separators in ASCII, or None. Anything with letters is none: that refuses the words for
    a withheld number ("anonymous" of RFC 3323, "unknown", "unavailable", "restricted") and vanity spellings."""
    user = _SCHEME.sub("", unquote(text[:LONGEST]).strip())
    user = re.split(r"[;@?]", user, maxsplit=1)[0]
    folded = unicodedata.normalize("NFKC", user)
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
