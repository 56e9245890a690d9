"""Which numbers may be bound or dialled. A number passes only if nothing forbids it: what is not listed is refused.

The tables of `phonenumbers` miss emergency numbers (112 and 122 in China, +1911, +86120), so each country has a list of
our own in `countries/`. Texts are made into plain digits first: whatever spelling hides a number, the list sees it.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from masking.numbers import alias_key, is_sentinel, on_keypad, parse, pool_number, unfold
from masking.port import NumberRefused, PhoneNumber

COUNTRIES = Path(__file__).parent / "countries"
SHORT = 5
"""Digits up to which a number, without country code and trunk prefix, is a service and no subscriber."""
EVERYWHERE = frozenset({"112", "911", "999", "000", "110", "119", "120", "118", "15", "17", "18"})
"""Emergency numbers that phones and networks send on from anywhere."""
NANP = 1
"""North America's country code: 25 countries share it, some of them dear, so an unknown number belongs to none."""
SATELLITE = frozenset({870, 878, 881, 882, 883, 888, 979, 991})
"""Country codes of satellite and of global services: dear, and of no country."""
COSTLY = frozenset({PhoneNumberType.SHARED_COST, PhoneNumberType.UAN, PhoneNumberType.PERSONAL_NUMBER})
ORDINARY = frozenset({
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE,
    PhoneNumberType.VOIP,
    PhoneNumberType.UNKNOWN,  # numbering plans change faster than tables; the prefix lists still apply
})  # fmt: skip


class Refusal(StrEnum):
    """Why a number is refused; stable codes."""

    UNREADABLE = "number_unreadable"
    WITHHELD = "number_withheld"
    EMERGENCY = "number_emergency"
    SHORT = "number_short"
    PREMIUM = "number_premium"
    SHARED_COST = "number_shared_cost"
    SATELLITE = "number_satellite"
    UNLISTED = "number_country_not_allowed"
    SPECIAL = "number_special"
    OWN = "number_of_the_pool"
    HOTLINE = "number_of_the_hotline"


SENTENCES: Mapping[Refusal, str] = {
    Refusal.UNREADABLE: "this is not a telephone number; give it with country code, for example +44 and so on",
    Refusal.WITHHELD: "this number stands for a withheld caller and cannot be reached",
    Refusal.EMERGENCY: "emergency numbers are never bound or dialled; the caller must dial them",
    Refusal.SHORT: "short numbers are services and cannot be bound or dialled",
    Refusal.PREMIUM: "premium-rate numbers cannot be bound or dialled",
    Refusal.SHARED_COST: "shared-cost and personal numbers cannot be bound or dialled",
    Refusal.SATELLITE: "satellite and global numbers cannot be bound or dialled",
    Refusal.UNLISTED: "numbers of this country are not allowed here",
    Refusal.SPECIAL: "only ordinary fixed, mobile and internet numbers can be bound or dialled",
    Refusal.OWN: "a virtual number of ours cannot be a participant",
    Refusal.HOTLINE: "the hotline's own number cannot be a participant",
}


class RefusedByPolicy(NumberRefused):
    """The number may be neither bound nor dialled; `code` says why. The message never holds the number."""

    def __init__(self, code: Refusal) -> None:
        super().__init__(SENTENCES[code])
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """Lists of one country; prefixes are of the number without trunk prefix."""

    emergency: frozenset[str]
    """Whole numbers."""
    premium: tuple[str, ...] = ()
    """Prefixes."""
    shared: tuple[str, ...] = ()
    """Prefixes of shared-cost, personal and other services."""
    satellite: tuple[str, ...] = ()
    """Prefixes."""
    exchanges: tuple[str, ...] = ()
    """Fourth to sixth digit of a premium number, whatever its area code."""
    carriers: tuple[str, ...] = ()
    """Digits dialled before a number to choose a carrier."""
    area: str = ""
    """Pattern of area codes that reach an emergency number when dialled before it."""


def countries(folder: Path = COUNTRIES) -> dict[str, Country]:
    """The lists by ISO 3166 code. Raises ValueError naming the file where one is wrong."""
    found = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
            emergency = frozenset(table.pop("emergency"))
            area = re.compile(table.pop("area", "")).pattern
            lists = {name: tuple(value) for name, value in table.items()}
            if not all(text.isdecimal() for texts in (emergency, *lists.values()) for text in texts):
                raise ValueError("a number is not written in digits")
            found[path.stem] = Country(emergency=emergency, area=area, **lists)
        except (ValueError, KeyError, TypeError, re.error) as wrong:
            raise ValueError(f"the country file {path.name} is wrong: {wrong}") from None
    return found


class Policy:
    """Says of any text whether it is a number that may be bound or dialled."""

    def __init__(
        self,
        *,
        region: str,
        allowed: Iterable[str] | None = None,
        hotline: Iterable[str] = (),
        own: Callable[[], frozenset[str]] = frozenset,
        lists: Mapping[str, Country] | None = None,
    ) -> None:
        """`region`: country of numbers without country code. `allowed`: ISO 3166 codes (default: all with a list).
        `hotline`: its own numbers, E.164. `own`: asked each time for the virtual numbers, as `alias_key` gives them.
        `lists`: default those of the folder `countries`. Raises ValueError for a country without a list."""
        self._lists = dict(countries() if lists is None else lists)
        self._region = region
        self._allowed = frozenset(self._lists if allowed is None else allowed)
        self._hotline = frozenset(alias_key(number) for number in hotline)
        self._own = own
        if missing := self._allowed - self._lists.keys():
            raise ValueError(f"there is no list of numbers for {', '.join(sorted(missing))}")

    def admit(self, text: str) -> PhoneNumber:
        """The number to bind, in E.164 form. Raises RefusedByPolicy."""
        plain = unfold(on_keypad(text))
        if plain is None:
            raise RefusedByPolicy(Refusal.UNREADABLE)
        self._refuse_emergency(plain)
        if is_sentinel(plain):
            raise RefusedByPolicy(Refusal.WITHHELD)
        if pool_number(text) is not None:
            raise RefusedByPolicy(Refusal.OWN)
        if any(len(digits) <= SHORT for digits, _ in self._readings(plain)):
            raise RefusedByPolicy(Refusal.SHORT)
        parsed = parse(plain, self._region)
        if parsed is None:
            raise RefusedByPolicy(Refusal.UNREADABLE)
        number = PhoneNumber(phonenumbers.format_number(parsed, PhoneNumberFormat.E164))
        self._refuse(parsed, number)
        return number

    def check(self, number: PhoneNumber) -> None:
        """The same for a number that was admitted earlier: lists and pools change. Raises RefusedByPolicy."""
        self.admit(number.reveal())

    def _refuse(self, parsed: phonenumbers.PhoneNumber, number: PhoneNumber) -> None:
        if parsed.country_code in SATELLITE:
            raise RefusedByPolicy(Refusal.SATELLITE)
        country = phonenumbers.region_code_for_number(parsed) or _only_region(parsed)
        if country not in self._allowed:
            raise RefusedByPolicy(Refusal.UNLISTED)
        self._refuse_kind(parsed, self._lists[country])
        key = alias_key(number.reveal())
        if key in self._hotline:
            raise RefusedByPolicy(Refusal.HOTLINE)
        if key in self._own():
            raise RefusedByPolicy(Refusal.OWN)

    def _refuse_kind(self, parsed: phonenumbers.PhoneNumber, country: Country) -> None:
        national = phonenumbers.national_significant_number(parsed)
        kind = phonenumbers.number_type(parsed)
        # A listed prefix may be an area code elsewhere in the plan: what the tables know as ordinary is.
        known = kind in ORDINARY and kind != PhoneNumberType.UNKNOWN
        if kind == PhoneNumberType.PREMIUM_RATE or (not known and national.startswith(country.premium)):
            raise RefusedByPolicy(Refusal.PREMIUM)
        if national[3:6] in country.exchanges:
            raise RefusedByPolicy(Refusal.PREMIUM)
        if national.startswith(country.satellite):
            raise RefusedByPolicy(Refusal.SATELLITE)
        if kind in COSTLY or (not known and national.startswith(country.shared)):
            raise RefusedByPolicy(Refusal.SHARED_COST)
        if kind not in ORDINARY:
            raise RefusedByPolicy(Refusal.SPECIAL)

    def _refuse_emergency(self, plain: str) -> None:
        """Before anything is parsed: the parser takes some of them for something else."""
        for digits, country in self._readings(plain):
            lists = self._lists.get(country)
            after_area = lists is not None and bool(lists.area) and _after_area(digits, lists)
            if digits in EVERYWHERE or (lists is not None and digits in lists.emergency) or after_area:
                raise RefusedByPolicy(Refusal.EMERGENCY)

    def _readings(self, plain: str) -> Iterator[tuple[str, str]]:
        """Every way in which digits may reach a service: as they are, after an exit code, a country code, a trunk zero,
        a carrier's prefix. With the country in which they would be dialled."""
        digits = re.sub(r"\D", "", plain)
        without_exit = {digits, *(digits.removeprefix(code) for code in ("00", "011", "0011"))}
        for rest in without_exit:
            yield from self._at_home(rest, self._region)
            for country in self._allowed:
                code = str(phonenumbers.country_code_for_region(country))
                if rest.startswith(code):
                    yield from self._at_home(rest.removeprefix(code), country)

    def _at_home(self, digits: str, country: str) -> Iterator[tuple[str, str]]:
        lists = self._lists.get(country)
        found = {digits, *(digits.removeprefix(code) for code in (lists.carriers if lists else ()))}
        for one in found:
            if one:
                yield one, country
                if one != one.lstrip("0"):
                    yield one.removeprefix("0"), country


def _after_area(digits: str, country: Country) -> bool:
    found = re.match(f"(?:{country.area})({'|'.join(sorted(country.emergency, key=len))})$", digits)
    return found is not None


def _only_region(parsed: phonenumbers.PhoneNumber) -> str:
    """The chief country of the code of a number that no table knows yet; "" for North America."""
    code = parsed.country_code or NANP
    return phonenumbers.region_code_for_country_code(code) if code != NANP else ""
