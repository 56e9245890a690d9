"""What several folders of tests share."""

import os
from collections.abc import Iterator

import pytest

from tests.postgres import Postgres
from tests.rasa_stack import RasaStack


@pytest.fixture(autouse=True)
def settings_file() -> Iterator[None]:
    """The command line tells its children which settings file is meant, through the environment: the next test must
    not read this one's."""
    before = os.environ.get("TRIAGELINE_CONFIG")
    yield
    if before is None:
        os.environ.pop("TRIAGELINE_CONFIG", None)
    else:
        os.environ["TRIAGELINE_CONFIG"] = before


@pytest.fixture(scope="session")
def stack() -> Iterator[RasaStack]:
    """Redis, action server and Rasa with the trained model, for all tests that do not take it apart: starting Rasa
    takes a quarter of a minute."""
    with RasaStack() as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A private PostgreSQL."""
    with Postgres() as running:
        yield running
