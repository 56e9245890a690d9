"""What makes a folder a Vosk model, and which kind of graph it carries.

Vosk's loader (vosk-api src/model.cc) takes two layouts: the present one with am/, conf/ and graph/, and an older flat
one that no current model uses; only the present one is accepted here. A *dynamic* graph (HCLr.fst and Gr.fst) takes
grammars at run time; a *static* one (HCLG.fst), which the loader prefers where both are there, does not.
"""

from dataclasses import dataclass
from pathlib import Path

from asr_models.errors import NotAModel

_ALWAYS = ("am/final.mdl", "conf/model.conf")
_WORDS = ("graph/words.txt", "words.txt")
RECEIPT = "triageline-model.json"
"""Written into the folder by the installer: id, language and hash of the archive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFolder:
    """A folder that was found to be a Vosk model."""

    path: Path
    """The folder."""
    dynamic: bool
    """Whether grammars work."""
    words: Path | None
    """The vocabulary: one word and its number a line. None where the file is left out, as the publisher's small models
    do: their words are inside Gr.fst."""


def missing(path: Path) -> str:
    """The first file that keeps the folder from being a Vosk model, as a path inside it; empty where none does."""
    for name in _ALWAYS:
        if not (path / name).is_file():
            return name
    graph = path / "graph"
    if not (graph / "HCLG.fst").is_file():
        for name in ("HCLr.fst", "Gr.fst"):
            if not (graph / name).is_file():
                return f"graph/{name} (or graph/HCLG.fst)"
    if (graph / "HCLG.fst").is_file() and not any((path / name).is_file() for name in _WORDS):
        return "graph/words.txt"
    return ""


def inspect(path: Path) -> ModelFolder:
    """The model in a folder. Raises NotAModel, naming the file that is missing."""
    if not path.is_dir():
        raise NotAModel(f"{path} is not a folder, so it cannot be a Vosk model.")
    absent = missing(path)
    if absent:
        raise NotAModel(f"{path} is not a Vosk model: {absent} is missing.")
    graph = path / "graph"
    dynamic = not (graph / "HCLG.fst").is_file() and (graph / "Gr.fst").is_file()
    words = next((path / name for name in _WORDS if (path / name).is_file()), None)
    return ModelFolder(path=path, dynamic=dynamic, words=words)
