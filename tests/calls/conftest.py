"""The real ears, for whole calls."""

from collections.abc import Iterator

import pytest

from asr_models import bundled, catalog
from asr_models.pool import DecodePool
from asr_models.vosk_engine import VoskRecogniser, load_now


@pytest.fixture(scope="session")
def vosk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VoskRecogniser]:
    """The bundled demo model."""
    pool = DecodePool(threads=2)
    yield load_now(bundled.unpack(catalog.read(), tmp_path_factory.mktemp("models")), pool)
    pool.close()
