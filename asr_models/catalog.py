"""The models that are known by name: official ones of the Vosk publisher, and the bundled demo model."""

import difflib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr_models.errors import BadCatalog, UnknownModel

CATALOG = Path(__file__).with_name("catalog.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogModel:
    """One model. Within a language, the catalog's order is the order of preference for a telephone hotline."""

    id: str
    """Name of the model and of its folder."""
    language: str
    """BCP 47, lower case, for example "en-us"."""
    file: str
    """Name of the archive at the publisher or mirror; empty for a bundled model."""
    size: int
    """Bytes of the archive; a round number where only the publisher's rounded figure is known."""
    licence: str
    """SPDX identifier, as the publisher states it."""
    checksums: tuple[str, ...]
    """"md5:<hex>" and "sha256:<hex>"; empty where none is known: then the first install records what it got."""
    source: str
    """Where the checksums come from."""
    dynamic: bool
    """Whether grammars work with its graph."""
    note: str
    """For whom it is."""

    @property
    def bundled(self) -> bool:
        """Whether it comes with the program."""
        return not self.file


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """All models known by name."""

    publisher: str
    """Base address of the archives, ending in "/"."""
    models: tuple[CatalogModel, ...]
    """In order of preference within a language."""

    def find(self, name: str) -> CatalogModel:
        """A model by id, or by language ("en-us", "en"): then the first that can be installed. Raises UnknownModel."""
        for model in self.models:
            if name == model.id:
                return model
        fetched = [model for model in self.models if not model.bundled]
        best = max(fetched, key=lambda model: same_language(name, model.language), default=None)
        if best is not None and same_language(name, best.language):
            return best
        names = [model.id for model in self.models] + sorted({model.language for model in self.models})
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}?" if near else 'see "triageline models list".'
        raise UnknownModel(f"There is no model called {name!r}: {hint}")


def read(path: Path = CATALOG) -> Catalog:
    """The catalog in a TOML file. Raises BadCatalog."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return Catalog(publisher=str(table["publisher"]), models=tuple(_model(row) for row in table["model"]))
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise BadCatalog(f"The model catalog {path} cannot be read: {type(error).__name__} {error}.") from error


def same_language(wanted: str, have: str) -> int:
    """How well a language fits another: 2 the same, 1 another region of it, 0 not at all."""
    one, other = (tag.lower().replace("_", "-").split("-") for tag in (wanted, have))
    if one == other:
        return 2
    return int(one[0] == other[0] and all(len(part) <= 4 for part in one))


def _model(row: dict[str, Any]) -> CatalogModel:
    return CatalogModel(
        id=str(row["id"]),
        language=str(row["language"]),
        file=str(row["file"]),
        size=int(row["size"]),
        licence=str(row["licence"]),
        checksums=tuple(str(text) for text in row["checksums"]),
        source=str(row["source"]),
        dynamic=bool(row["dynamic"]),
        note=str(row["note"]),
    )
