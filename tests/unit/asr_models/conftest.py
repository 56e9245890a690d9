"""A publisher for each test that wants one."""

from collections.abc import Iterator

import pytest

from tests.unit.asr_models.publisher import Publisher, publisher


@pytest.fixture
def server() -> Iterator[Publisher]:
    with publisher() as state:
        yield state
