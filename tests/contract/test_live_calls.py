"""Calls in progress at a carrier, on SQLite and PostgreSQL."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from masking.ledger import Ledger
from masking.live import Live, Seen
from masking.live_sql import SqlLiveCalls
from masking.port import Kind, Side, VirtualNumber, Wanted
from tests.contract.desk_rigs import desk
from tests.postgres import Postgres

IDLE = Seen(busy=False, killed=())


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_only_calls_of_killed_bindings_are_to_be_cut(kind: str, tmp_path: Path, postgres: Postgres) -> None:
    with desk(kind, tmp_path, postgres) as store:
        assert store.engine is not None
        ledger = Ledger(store.engine, patience=60, clock=store.clock)
        live = SqlLiveCalls(ledger)

        async def run() -> None:
            await store.numbers.add(tuple(
                VirtualNumber(number=f"+12025550{110 + at}", side=side, country="US")
                for at, side in enumerate([Side.PATIENT, Side.DOCTOR])
            ))  # fmt: skip
            wanted = Wanted(owner="clinic", kind=Kind.PAIR, doctor="party-d", patient="party-p")
            made = await store.bindings.create(wanted)
            other = await store.bindings.create(replace(wanted, patient="party-q", doctor="party-e"))
            one = Live(call="call-a", reference="CA1", binding=made.id, facts="?a=b", until=0.0)
            end = store.clock.now + 60
            assert await live.look() == IDLE
            await live.begin(replace(one, until=end))
            await live.begin(replace(one, until=end, reference="CA2"))
            await live.begin(replace(one, call="call-b", until=end, binding=other.id))
            assert await live.look() == Seen(busy=True, killed=())
            await store.bindings.close(other.id, "clinic")
            await store.bindings.close(made.id, "clinic", kill=True)
            await live.answered("call-a")
            found = replace(one, until=end, reference="CA2", answered=store.clock.now)
            assert await live.look() == Seen(busy=True, killed=(found,))
            await live.cutting("call-a")
            assert [await live.over(call) for call in ("call-a", "call-a", "call-b", "call-c")] == [True, *[False] * 3]
            await live.begin(replace(one, until=end))
            store.clock.now += 61
            assert await live.look() == IDLE

        asyncio.run(run())
        ledger.close()
