"""Requests for bindings, checked before any store is asked. Pure."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace

from masking.port import Kind, MaskingRefused, Wanted, Wrong

SHORTEST_LIFE = 60.0
LONGEST_LIFE = 100 * 366 * 24 * 3600.0
LONGEST_CALL = 4 * 3600.0
MOST_MEMBERS = 500
_PARTY = re.compile(r"(?!code-|withheld-)[A-Za-z0-9_-]{1,64}")
"""A party whose number is known. "code-" begins what is no party."""


def fingerprint(wanted: Wanted) -> str:
    """Equal for equal requests."""
    return hashlib.sha256(repr(replace(wanted, key="")).encode()).hexdigest()[:32]


def coded(wanted: Wanted) -> bool:
    """Whether a code belongs to it."""
    return wanted.kind == Kind.CODE or wanted.with_code


def check(wanted: Wanted) -> None:
    """Raises MaskingRefused for what no store would take."""
    for at_fault, name, message in _mistakes(wanted):
        if at_fault:
            raise MaskingRefused(Wrong.FIELD, name, message)
    if wanted.doctor in {wanted.patient, *wanted.members} or wanted.patient in wanted.phones != ():
        raise MaskingRefused(Wrong.SAME_PARTY, "doctor", "patient and doctor must be two different parties")


def _mistakes(wanted: Wanted) -> Iterator[tuple[bool, str, str]]:
    two = wanted.kind in {Kind.PAIR, Kind.CODE}
    life = LONGEST_LIFE if wanted.life is None else wanted.life
    yield not 1 <= len(wanted.owner) <= 64, "owner", "an owner of 1 to 64 characters is needed"
    yield not wanted.doctor, "doctor", "a doctor is needed"
    yield two != bool(wanted.patient), "patient", "a pair or code binding needs one patient, others need none"
    yield (wanted.kind == Kind.GROUP) != bool(wanted.members), "members", "a group needs members, others need none"
    for name in ("doctor", "patient"):
        party = getattr(wanted, name)
        yield bool(party) and not _PARTY.fullmatch(party), name, f"the {name} must be a party id of a known number"
    for name, several in (("members", wanted.members), ("phones", wanted.phones)):
        yield not all(map(_PARTY.fullmatch, several)), name, f"the {name} must be party ids of known numbers"
    yield len(wanted.members) > MOST_MEMBERS, "members", f"a group has at most {MOST_MEMBERS} members"
    yield len(set(wanted.members)) < len(wanted.members), "members", "a member is named twice"
    yield len({wanted.doctor, *wanted.phones}) <= len(wanted.phones), "phones", "a phone is named twice"
    yield not two and bool(wanted.phones), "phones", "only pair and code bindings know a doctor's other phones"
    yield not SHORTEST_LIFE <= life <= LONGEST_LIFE, "life", f"the life must be at least {SHORTEST_LIFE:.0f} seconds"
    yield not 0 <= wanted.quarantine <= LONGEST_LIFE, "quarantine", "the quarantine must be 0 seconds or more"
    yield not 1 <= wanted.longest_call <= LONGEST_CALL, "longest_call", f"a call lasts 1 to {LONGEST_CALL:.0f} seconds"
    yield wanted.one_way and wanted.kind != Kind.PAIR, "one_way", "only a pair can be one-way"
    yield wanted.with_code and not two, "with_code", "only pair and code bindings have a code"
    yield not two and bool(wanted.doctor_number), "doctor_number", "this type has one number, the patient's"
    yield len(wanted.key) > 128, "key", "an idempotency key has at most 128 characters"
