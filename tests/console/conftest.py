"""An installation for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.rig import Api, fill, open_api, run


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One with a number for each side, to be copied: making the tables takes longer than most tests."""
    folder = tmp_path_factory.mktemp("console")
    with open_api(folder) as opened:
        run(fill(opened.desk))
    return folder


@pytest.fixture
def api(made: Path, tmp_path: Path) -> Iterator[Api]:
    """With a number for each side."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    with open_api(tmp_path) as opened:
        yield opened
