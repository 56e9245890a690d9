"""One running stack for all tests of this folder: starting Rasa takes a quarter of a minute."""

from collections.abc import Iterator

import pytest

from tests.rasa_stack import RasaStack


@pytest.fixture(scope="session")
def stack() -> Iterator[RasaStack]:
    """Redis, action server and Rasa with the trained model."""
    with RasaStack() as running:
        yield running
