"""What only the stores in SQL promise: no answer that is quicker than another, refusal in doubt, sealed codes."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from masking.bindings_sql import SqlBindings
from masking.codes import Codes
from masking.database import prepare
from masking.exchange_sql import SqlExchange
from masking.ledger import Ledger
from masking.numbers_sql import SqlNumbers
from masking.port import (
    Binding,
    Dialled,
    Kind,
    MaskingRefused,
    MaskingUnavailable,
    Outcome,
    Side,
    Verdict,
    VirtualNumber,
    Wanted,
)
from records.database import connect
from records.keys import KeyRing
from tests.contract.desk_rigs import Clock

CODES = Codes(KeyRing({1: b"k" * 32}).sealer("masking codes"))
OURS = ("+12025550110", "+12025550111")
PAIR = Wanted(owner="hotline", kind=Kind.PAIR, doctor="party-doctor", patient="party-patient", life=100)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return prepare(connect(f"sqlite:///{tmp_path}/masking.db"))


@pytest.fixture
def ledger(engine: Engine) -> Iterator[Ledger]:
    found = Ledger(engine, patience=20, clock=Clock())
    numbers = zip(OURS, Side, strict=True)
    made = tuple(VirtualNumber(number=number, side=side, country="US") for number, side in numbers)
    asyncio.run(SqlNumbers(found).add(made))
    yield found
    found.close()


def test_no_answer_but_connect_asks_the_database_more_than_another(engine: Engine, ledger: Ledger) -> None:
    exchange, asked = SqlExchange(ledger, CODES), list[str]()
    made = asyncio.run(SqlBindings(ledger, CODES).create(PAIR))
    event.listen(engine, "before_cursor_execute", lambda db, cursor, sql, values, context, many: asked.append(sql))

    def statements(number: str, caller: str, outcome: Outcome) -> list[str]:
        asked.clear()
        assert asyncio.run(exchange.resolve(Dialled(number=number, caller=caller))).outcome == outcome
        return list(asked)

    unknown = statements(made.patient_number, "party-stranger", Outcome.UNKNOWN)
    assert statements("+12025550199", PAIR.patient, Outcome.UNKNOWN) == unknown
    assert statements("garbage", "", Outcome.UNKNOWN) == unknown
    ledger.clock.now += 100  # type: ignore[attr-defined]
    assert statements(made.patient_number, PAIR.patient, Outcome.EXPIRED) == unknown


def test_what_is_anothers_and_what_is_none_ask_the_database_the_same(engine: Engine, ledger: Ledger) -> None:
    bindings, asked = SqlBindings(ledger, CODES), list[str]()
    made = asyncio.run(bindings.create(PAIR))
    event.listen(engine, "before_cursor_execute", lambda db, cursor, sql, values, context, many: asked.append(sql))

    def statements(id: str, owner: str) -> list[str]:
        asked.clear()
        with pytest.raises(MaskingRefused):
            asyncio.run(bindings.get(id, owner))
        return list(asked)

    assert statements(made.id, "other") == statements("binding-nobody", "hotline") == statements("x", "hotline")


def test_a_database_that_does_not_answer_connects_nobody(tmp_path: Path, ledger: Ledger) -> None:
    asyncio.run(SqlBindings(ledger, CODES).create(PAIR))
    impatient = Ledger(connect(f"sqlite:///{tmp_path}/masking.db"), patience=0.2)
    with closing(sqlite3.connect(tmp_path / "masking.db", isolation_level=None)) as holder, closing(impatient):
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(MaskingUnavailable):
            asyncio.run(SqlBindings(impatient, CODES).create(replace(PAIR, patient="party-other")))
        holder.execute("ROLLBACK")
    with closing(sqlite3.connect(tmp_path / "masking.db")) as raw:
        raw.execute("DROP TABLE masking_routes")
    with pytest.raises(MaskingUnavailable, match="OperationalError"):
        asyncio.run(SqlExchange(ledger, CODES).resolve(Dialled(number=OURS[0], caller=PAIR.patient)))


def test_codes_are_not_in_the_files_and_belong_to_one_binding(tmp_path: Path, ledger: Ledger) -> None:
    bindings = SqlBindings(ledger, CODES)
    made = asyncio.run(bindings.create(replace(PAIR, with_code=True)))
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert made.code.encode() not in files
    with closing(sqlite3.connect(tmp_path / "masking.db")) as raw:
        raw.execute("UPDATE masking_bindings SET code = x'00'")
        raw.commit()
    with pytest.raises(MaskingUnavailable, match="code"):
        asyncio.run(bindings.get(made.id, "hotline"))


@pytest.mark.parametrize("digits", [5, 11])
def test_codes_are_neither_short_nor_endless(digits: int) -> None:
    with pytest.raises(ValueError, match="6 to 10"):
        Codes(KeyRing({1: b"k" * 32}).sealer("masking codes"), digits)


def test_a_number_carries_no_more_codes_than_guessing_allows(ledger: Ledger) -> None:
    short = Codes(KeyRing({1: b"k" * 32}).sealer("masking codes"), 6)
    bindings = SqlBindings(ledger, short)

    async def run() -> None:
        wanted = [replace(PAIR, kind=Kind.CODE, patient=f"party-{at}") for at in range(101)]
        made = await asyncio.gather(*map(bindings.create, wanted), return_exceptions=True)
        assert [one for one in made if isinstance(one, Exception)] == [made[-1]]

    asyncio.run(run())


def test_a_restart_changes_no_answer(tmp_path: Path, engine: Engine) -> None:
    """1,000 live bindings and 50 resting ones."""
    clock = Clock()

    async def answers(ledger: Ledger, made: list[Binding]) -> list[Verdict]:
        exchange = SqlExchange(ledger, CODES)
        sides = [(one.patient_number, one.patient) for one in made] + [(one.doctor_number, one.doctor) for one in made]
        return [await exchange.resolve(Dialled(number=number, caller=caller)) for number, caller in sides]

    async def before() -> tuple[list[Binding], list[Verdict]]:
        numbers = [VirtualNumber(number=f"+1202555{at:04d}", side=list(Side)[at % 2], country="US") for at in range(60)]
        await SqlNumbers(first).add(tuple(numbers))
        bindings = SqlBindings(first, CODES)
        wanted = [replace(PAIR, doctor=f"party-d{at // 20}", patient=f"party-p{at}", life=1000) for at in range(1050)]
        made = list(await asyncio.gather(*map(bindings.create, wanted)))
        for one in made[::21]:
            await bindings.close(one.id, "hotline")
        return made, await answers(first, made)

    with closing(Ledger(engine, patience=60, clock=clock)) as first:
        made, told = asyncio.run(before())
    assert Counter(verdict.outcome for verdict in told) == {Outcome.CONNECT: 2000, Outcome.EXPIRED: 100}
    with closing(Ledger(connect(f"sqlite:///{tmp_path}/masking.db"), patience=60, clock=clock)) as second:
        assert asyncio.run(answers(second, made)) == told
