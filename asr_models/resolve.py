"""Which recogniser answers: configured path, installed model, bundled demo model, another engine, or the keys alone."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from asr_models import folder, install
from asr_models.catalog import Catalog, same_language
from asr_models.errors import NotAModel


class Source(StrEnum):
    """Where the recogniser comes from, in the order in which they are tried."""

    CONFIGURED = "configured"
    INSTALLED = "installed"
    BUNDLED = "bundled"
    ENGINE = "engine"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which one answers, and why."""

    source: Source
    """Where it comes from."""
    model: folder.ModelFolder | None
    """The Vosk model, for the first three sources."""
    engine: str
    """"vosk", the other engine's name, or empty for the keypad menu."""
    reason: str
    """One sentence for the log and for `triageline check`."""
    problems: tuple[str, ...] = ()
    """What should have answered and could not, one sentence each."""


def resolve(
    *, configured: Path | None, root: Path, language: str, catalog: Catalog, engines: tuple[str, ...] = ()
) -> Choice:
    """Choose. Never raises for a bad model: a caller must be served by whatever is left, and `problems` says what is
    wrong. `engines` are names of other recognisers that are ready to serve this language."""
    problems: list[str] = []
    if configured is not None:
        try:
            return _vosk(Source.CONFIGURED, folder.inspect(configured), "it is the configured path")
        except NotAModel as error:
            problems.append(str(error))
    found = _best(root, language, catalog, bundled=False)
    if found is not None:
        return _vosk(Source.INSTALLED, found[0], found[1], problems)
    found = _best(root, language, catalog, bundled=True)
    if found is not None:
        advice = f'it comes with the program; for real callers run "triageline models install {language}"'
        return _vosk(Source.BUNDLED, found[0], advice, problems)
    if engines:
        reason = f"{engines[0]} answers: no Vosk model for {language} is there."
        return Choice(source=Source.ENGINE, model=None, engine=engines[0], reason=reason, problems=tuple(problems))
    reason = f'The keypad menu answers: no model for {language} is there; run "triageline models install {language}".'
    return Choice(source=Source.NONE, model=None, engine="", reason=reason, problems=tuple(problems))


def _vosk(source: Source, found: folder.ModelFolder, why: str, problems: list[str] | None = None) -> Choice:
    free = "" if found.dynamic else "; its graph takes no grammars"
    reason = f"Vosk answers with {found.path.name}: {why}{free}."
    return Choice(source=source, model=found, engine="vosk", reason=reason, problems=tuple(problems or ()))


def _best(root: Path, language: str, catalog: Catalog, *, bundled: bool) -> tuple[folder.ModelFolder, str] | None:
    """The best installed model of a language: the same region first, then the catalog's order, then the form that was
    adapted to the hotline, then the name. An adapted model has the standing of the one that it was made of."""
    order = {model.id: (place, model) for place, model in enumerate(catalog.models)}
    ranked = []
    for path in install.installed(root):
        paper = install.receipt(path)
        origin = paper.get("adapted_from", "")
        place, known = order.get(origin or path.name, (len(order), None))
        spoken = known.language if known else paper.get("language", "")
        fit = same_language(language, spoken) if spoken else 0
        if fit and (known.bundled if known else False) == bundled:
            ranked.append((-fit, place, not origin, path, spoken))
    if not ranked:
        return None
    _, _, plain, path, spoken = min(ranked)
    why = f"it is installed for {spoken}" + ("" if plain else ", adapted to the hotline's own sentences")
    return folder.inspect(path), why
