"""One suite for every list of click-to-calls: memory, SQLite, PostgreSQL."""

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from masking.clicks_memory import MemoryWishes
from masking.clicks_sql import SqlWishes
from masking.database import prepare
from masking.ledger import Ledger
from masking.port import ClickPlan, LegEnd, MaskingRefused, Wishes, WishState, Wrong
from records.database import connect
from tests.contract.desk_rigs import Clock
from tests.postgres import Postgres

T = TypeVar("T")


def run(work: Coroutine[object, object, T]) -> T:
    return asyncio.run(work)


@dataclass(slots=True)
class Plans:
    """Bindings that can be called: all but one that has ended and those of other owners."""

    async def click(self, id: str, owner: str) -> ClickPlan:
        if owner != "ward" or not id.startswith("binding-"):
            raise MaskingRefused(Wrong.NOT_FOUND, "id", "there is no such binding")
        if id == "binding-ended":
            raise MaskingRefused(Wrong.ENDED, "id", "this binding has ended")
        return ClickPlan(binding=id, first="d", first_sees="+1", second="p", second_sees="+2", seconds=60)

    async def resolve(self, dialled: object) -> object:
        raise NotImplementedError

    async def sweep(self) -> int:
        return 0


@dataclass(slots=True, kw_only=True)
class Rig:
    """A list and its clock."""

    wishes: Wishes
    clock: Clock


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def rig(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres) -> Iterator[Rig]:
    """Each implementation."""
    clock = Clock()
    if request.param == "memory":
        yield Rig(wishes=MemoryWishes(Plans(), clock), clock=clock)  # type: ignore[arg-type]
        return
    sqlite = request.param == "sqlite"
    engine = prepare(connect(f"sqlite:///{tmp_path}/masking.db")) if sqlite else postgres.engine()
    ledger = Ledger(engine, patience=60, clock=clock)
    yield Rig(wishes=SqlWishes(ledger, Plans()), clock=clock)  # type: ignore[arg-type]
    ledger.close()


def refused(work: Coroutine[object, object, object]) -> tuple[Wrong, str]:
    with pytest.raises(MaskingRefused) as told:
        run(work)
    return told.value.code, told.value.field


def test_a_wish_is_taken_once_and_goes_its_way(rig: Rig) -> None:
    wish = run(rig.wishes.ask("binding-one", "ward"))
    assert (wish.state, wish.at, wish.end) == (WishState.WAITING, rig.clock.now, None)
    taken = run(rig.wishes.take("me"))
    assert taken is not None
    assert (taken.id, taken.binding, taken.owner, taken.state) == (wish.id, "binding-one", "ward", WishState.TAKEN)
    assert run(rig.wishes.take("you")) is None
    for state in (WishState.FIRST_ANSWERED, WishState.CONNECTED):
        run(rig.wishes.note(wish.id, state))
        assert run(rig.wishes.get(wish.id, "ward")).state is state
    run(rig.wishes.note(wish.id, WishState.TAKEN))
    assert run(rig.wishes.get(wish.id, "ward")).state is WishState.CONNECTED, "it never goes back"
    run(rig.wishes.note(wish.id, WishState.DONE, LegEnd.COMPLETED))
    run(rig.wishes.note(wish.id, WishState.FAILED, LegEnd.FAILED))
    over = run(rig.wishes.get(wish.id, "ward"))
    assert (over.state, over.end) == (WishState.DONE, LegEnd.COMPLETED)


def test_the_oldest_goes_first_to_exactly_one_of_many(rig: Rig) -> None:
    async def go() -> None:
        ids = []
        for at in range(6):
            ids.append((await rig.wishes.ask(f"binding-{at}", "ward")).id)
            rig.clock.now += 1
        first = await rig.wishes.take("me")
        assert first is not None
        assert first.id == ids[0]
        found = await asyncio.gather(*(rig.wishes.take(f"taker-{at}") for at in range(12)))
        assert sorted(one.id for one in found if one) == sorted(ids[1:])

    run(go())


def test_the_same_key_is_the_same_wish_also_when_the_binding_has_ended(rig: Rig) -> None:
    one = run(rig.wishes.ask("binding-one", "ward", key="k"))
    assert run(rig.wishes.ask("binding-one", "ward", key="k")) == one
    assert refused(rig.wishes.ask("binding-two", "ward", key="k")) == (Wrong.KEY_REUSED, "key")
    assert run(rig.wishes.ask("binding-one", "ward")).id != one.id


def test_what_cannot_be_called_is_not_asked_for(rig: Rig) -> None:
    assert refused(rig.wishes.ask("binding-ended", "ward")) == (Wrong.ENDED, "id")
    assert refused(rig.wishes.ask("binding-one", "other")) == (Wrong.NOT_FOUND, "id")
    assert refused(rig.wishes.ask("nonsense", "ward")) == (Wrong.NOT_FOUND, "id")
    wish = run(rig.wishes.ask("binding-one", "ward"))
    for id, owner in ((wish.id, "other"), ("wish-none", "ward"), ("", "ward")):
        assert refused(rig.wishes.get(id, owner)) == (Wrong.NOT_FOUND, "id")
    run(rig.wishes.note("wish-none", WishState.DONE))


def test_a_wish_that_nobody_begins_or_whose_process_died_fails(rig: Rig) -> None:
    left = run(rig.wishes.ask("binding-one", "ward"))
    rig.clock.now += 121
    told = run(rig.wishes.get(left.id, "ward"))
    assert (told.state, told.end) == (WishState.FAILED, LegEnd.UNAVAILABLE)
    assert run(rig.wishes.take("me")) is None
    dead = run(rig.wishes.ask("binding-two", "ward"))
    run(rig.wishes.take("me"))
    rig.clock.now += 80
    run(rig.wishes.note(dead.id, WishState.TAKEN))
    rig.clock.now += 80
    assert run(rig.wishes.get(dead.id, "ward")).state is WishState.TAKEN
    rig.clock.now += 11
    told = run(rig.wishes.get(dead.id, "ward"))
    assert (told.state, told.end) == (WishState.FAILED, LegEnd.FAILED)


def test_what_a_dead_process_was_carrying_out_fails_at_once(rig: Rig) -> None:
    async def go() -> None:
        names = ("dead", "dead", "alive", "waiting")
        wishes = []
        for at in range(len(names)):
            wishes.append(await rig.wishes.ask(f"binding-{at}", "ward"))
            rig.clock.now += 1
        for at, name in enumerate(names[:3]):
            taken = await rig.wishes.take(name)
            assert taken is not None
            assert taken.id == wishes[at].id
            rig.clock.now += 1
        await rig.wishes.note(wishes[0].id, WishState.CONNECTED)
        await rig.wishes.note(wishes[1].id, WishState.DONE, LegEnd.COMPLETED)
        assert await rig.wishes.forsaken(frozenset({"dead", "unknown"})) == 1
        assert await rig.wishes.forsaken(frozenset({"dead", "unknown"})) == 0
        told = [await rig.wishes.get(one.id, "ward") for one in wishes]
        assert [one.state for one in told] == [WishState.FAILED, WishState.DONE, WishState.TAKEN, WishState.WAITING]
        assert [one.end for one in told] == [LegEnd.FAILED, LegEnd.COMPLETED, None, None]

    run(go())
