# Size: one test goes through a whole change of keys, step by step.
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
from masking.port import Dialled, Kind, MaskingRefused, MaskingUnavailable, PhoneNumber, Side, VirtualNumber, Wanted
from masking.screened import ScreenedBindings
from masking.vault_sql import SqlVault
from masking.vault_sql import TurningSealer as Sealer
from records.database import connect
from records.keys import KeyRing

NUMBER, OTHER = PhoneNumber("+12025550123"), PhoneNumber("+447700900123")
OURS = ("+12025550110", "+12025550111")
RING = KeyRing({1: b"k" * 32})
POLICY = Policy(region="US")


BEFORE = RING.sealer("masking vault")
BOTH = {1: b"k" * 32, 2: b"n" * 32}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault.db"


@pytest.fixture
def opened(path: Path) -> Iterator[Callable[..., SqlVault]]:
    vaults: list[SqlVault] = []

    def make(sealer: Sealer = BEFORE) -> SqlVault:
        vaults.append(SqlVault(prepare(connect(f"sqlite:///{path}")), sealer))
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


class Broken(Exception):
    """The process dies here."""


def test_parties_and_calls_stay_while_the_hash_key_is_changed(
    opened: Callable[..., SqlVault], ledger: Ledger, path: Path
) -> None:
    """Another process runs all the time; it was started before the key was added. The turn dies half way, and is run
    again."""
    codes = Codes(BEFORE)
    running = opened(KeyRing({1: BOTH[1]}, lambda: BOTH).sealer("masking vault"))
    third = PhoneNumber("+12025550124")

    def dies(count: int) -> None:
        raise Broken

    async def run() -> None:
        patient, doctor = await running.party(NUMBER), await running.party(OTHER)
        numbers = tuple(
            VirtualNumber(number=number, side=side, country="US") for number, side in zip(OURS, Side, strict=True)
        )
        await SqlNumbers(ledger).add(numbers)
        wanted = Wanted(owner="hotline", kind=Kind.PAIR, doctor=doctor.id, patient=patient.id, life=None)
        made = await SqlBindings(ledger, codes).create(wanted)
        tags, turner = _tags(path), opened(KeyRing(BOTH).sealer("masking vault"))

        async def still_routed() -> None:
            for vault in (running, turner):
                caller = await vault.party(NUMBER)
                verdict = await SqlExchange(ledger, codes).resolve(Dialled(number=OURS[0], caller=caller.id))
                assert (verdict.binding, verdict.callee) == (made.id, doctor.id)

        with pytest.raises(Broken):
            await turner.turn(2, dies)
        assert await turner.turning() == await running.turning() == 2
        await still_routed()
        new = await asyncio.gather(*(vault.party(third) for vault in (running, turner, running)))
        assert len({party.id for party in new}) == 1
        assert await turner.turn(2) == (3, 0)
        assert await turner.turning() is None
        await still_routed()
        assert not tags & _tags(path)
        only = opened(KeyRing({2: BOTH[2]}).sealer("masking vault"))  # the former key is needed no more
        assert (await only.party(NUMBER)).id == patient.id
        assert (await only.reveal(doctor.id, reason="callback", actor="nurse-1")) == OTHER
        assert (await running.party(third)).id == new[0].id

    asyncio.run(run())


def test_a_process_without_the_new_key_refuses_and_keeps_no_second_party(opened: Callable[..., SqlVault]) -> None:
    async def run() -> None:
        without, turner = opened(BEFORE), opened(KeyRing(BOTH).sealer("masking vault"))
        await without.party(NUMBER)
        await turner.turn(2)
        with pytest.raises(MaskingUnavailable, match="restart"):
            await without.party(NUMBER)
        with pytest.raises(MaskingUnavailable, match="key"):
            await turner.turn(3)
        assert await turner.turning() is None

    asyncio.run(run())


def test_a_number_erased_while_the_key_is_changed_stays_erased(opened: Callable[..., SqlVault], path: Path) -> None:
    async def run() -> None:
        turner = opened(KeyRing(BOTH).sealer("masking vault"))
        parties = [(await turner.party(number)).id for number in (NUMBER, OTHER)]
        await turner.erase(parties[0], reason="asked for", actor="officer")
        await turner.turn(2)
        with pytest.raises(KeyError):
            await turner.reveal(parties[0], reason="r", actor="a")
        assert (await turner.party(NUMBER)).id not in parties

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
