"""What processes show beside their calls: restarts, callbacks owed, refusals, and on which port."""

import asyncio
from pathlib import Path

import pytest

from config.settings import Settings
from ivr.bootstrap.overseeing import Overseer
from ivr.bootstrap.places import places
from ivr.bootstrap.seeing import port_of
from ivr.lines.wav import WavLine
from ivr.watch.watcher import Notebook
from ivr.worker import Limits, Worker
from records.port import Callback
from tests.calls.people import Caller
from tests.calls.world import World, make_doors


@pytest.fixture
def overseer(tmp_path: Path) -> tuple[Overseer, dict[str, int]]:
    settings = Settings()
    settings = settings.model_copy(update={"paths": settings.paths.model_copy(update={"var": tmp_path})})
    pids: dict[str, int] = {}
    return Overseer(settings, places(settings), lambda: pids), pids


def test_a_process_with_a_new_id_was_started_again(overseer: tuple[Overseer, dict[str, int]]) -> None:
    watching, pids = overseer
    for look in ({}, {"worker-1": 10, "rasa": 11}, {"worker-1": 0, "rasa": 11}, {"worker-1": 12, "rasa": 11}):
        pids.update(look)
        watching.look()
    pids["worker-2"] = 13  # a first start is no restart
    watching.look()
    registry = watching.metrics.registry
    assert registry.get_sample_value("triageline_restarts_total", {"process": "worker"}) == 1
    assert registry.get_sample_value("triageline_restarts_total", {"process": "rasa"}) == 0
    assert registry.get_sample_value("triageline_workers") == 0


def test_callbacks_owed_are_counted_by_urgency(overseer: tuple[Overseer, dict[str, int]]) -> None:
    watching, _ = overseer
    owed = tuple(
        Callback(id=f"cb-{at}", call="c", party="p", urgency=urgency, at=float(at))
        for at, urgency in ((100, 2), (40, 0), (70, 0), (80, 99))
    )
    watching.owed(owed, 110.0)
    value = watching.metrics.registry.get_sample_value
    counts = [value("triageline_callbacks_owed", {"urgency": one}) for one in ("normal", "urgent", "emergency")]
    assert counts == [3, 0, 1]
    assert value("triageline_callback_oldest_seconds") == 70
    watching.owed((), 200.0)
    assert value("triageline_callbacks_owed", {"urgency": "emergency"}) == 0
    assert value("triageline_callback_oldest_seconds") == 0


def test_a_worker_tells_why_it_takes_no_call() -> None:
    notebook = Notebook()

    async def go() -> None:
        line = WavLine(lambda address: None)
        worker = Worker(make_doors(World(acts=(), watcher=notebook), line), Limits(callers=0))
        worker.arrived(line.ring(Caller(()), None))
        await worker.drain(1)
        worker.arrived(line.ring(Caller(()), None))
        await asyncio.sleep(0)

    asyncio.run(go())
    assert [reason for _, reason in notebook.told] == ["full", "draining"]


@pytest.mark.parametrize(
    ("first", "worker", "port"),
    [(0, "worker-1", 0), (9464, "worker-1", 9465), (9464, "worker-12", 9476), (9464, "x", 0)],
)
def test_every_worker_has_a_port_of_its_own(first: int, worker: str, port: int) -> None:
    assert port_of(first, worker) == port
