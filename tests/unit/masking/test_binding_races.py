"""Many at once: no caller is ever led to two places by one number."""

import asyncio
import contextlib
import multiprocessing
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import IntegrityError

from masking.bindings_sql import SqlBindings
from masking.codes import Codes
from masking.database import prepare
from masking.exchange_sql import SqlExchange
from masking.ledger import Ledger
from masking.numbers_sql import SqlNumbers
from masking.parties import binding_id
from masking.port import Binding, Dialled, Kind, MaskingRefused, Outcome, Side, VirtualNumber, Wanted, Wrong
from masking.schema import bindings, routes
from records.database import connect
from tests.contract.desk_rigs import SEALER, bind_on, bind_some
from tests.postgres import Postgres

T = TypeVar("T")
PAIR = Wanted(owner="race", kind=Kind.PAIR, patient="party-patient", doctor="party-doctor")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres) -> str:
    if request.param == "postgresql":
        postgres.engine().dispose()
        return postgres.url
    prepare(connect(f"sqlite:///{tmp_path}/masking.db")).dispose()
    return f"sqlite:///{tmp_path}/masking.db"


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    found = connect(url)
    yield found
    found.dispose()


def fill(engine: Engine, patients: int, doctors: int) -> None:
    made = tuple(
        VirtualNumber(number=f"+1202555{100 + at:04d}", side=side, country="US")
        for at, side in enumerate([Side.PATIENT] * patients + [Side.DOCTOR] * doctors)
    )
    with closing(Ledger(engine, patience=30)) as ledger:
        asyncio.run(SqlNumbers(ledger).add(made))


def test_processes_share_a_pool_and_no_number_twice(url: str, engine: Engine) -> None:
    fill(engine, 50, 1)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as processes:
        work = [processes.submit(bind_some, url, who, 60) for who in ("a", "b")]
        answers = [one.result() for one in work]
    made = [number for numbers, _ in answers for number in numbers]
    assert max(Counter(made).values()) == 1
    assert len(made) == 50
    assert {refusal for _, refusals in answers for refusal in refusals} == {Wrong.NO_CAPACITY}


class Unlocked(Ledger):
    """Writers that do not wait for each other: the unique key alone stands guard."""

    def _write(self, work: Callable[[Connection], T]) -> T:
        with self._engine.begin() as db:
            return work(db)


def test_the_unique_key_stands_guard_where_the_lock_fails(postgres: Postgres) -> None:
    postgres.engine().dispose()
    fill(connect(postgres.url), 3, 3)

    async def run() -> None:
        desks = [Unlocked(connect(postgres.url), patience=30) for _ in range(4)]
        answers: list[Binding | BaseException] = []
        for turn in range(15):
            wanted = [replace(PAIR, patient=f"party-{turn}", doctor=f"party-d{turn}-{at}") for at in range(4)]
            both = zip(desks, wanted, strict=True)
            work = (SqlBindings(ledger, Codes(SEALER)).create(one) for ledger, one in both)
            answers += await asyncio.gather(*work, return_exceptions=True)
        made = [one for one in answers if isinstance(one, Binding)]
        assert max(Counter((one.patient, one.patient_number) for one in made).values()) == 1
        refused = [one for one in answers if isinstance(one, MaskingRefused)]
        assert len(refused) + len(made) == len(answers)
        assert {one.code for one in refused} <= {Wrong.CONFLICT, Wrong.NO_CAPACITY}
        assert Wrong.CONFLICT in {one.code for one in refused}
        exchange = SqlExchange(desks[0], Codes(SEALER))
        for one in made:
            verdict = await exchange.resolve(Dialled(number=one.patient_number, caller=one.patient))
            assert verdict.callee == one.doctor
        for ledger in desks:
            ledger.close()

    asyncio.run(run())


def test_the_database_itself_refuses_a_second_route(engine: Engine) -> None:
    fill(engine, 1, 1)
    with closing(Ledger(engine, patience=30)) as ledger:
        asyncio.run(SqlBindings(ledger, Codes(SEALER)).create(PAIR))
        with engine.begin() as db:
            row = dict(db.execute(select(routes)).mappings().first() or {})
        with pytest.raises(IntegrityError), engine.begin() as db:
            db.execute(insert(routes).values(row | {"callee": "party-somebody-else"}))


def test_renewal_and_the_sweepers_of_several_servers_race_to_one_result(url: str, engine: Engine) -> None:
    """Without a rest, so that what has ended is forgotten at once: renewed whole, or gone and said so."""
    fill(engine, 1, 1)

    async def run() -> None:
        now = 1000.0
        ledgers = [Ledger(connect(url), patience=30, clock=lambda: now) for _ in range(3)]
        desk, exchange = SqlBindings(ledgers[0], Codes(SEALER)), SqlExchange(ledgers[0], Codes(SEALER))
        sweepers = [SqlExchange(ledger, Codes(SEALER)) for ledger in ledgers[1:]]
        renewals = 0
        for turn in range(16):
            made = await desk.create(replace(PAIR, life=60, quarantine=0))
            now += 59 + turn % 2  # a second before the end, or on it
            renewing = asyncio.create_task(desk.renew(made.id, "race", 600))
            swept = await asyncio.gather(*(one.sweep() for one in sweepers), renewing, return_exceptions=True)
            verdict = await exchange.resolve(Dialled(number=made.patient_number, caller=PAIR.patient))
            if isinstance(swept[-1], Binding):
                renewals += 1
                assert swept[-1].ends == now + 600
                assert verdict.outcome == Outcome.CONNECT
                now += 600
            else:
                assert isinstance(swept[-1], MaskingRefused)
                assert swept[-1].code in {Wrong.ENDED, Wrong.NOT_FOUND}
                assert verdict.outcome == Outcome.UNKNOWN
            await sweepers[0].sweep()
            with engine.connect() as db:
                assert db.execute(select(routes)).all() == []
        assert renewals == 8
        for ledger in ledgers:
            ledger.close()

    asyncio.run(run())


def test_a_process_that_is_killed_leaves_no_half_binding(url: str, engine: Engine) -> None:
    """SIGKILL in the middle of writing. What was confirmed is there, and everything that is there is whole."""
    fill(engine, 5, 5)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    writer = context.Process(target=bind_on, args=(url, theirs))
    writer.start()
    confirmed = [ours.recv() for _ in range(200)]
    writer.kill()
    writer.join()
    assert writer.exitcode == -signal.SIGKILL
    theirs.close()
    with contextlib.suppress(EOFError):
        while True:
            confirmed.append(ours.recv())
    with engine.connect() as db:
        kept = {row.id: row for row in db.execute(select(bindings))}
        ways = Counter(row.binding for row in db.execute(select(routes)))
    assert len(kept) >= len(confirmed) >= 200
    assert {binding_id(name) for name in confirmed} <= kept.keys()
    assert dict(ways) == dict.fromkeys(kept, 3)  # the doctor, another phone, the patient
    with closing(Ledger(engine, patience=30)) as ledger:
        asyncio.run(SqlBindings(ledger, Codes(SEALER)).create(PAIR))


def test_renewal_and_closing_race_to_one_result(url: str, engine: Engine) -> None:
    fill(engine, 1, 1)

    async def run() -> None:
        now = 1000.0
        ledgers = [Ledger(connect(url), patience=30, clock=lambda: now) for _ in range(2)]
        desks = [SqlBindings(ledger, Codes(SEALER)) for ledger in ledgers]
        for _ in range(10):
            made = await desks[0].create(replace(PAIR, life=60, quarantine=10))
            now += 59
            results = await asyncio.gather(
                desks[0].renew(made.id, "race", 600), desks[1].close(made.id, "race"), return_exceptions=True
            )
            verdict = await SqlExchange(ledgers[0], Codes(SEALER)).resolve(
                Dialled(number=made.patient_number, caller=PAIR.patient)
            )
            assert verdict.outcome == Outcome.EXPIRED
            assert isinstance(results[1], Binding)
            assert isinstance(results[0], Binding | MaskingRefused)
            assert (await desks[0].get(made.id, "race")).closed
            now += 100
        for ledger in ledgers:
            ledger.close()

    asyncio.run(run())
