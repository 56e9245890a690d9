"""Pools of virtual numbers: import, how full they are, how many a load needs. Pure."""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import phonenumbers

from masking.numbers import pool_number, virtual_number
from masking.port import MaskingRefused, Need, NumberState, PoolReport, Side, VirtualNumber, Wrong

DAY = 24 * 3600.0
COLUMNS = ("number", "side", "country", "area", "state")
MOST_IMPORTED = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One caller's numbers on one side."""

    caller: str
    """Party id."""
    held: int
    """Live and resting."""
    of_last_day: int
    """Those bound within a day."""


def need(*, per_day: float, life_days: float, quarantine_days: float, odds: float = 0.001) -> Need:
    """Numbers for one person with `per_day` new partners a day, each on a number of its own for life and quarantine:
    bindings come at random, so those held at a moment follow Poisson's law with mean per_day * (life + quarantine).
    `odds`: of having too few. Raises MaskingRefused."""
    for name, value in (("per_day", per_day), ("life_days", life_days), ("quarantine_days", quarantine_days)):
        if not 0 <= value <= 1e6:
            raise MaskingRefused(Wrong.FIELD, name, f"{name} must be a number from 0 to 1000000")
    if not 0 < odds < 1:
        raise MaskingRefused(Wrong.FIELD, "odds", "the odds must lie between 0 and 1")
    mean = per_day * (life_days + quarantine_days)
    return Need(numbers=_quantile(mean, 1 - odds), mean=mean)


def _quantile(mean: float, share: float) -> int:
    """Smallest count that a Poisson variable does not exceed with the probability `share`; for large means by the
    normal law, where the sum would lose its first terms."""
    if mean == 0:
        return 0
    if mean > 1e5:
        return math.ceil(mean + NormalDist().inv_cdf(share) * math.sqrt(mean))
    count, below = 0, 0.0
    while True:
        below += math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))
        if below >= share:
            return count
        count += 1


def pool_reports(every: Sequence[VirtualNumber], held: Mapping[str, Iterable[Load]]) -> tuple[PoolReport, ...]:
    """By side and country; `held` by "side country"."""
    found = []
    for side, country in sorted({(about.side, about.country) for about in every}):
        mine = [about for about in every if (about.side, about.country) == (side, country)]
        loads = sorted(held.get(f"{side} {country}", ()), key=lambda load: (-load.held, load.caller))
        active = sum(about.state == NumberState.ACTIVE for about in mine)
        top = loads[0] if loads else Load(caller="", held=0, of_last_day=0)
        left = max(0, active - top.held)
        found.append(
            PoolReport(
                side=side,
                country=country,
                numbers=len(mine),
                active=active,
                routes=sum(load.held for load in loads),
                busiest=top.held,
                fullest=top.caller,
                runs_out=left * DAY / top.of_last_day if top.of_last_day else None,
            )
        )
    return tuple(found)


def stored(numbers: Sequence[VirtualNumber], region: str) -> tuple[VirtualNumber, ...]:
    """In the one form that is stored. Raises MaskingRefused."""
    found: dict[str, VirtualNumber] = {}
    for place, about in enumerate(numbers, 1):
        number = virtual_number(about.number, about.country or region)
        if number is None:
            raise MaskingRefused(Wrong.FIELD, "number", f"number {place} is no telephone number")
        country = about.country or _country(number) or region
        if len(country) != 2 or not country.isalpha():
            raise MaskingRefused(Wrong.FIELD, "country", f"number {place} needs a country of two letters")
        if len(about.area) > 8:
            raise MaskingRefused(Wrong.FIELD, "area", f"number {place} has an area code of more than 8 characters")
        one = replace(about, number=number, country=country.upper())
        if found.setdefault(number, one) != one:
            raise MaskingRefused(Wrong.FIELD, "number", f"number {place} is there twice, with different columns")
    return tuple(found.values())


def _country(number: str) -> str | None:
    if pool_number(number):
        return "CN"
    return phonenumbers.region_code_for_number(phonenumbers.parse(number))


def read_csv(text: str, region: str = "US") -> tuple[VirtualNumber, ...]:
    """Numbers of a CSV file with a header: number, side, and if wanted country, area, state. `region`: country of
    numbers without country code, where the file names none. Raises MaskingRefused, naming the line."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), skipinitialspace=True, restkey="more")
    if not {"number", "side"} <= set(reader.fieldnames or ()) <= set(COLUMNS):
        message = "the first line must name the columns: number,side and, if wanted, country,area,state"
        raise MaskingRefused(Wrong.FIELD, "file", message)
    found: list[VirtualNumber] = []
    try:
        for row in reader:
            if len(found) >= MOST_IMPORTED:
                raise MaskingRefused(Wrong.FIELD, "file", f"one file holds at most {MOST_IMPORTED} numbers")
            found.append(_number({key: (value or "").strip() for key, value in row.items()}, reader.line_num, region))
    except (csv.Error, AttributeError):
        raise MaskingRefused(Wrong.FIELD, "file", f"line {reader.line_num} has too many columns") from None
    return tuple(found)


def _number(row: Mapping[str, str], line: int, region: str) -> VirtualNumber:
    for name, kind in (("side", Side), ("state", NumberState)):
        if row.get(name, "") not in {"" if name == "state" else None, *(one.value for one in kind)}:
            choices = ", ".join(one.value for one in kind)
            raise MaskingRefused(Wrong.FIELD, name, f"line {line}: the {name} must be one of {choices}")
    if virtual_number(row["number"], (row.get("country") or region).upper()) is None:
        raise MaskingRefused(Wrong.FIELD, "number", f"line {line}: this is no telephone number")
    return VirtualNumber(
        number=row["number"],
        side=Side(row["side"]),
        country=row.get("country", "").upper(),
        area=row.get("area", ""),
        state=NumberState(row.get("state") or "active"),
    )
