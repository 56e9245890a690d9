"""What several folders of tests share."""

from collections.abc import Iterator

import pytest

from tests.postgres import Postgres
from tests.rasa_stack import RasaStack


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
