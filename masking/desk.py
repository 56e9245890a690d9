# Size: open_desk names every part of the room once, and says what its arguments mean.
"""The whole room of masking, opened once a process: the command line, the workers and the web API share this."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Engine

from masking import database
from masking.alerts_sql import SqlAlerts
from masking.bindings_sql import SqlBindings
from masking.caretaker import Caretaker
from masking.clicks_sql import SqlWishes
from masking.codes import Codes
from masking.complaints import SqlComplaints
from masking.diary_sql import SqlDiary
from masking.exchange_sql import SqlExchange
from masking.hooks_sql import SqlHooks
from masking.ledger import Ledger
from masking.line_legs_sql import SqlLineLegs
from masking.numbers import virtual_number
from masking.numbers_sql import SqlNumbers
from masking.policy import Policy, RefusedByPolicy
from masking.pools import need, read_csv
from masking.port import (
    Bindings,
    Exchange,
    Intercept,
    Limits,
    LineLegs,
    MaskingRefused,
    Need,
    Numbers,
    Relay,
    VirtualNumber,
    Wanted,
    Wishes,
    Wrong,
)
from masking.screened import ScreenedBindings
from masking.tokens_sql import SqlTokens
from masking.told import ToldBindings
from masking.vault_sql import SqlVault, TurningSealer

FRESH_SECONDS = 5.0
"""How long the list of our own numbers is believed. Another process may add one meanwhile: that one is looked at once
more before it is dialled."""


MOST_NAMED = 1000
"""Phones or members of one request."""


class OwnNumbers:
    """Our virtual numbers as the policy wants them, read again when they are old."""

    def __init__(self, numbers: SqlNumbers, clock: Callable[[], float] = time.monotonic) -> None:
        self._numbers = numbers
        self._clock = clock
        self._known: frozenset[str] = frozenset()
        self._until = float("-inf")

    def __call__(self) -> frozenset[str]:
        """As last read."""
        return self._known

    async def refresh(self) -> None:
        """Read them, if the last time is too long ago. Raises MaskingUnavailable."""
        if self._clock() >= self._until:
            self._known = await self._numbers.own()
            self._until = self._clock() + FRESH_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The room of masking, open."""

    vault: SqlVault
    """Real numbers."""
    policy: Policy
    """What may be bound and dialled."""
    own: OwnNumbers
    """What the policy knows of our own numbers; to be refreshed before it is asked."""
    bindings: Bindings
    """Screened."""
    numbers: Numbers
    """Virtual numbers."""
    exchange: Exchange
    """What calls lead to."""
    tokens: SqlTokens
    """Services that may use the API."""
    ledger: Ledger
    """The database of all of them."""
    region: str
    """Country of numbers without country code, ISO 3166."""
    diary: SqlDiary
    """Events and call records."""
    hooks: SqlHooks
    """Owners' web addresses."""
    complaints: SqlComplaints
    """People who complained about a number."""
    alerts: SqlAlerts
    """What operators must do about numbers."""
    legs: LineLegs
    """Legs in progress on our own lines."""
    wishes: Wishes | None = None
    """Click-to-calls asked for."""
    relay: Relay | None = None
    """Texts."""
    limits: Limits | None = None
    """Abuse limits."""
    intercept: Intercept | None = None
    """Owners' hooks before calls."""

    def virtual(self, text: str, field: str) -> str:
        """A number of ours in the form that is stored; "" stays. Raises MaskingRefused."""
        number = virtual_number(text, self.region) if text else ""
        if number is None:
            raise MaskingRefused(Wrong.FIELD, field, "this is no telephone number")
        return number

    async def party(self, text: str, field: str) -> str:
        """A party id; a number is admitted and goes into the vault; "" stays. Raises MaskingRefused with the field,
        MaskingUnavailable."""
        if text.startswith("party-") or not text:
            return text
        await self.own.refresh()
        try:
            return (await self.vault.party(self.policy.admit(text))).id
        except RefusedByPolicy as refused:
            raise MaskingRefused(Wrong.NUMBER_REFUSED, field, f"{refused} [{refused.code}]") from None

    async def settle(self, wanted: Wanted) -> Wanted:
        """The same request with party ids for numbers, and virtual numbers as they are stored. Raises MaskingRefused,
        MaskingUnavailable."""
        for field, several in (("phones", wanted.phones), ("members", wanted.members)):
            if len(several) > MOST_NAMED:
                raise MaskingRefused(Wrong.FIELD, field, "these are too many")
        return replace(
            wanted,
            doctor=await self.party(wanted.doctor, "doctor"),
            patient=await self.party(wanted.patient, "patient"),
            phones=tuple([await self.party(one, "phones") for one in wanted.phones]),
            members=tuple([await self.party(one, "members") for one in wanted.members]),
            country=wanted.country.upper(),
            patient_number=self.virtual(wanted.patient_number, "patient_number"),
            doctor_number=self.virtual(wanted.doctor_number, "doctor_number"),
        )

    def read(self, csv: str) -> tuple[VirtualNumber, ...]:
        """Numbers of a CSV text with a header. Raises MaskingRefused, naming the line."""
        return read_csv(csv, self.region)

    def plan(self, *, per_day: float, life_days: float, quarantine_days: float, odds: float) -> Need:
        """Numbers that a load needs. Raises MaskingRefused."""
        return need(per_day=per_day, life_days=life_days, quarantine_days=quarantine_days, odds=odds)

    def caretaker(self, taker: str) -> Caretaker:
        """What is done for all by one process at a time, to be run in each. `taker`: this process among its like."""
        return Caretaker(
            ledger=self.ledger,
            exchange=self.exchange,
            numbers=self.numbers,
            alerts=self.alerts,
            diary=self.diary,
            clock=self.ledger.clock,
            taker=taker,
            ends=self.diary.tell_ends,
        )

    def close(self) -> None:
        """Release threads and database; blocks until what runs is done."""
        self.ledger.close()
        self.vault.close()


def open_desk(
    engine: Engine,
    sealer: Callable[[str], TurningSealer],
    *,
    region: str,
    shown: str = "triage",
    hotline: Iterable[str] = (),
    countries: Iterable[str] = (),
    complaints: int = 3,
    patience: float = 2.0,
    clock: Callable[[], float] = time.time,
) -> Desk:
    """Bring the tables up to date and open everything on one engine, which the desk closes.

    `engine`: SQLite file or PostgreSQL, statement values hidden from error texts, SQLite files private and synced at
    commit. `sealer`: encryption for a purpose named by a label. `region`: country of numbers without country code, ISO
    3166. `shown`: user part that agents' phones show. `hotline`: its own numbers, which can be no participants.
    `countries`: whose numbers may be bound and dialled; none: all that have a list. `complaints`: about a number in 30
    days, from which on the operator is told. `patience`: seconds before MaskingUnavailable. `clock`: seconds since the
    epoch.
    Raises MaskingUnavailable, MaskingRefused for a hotline number that is none, ValueError for a country without list.
    """
    known = _e164(hotline, region)
    database.prepare(engine)
    vault = SqlVault(engine, sealer("masking vault"), shown=shown, region=region, patience=patience, clock=clock)
    ledger = Ledger(engine, patience=patience, clock=clock)
    codes = Codes(sealer("masking codes"))
    numbers = SqlNumbers(ledger, region, known)
    alerts = SqlAlerts(ledger)
    exchange = SqlExchange(ledger, codes, region=region, alert=alerts.note)
    diary = SqlDiary(ledger)
    own = OwnNumbers(numbers)
    policy = Policy(region=region, allowed=tuple(countries) or None, hotline=known, own=own)
    screen = _screen(vault, policy, own)
    return Desk(
        vault=vault,
        policy=policy,
        own=own,
        bindings=ToldBindings(ScreenedBindings(SqlBindings(ledger, codes, alerts.note), screen), diary, clock),
        numbers=numbers,
        diary=diary,
        hooks=SqlHooks(ledger, sealer("masking hooks")),
        complaints=SqlComplaints(ledger, most=complaints, alert=alerts.note),
        alerts=alerts,
        exchange=exchange,
        legs=SqlLineLegs(ledger),
        wishes=SqlWishes(ledger, exchange),
        tokens=SqlTokens(ledger, sealer("service tokens")),
        ledger=ledger,
        region=region,
    )


def _screen(vault: SqlVault, policy: Policy, own: OwnNumbers) -> Callable[[Mapping[str, str]], Awaitable[None]]:
    async def screen(named: Mapping[str, str]) -> None:
        await own.refresh()
        await vault.screen(named, policy)

    return screen


def _e164(numbers: Iterable[str], region: str) -> tuple[str, ...]:
    found = []
    for text in numbers:
        number = virtual_number(text, region)
        if number is None:
            raise MaskingRefused(Wrong.FIELD, "hotline_numbers", "one of the hotline's numbers is no telephone number")
        found.append(number)
    return tuple(found)
