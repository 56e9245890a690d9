"""Processes that die with masked calls: what others write down of them."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ivr.locks import Life, bury
from ivr.masked.heirs import Heirs
from ivr.masked.ledger import pair_name
from masking.desk import Desk, open_desk
from masking.port import (
    Happened,
    Kind,
    LegEnd,
    LineLeg,
    LineLegs,
    MaskingUnavailable,
    PhoneNumber,
    Side,
    VirtualNumber,
    Wanted,
    WishState,
)
from records.database import connect
from records.keys import KeyRing
from tests.contract.desk_rigs import Clock
from tests.hotline.cli import ROOT
from tests.masked.world import DOCTOR, DOCTOR_NUMBER, PATIENT, PATIENT_NUMBER

KEYS = KeyRing({1: b"k" * 32})
Play = Callable[[Callable[["Scene"], Awaitable[None]]], None]
CHILD = """
import sys, time
from pathlib import Path
from ivr.locks import Life
life = Life(Path(sys.argv[1]), "worker-9")
print(life.id, flush=True)
time.sleep(60)
"""


@contextmanager
def doomed(lives: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A process that lives, and its id there."""
    words = [sys.executable, "-c", CHILD, str(lives)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        yield child, child.stdout.readline().strip()


class Dropped:
    """Claims that only say what was dropped."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []

    async def take(self, call: str, pair: str) -> bool:
        return True

    def free(self, call: str) -> None:
        return

    async def drop(self, call: str, pair: str) -> None:
        self.pairs.append((call, pair))


class Lost:
    """Legs that cannot be read for a while."""

    def __init__(self, legs: LineLegs) -> None:
        self._legs, self.lost = legs, True

    async def hold(self, legs: tuple[LineLeg, ...]) -> None:
        await self._legs.hold(legs)

    async def held(self) -> tuple[LineLeg, ...]:
        if self.lost:
            raise MaskingUnavailable("lost")
        return await self._legs.held()


class Scene:
    """A worker that lives, one that does not, and the room of masking."""

    def __init__(self, lives: Path, desk: Desk, clock: Clock) -> None:
        self.lives, self.desk, self.clock = lives, desk, clock
        self.claims = Dropped()

    def heirs(self) -> Heirs:
        desk = self.desk
        return Heirs(self.lives, desk.legs, desk.diary, wishes=desk.wishes, claims=self.claims, clock=self.clock)

    def legs(self, keeper: str, call: str = "call-x") -> tuple[LineLeg, LineLeg]:
        now = self.clock.now
        a = LineLeg(
            call=call, leg="a", keeper=keeper, owner="ward", binding="binding-1", party="party-a",
            number=PATIENT_NUMBER, started=now - 20, answered=now - 19, by_code=False, until=now + 900,
        )  # fmt: skip
        return a, replace(a, leg="b", party="party-b", number=DOCTOR_NUMBER, started=now - 18, answered=None)

    async def ended(self, call: str = "call-x") -> int:
        found = await self.desk.diary.events("ward")
        return sum(one.event.kind is Happened.CALL_ENDED for one in found if one.event.data.get("call") == call)


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    clock = Clock(now=time.time())
    desk = open_desk(connect(f"sqlite:///{tmp_path}/masking.db"), KEYS.sealer, region="US", clock=clock, patience=60)
    (tmp_path / "lives").mkdir()
    scene = Scene(tmp_path / "lives", desk, clock)

    async def live(work: Callable[[Scene], Awaitable[None]]) -> None:
        await work(scene)

    yield lambda work: asyncio.run(live(work))
    desk.close()


def test_a_process_killed_outright_leaves_records_once(play: Play) -> None:
    async def work(scene: Scene) -> None:
        with doomed(scene.lives) as (child, dead):
            alive = Life(scene.lives, "worker-1")
            await scene.desk.legs.hold(scene.legs(dead))
            await scene.desk.legs.hold(scene.legs(alive.id, "call-y"))
            one, other = scene.heirs(), scene.heirs()
            for heirs in (one, other):
                await heirs.look()
            assert len(await scene.desk.legs.held()) == 4, "all are alive"
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
        died = (scene.lives / dead).stat().st_mtime
        await asyncio.gather(one.look(), other.look())
        b, a = sorted(await scene.desk.diary.calls("ward"), key=lambda leg: leg.leg, reverse=True)
        assert (a.leg, b.leg, a.call, b.call) == ("a", "b", "call-x", "call-x")
        assert {a.end, b.end} == {LegEnd.FAILED}
        assert {a.released_by, b.released_by} == {"us"}
        assert a.ended == b.ended == max(died, a.answered or 0)
        assert (a.answered, b.answered) == (scene.clock.now - 19, None)
        assert await scene.ended() == 1
        assert set(scene.claims.pairs) == {("call-x", pair_name("binding-1", "party-b", "party-a"))}
        assert {leg.call for leg in await scene.desk.legs.held()} == {"call-y"}
        alive.close()

    play(work)


def test_who_was_buried_by_another_died_when_it_was_seen_last(play: Play) -> None:
    async def work(scene: Scene) -> None:
        life = Life(scene.lives, "worker-1")
        await scene.desk.legs.hold(scene.legs(life.id))
        heirs = scene.heirs()
        await heirs.look()
        seen = scene.clock.now
        scene.clock.now += 0.5
        os.close(life._descriptor)
        bury(scene.lives, life.id)
        await heirs.look()
        assert {leg.ended for leg in await scene.desk.diary.calls("ward")} == {seen}

    play(work)


def test_its_click_fails_at_once(play: Play) -> None:
    async def work(scene: Scene) -> None:
        desk, wishes = scene.desk, scene.desk.wishes
        assert wishes is not None
        numbers = ((PATIENT_NUMBER, Side.PATIENT), (DOCTOR_NUMBER, Side.DOCTOR))
        await desk.numbers.add(tuple(VirtualNumber(number=one, side=side, country="US") for one, side in numbers))
        doctor, patient = [(await desk.vault.party(PhoneNumber(one))).id for one in (DOCTOR, PATIENT)]
        made = await desk.bindings.create(Wanted(owner="ward", kind=Kind.PAIR, doctor=doctor, patient=patient))
        life = Life(scene.lives, "worker-1")
        wish = await wishes.ask(made.id, "ward")
        assert await wishes.take(life.id)
        heirs = scene.heirs()
        await heirs.look()
        assert (await wishes.get(wish.id, "ward")).state is WishState.TAKEN
        os.close(life._descriptor)
        await heirs.look()
        told = await wishes.get(wish.id, "ward")
        assert (told.state, told.end) == (WishState.FAILED, LegEnd.FAILED)

    play(work)


def test_what_cannot_be_written_now_is_written_later(
    play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(scene: Scene) -> None:
        life = Life(scene.lives, "worker-1")
        await scene.desk.legs.hold(scene.legs(life.id))
        os.close(life._descriptor)
        legs = Lost(scene.desk.legs)
        heirs = Heirs(scene.lives, legs, scene.desk.diary, clock=scene.clock)
        await heirs.look()
        bury(scene.lives, life.id)
        assert await scene.desk.diary.calls("ward") == ()
        legs.lost = False
        await heirs.look()
        assert len(await scene.desk.diary.calls("ward")) == 2

    play(work)
    assert "cannot be written down now" in caplog.text


def test_legs_of_processes_that_nobody_knows_end_in_time(play: Play) -> None:
    """Another machine's, or this one's before it was started anew."""

    async def work(scene: Scene) -> None:
        await scene.desk.legs.hold(scene.legs("elsewhere"))
        seen, heirs = scene.clock.now, scene.heirs()
        await heirs.look()
        assert await scene.desk.diary.calls("ward") == ()
        scene.clock.now += 961
        await heirs.look()
        assert {leg.ended for leg in await scene.desk.diary.calls("ward")} == {seen}

    play(work)
