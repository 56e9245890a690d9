"""Real edges: one for ordinary things, others where a test needs settings of its own."""

from collections.abc import Iterator

import pytest

from tests.edge.rig import FakeWorker, Rig


@pytest.fixture(scope="session")
def shared() -> Iterator[Rig]:
    """An edge with one worker."""
    with Rig() as rig:
        rig.add()
        yield rig


@pytest.fixture
def rig(shared: Rig) -> Rig:
    """The same, its worker answering."""
    worker = shared.workers["worker-1"]
    worker.policy = "answer"
    worker.forget()
    return shared


@pytest.fixture
def worker(rig: Rig) -> FakeWorker:
    """Its worker."""
    return rig.workers["worker-1"]
