"""The English demo model that comes with the program as a compressed file; unpacked once, at set-up.

MODEL_CARD.md beside it says what it hears and for whom it is not.
"""

import time
from pathlib import Path

from asr_models import folder, install
from asr_models.catalog import Catalog, CatalogModel
from asr_models.errors import ModelBusy, UnknownModel

FILES = Path(__file__).with_name("files")
WAIT_SECONDS = 60.0
"""Several workers may start at once; the later ones wait this long for the first to have unpacked the model."""


def model(catalog: Catalog) -> CatalogModel:
    """The catalog's bundled model. Raises UnknownModel where there is none."""
    for found in catalog.models:
        if found.bundled:
            return found
    raise UnknownModel("The catalog has no bundled model.")


def unpack(catalog: Catalog, root: Path, files: Path = FILES) -> Path:
    """Unpack the demo model below `root` unless it is there with the right hash; its folder. Blocking, about 2 s.
    Raises ModelError, OSError."""
    wanted = model(catalog)
    target = root / wanted.id
    until = time.monotonic() + WAIT_SECONDS
    while not _whole(target, wanted):
        try:
            with install.locked(root):
                if not _whole(target, wanted):
                    install.place(files / f"{wanted.id}.tar.xz", wanted, root)
        except ModelBusy:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
    return target


def _whole(target: Path, wanted: CatalogModel) -> bool:
    return not folder.missing(target) and f"sha256:{install.receipt(target).get('sha256')}" in wanted.checksums
