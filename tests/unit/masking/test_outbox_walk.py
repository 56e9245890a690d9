"""Deliveries under everything at once: many bindings, three processes, failures, deaths; order is never lost."""

import asyncio
import random
from collections import defaultdict
from pathlib import Path

import pytest
from sqlalchemy import func, select

from masking.hooks_sql import SqlDeliveries
from masking.outbox import LEASE, Job, Outbox, Result
from masking.port import DeliveryState, Event, Happened
from masking.poster import Poster
from masking.schema import deliveries, events
from tests.postgres import Postgres
from tests.unit.masking.hook_rig import PLAIN, Rig, rig

STEPS = 250
BINDINGS = [f"binding-{name}" for name in "abcde"]


async def walk(store: Rig, source: random.Random) -> dict[tuple[str, str], list[int]]:
    """Orders in which events were answered with 200, by hook and binding."""
    jitter = source.random
    processes = [Outbox(store.ledger, store.hooks, taker=f"p{at}", jitter=jitter) for at in range(3)]
    places = {
        hook.id: hook for hook in [(await store.hooks.add("hotline", f"https://h{at}.example/"))[0] for at in range(2)]
    }
    done: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    held: list[tuple[Outbox, Job]] = []
    for _ in range(STEPS):
        match source.choice(("tell", "take", "take", "answer", "answer", "answer", "wait", "die")):
            case "tell":
                await _tell(store, source.choice(BINDINGS))
            case "take":
                process = source.choice(processes)
                held += [(process, job) for job in await process.take()]
            case "answer" if held:
                process, job = held.pop(source.randrange(len(held)))
                outcome = Result.DONE if source.random() < 0.7 else Result.AGAIN
                if outcome == Result.DONE and job.lease > store.clock.now:
                    done[job.target.hook, job.stream].append(_order(job))
                await process.note(job, outcome, "200" if outcome == Result.DONE else "500")
            case "wait":
                store.clock.now += source.choice((0.5, 2.0, 15.0))
            case "die":
                held.clear()
                store.clock.now += LEASE + 1
        await _one_head_each(store)
    await _finish(store, processes[0], done)
    assert set(places) == {hook for hook, _ in done}
    return done


async def _tell(store: Rig, binding: str) -> None:
    event = Event(kind=Happened.CALL_STARTED, owner="hotline", binding=binding, at=store.clock.now, data={})
    await store.diary.tell(event)


async def _one_head_each(store: Rig) -> None:
    """Of a hook and binding one delivery at most waits, and nothing before it is undone."""
    heads = select(func.count()).where(deliveries.c.state == DeliveryState.WAITING)
    most = await store.ledger.read(
        lambda db: list(db.execute(heads.group_by(deliveries.c.hook, deliveries.c.stream)).scalars())
    )
    assert all(count == 1 for count in most)
    waiting, behind = deliveries.alias(), deliveries.alias()
    early = select(func.count()).where(
        waiting.c.state == DeliveryState.WAITING, behind.c.state == DeliveryState.BEHIND,
        waiting.c.hook == behind.c.hook, waiting.c.stream == behind.c.stream, behind.c.place < waiting.c.place,
    )  # fmt: skip
    assert await store.ledger.read(lambda db: db.execute(early).scalar()) == 0


async def _finish(store: Rig, process: Outbox, done: dict[tuple[str, str], list[int]]) -> None:
    """Everything else is answered with 200; what was given up is tried again."""
    poster = Poster(context=PLAIN)
    sent = SqlDeliveries(store.ledger, store.hooks, poster)
    while True:
        store.clock.now += 24 * 3600
        jobs = await process.take()
        for job in jobs:
            done[job.target.hook, job.stream].append(_order(job))
            await process.note(job, Result.DONE, "200")
        if not jobs and not sum([await sent.retry(hook.id, "hotline") for hook in await store.hooks.list("hotline")]):
            break
    await poster.close()


def _order(job: Job) -> int:
    return int(job.body.split(b'"order":')[1].rstrip(b"}"))


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_order_is_kept_and_nothing_is_lost(kind: str, tmp_path: Path, postgres: Postgres) -> None:
    with rig(kind, tmp_path, postgres) as store:
        done = asyncio.run(walk(store, random.Random(24)))
        told = asyncio.run(
            store.ledger.read(
                lambda db: list(db.execute(select(events.c.stream, func.count()).group_by(events.c.stream)))
            )
        )
    for stream, count in told:
        for orders in (orders for (_, name), orders in done.items() if name == stream):
            assert orders == list(range(1, count + 1))
