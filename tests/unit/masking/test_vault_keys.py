"""Keys of the vault: rotation while bindings live, erasure, and numbers that may no longer be called."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine

from masking.bindings_sql import SqlBindings
from masking.codes import Codes
from masking.database import prepare
from masking.exchange_sql import SqlExchange
from masking.leaks import LeakOracle
from masking.ledger import Ledger
from masking.numbers_sql import SqlNumbers
from masking.policy import Policy, RefusedByPolicy
from masking.port import Dialled, Kind, MaskingRefused, Outcome, PhoneNumber, Sealer, Side, VirtualNumber, Wanted
from masking.screened import ScreenedBindings
from masking.vault_sql import SqlVault
from records.database import connect
from records.keys import KeyRing

NUMBER, OTHER = PhoneNumber("+12025550123"), PhoneNumber("+447700900123")
OURS = ("+12025550110", "+12025550111")
RING = KeyRing({1: b"k" * 32})
POLICY = Policy(region="US")


class Turned:
    """A sealer whose keyed hashes hang on another key; what was sealed opens as before."""

    def __init__(self, tags: Sealer) -> None:
        self._tags, self._seals = tags, RING.sealer("masking vault")

    def seal(self, clear: bytes, context: bytes) -> bytes:
        return self._seals.seal(clear, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        return self._seals.open(sealed, context)

    def tag(self, clear: bytes, context: bytes) -> bytes:
        return self._tags.tag(clear, context)


BEFORE, AFTER = RING.sealer("masking vault"), Turned(RING.sealer("masking tags 2"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault.db"


@pytest.fixture
def opened(path: Path) -> Iterator[Callable[..., SqlVault]]:
    vaults: list[SqlVault] = []

    def make(sealer: Sealer, former: Sealer | None = None) -> SqlVault:
        vaults.append(SqlVault(prepare(connect(f"sqlite:///{path}")), sealer, former=former))
        return vaults[-1]

    yield make
    for vault in vaults:
        vault.close()


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    engine: Engine = prepare(connect(f"sqlite:///{path}"))
    found = Ledger(engine, patience=30)
    yield found
    found.close()


def test_parties_and_calls_stay_while_the_hash_key_is_changed(
    opened: Callable[..., SqlVault], ledger: Ledger, path: Path
) -> None:
    codes = Codes(BEFORE)

    async def run() -> None:
        old = opened(BEFORE)
        patient, doctor = await old.party(NUMBER), await old.party(OTHER)
        numbers = tuple(
            VirtualNumber(number=number, side=side, country="US") for number, side in zip(OURS, Side, strict=True)
        )
        await SqlNumbers(ledger).add(numbers)
        wanted = Wanted(owner="hotline", kind=Kind.PAIR, doctor=doctor.id, patient=patient.id, life=None)
        made = await SqlBindings(ledger, codes).create(wanted)
        tags = _tags(path)
        turning = opened(AFTER, BEFORE)
        for vault in (old, turning):
            caller = await vault.party(NUMBER)
            verdict = await SqlExchange(ledger, codes).resolve(Dialled(number=made.patient_number, caller=caller.id))
            assert (verdict.outcome, verdict.callee) == (Outcome.CONNECT, doctor.id)
        assert await turning.retag() == 2
        assert await turning.retag() == 0
        assert not tags & _tags(path)
        for vault in (turning, opened(AFTER)):
            assert (await vault.party(NUMBER)).id == patient.id
            assert (await vault.reveal(doctor.id, reason="callback", actor="nurse-1")) == OTHER

    asyncio.run(run())


def _tags(path: Path) -> set[bytes]:
    with closing(sqlite3.connect(path)) as raw:
        return {row[0] for row in raw.execute("SELECT tag FROM masking_parties")}


def test_an_erased_party_is_nobody(opened: Callable[..., SqlVault], path: Path) -> None:
    async def run() -> None:
        vault = opened(BEFORE)
        party = await vault.party(NUMBER)
        with pytest.raises(ValueError, match="reason"):
            await vault.erase(party.id, reason=" ", actor="officer")
        await vault.erase(party.id, reason="asked for by the patient", actor="officer")
        for again in (vault.reveal(party.id, reason="r", actor="a"), vault.erase(party.id, reason="r", actor="a")):
            with pytest.raises(KeyError):
                await again
        assert (await vault.party(NUMBER)).id != party.id

    asyncio.run(run())
    with closing(sqlite3.connect(path)) as raw:
        kept = raw.execute("SELECT number FROM masking_parties ORDER BY length(number)").fetchall()
        audit = raw.execute("SELECT actor, reason FROM masking_reveals").fetchall()
    assert [bool(row[0]) for row in kept] == [False, True]
    assert audit == [("officer", "erasure: asked for by the patient")]
    assert LeakOracle([NUMBER.reveal()]).scan_folder(path.parent) == ()


def test_a_number_is_checked_again_when_it_is_dialled(opened: Callable[..., SqlVault]) -> None:
    own: set[str] = set()
    policy = Policy(region="US", own=lambda: frozenset(own))

    async def run() -> None:
        vault = opened(BEFORE)
        party = await vault.party(NUMBER)
        assert await vault.dial(party.id, policy, reason="masked call", actor="exchange") == NUMBER
        own.add(NUMBER.reveal())
        with pytest.raises(RefusedByPolicy):
            await vault.dial(party.id, policy, reason="masked call", actor="exchange")

    asyncio.run(run())


@pytest.mark.parametrize("forbidden", ["own", "hotline"])
def test_our_own_numbers_and_unknown_parties_are_not_bound(
    opened: Callable[..., SqlVault], ledger: Ledger, forbidden: str
) -> None:
    ours = {NUMBER.reveal()}
    policy = (
        Policy(region="US", own=lambda: frozenset(ours))
        if forbidden == "own"
        else Policy(region="US", hotline=ours)
    )

    async def run() -> None:
        vault = opened(BEFORE)
        bindings = ScreenedBindings(SqlBindings(ledger, Codes(BEFORE)), lambda named: vault.screen(named, policy))
        bad, good = await vault.party(NUMBER), await vault.party(OTHER)
        for patient, doctor, field in (
            (bad.id, good.id, "patient"), (good.id, bad.id, "doctor"), ("party-nobody", good.id, "patient"),
        ):  # fmt: skip
            with pytest.raises(MaskingRefused) as refused:
                await bindings.create(Wanted(owner="hotline", kind=Kind.PAIR, doctor=doctor, patient=patient))
            assert refused.value.field == field
        assert await bindings.list("hotline") == ()

    asyncio.run(run())
