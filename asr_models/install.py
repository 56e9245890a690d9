"""Installs and removes models below one folder, never half: a model is there whole, or not at all."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from asr_models import folder
from asr_models.catalog import CatalogModel
from asr_models.download import Progress, fetch
from asr_models.errors import ArchiveError, ModelBusy, NoDiskSpace, NoModelInside, UnknownModel, WrongChecksum
from asr_models.unpack import unpack, unpacked_size

PINS = "first-seen.json"
"""Hashes of archives whose checksum the catalog does not know, recorded when they were first installed."""
SPARE = 64 * 1024**2
"""Bytes that an installation leaves free on the disk."""
UNPACK_FACTOR = 2
"""Bytes a packed byte becomes, for the estimate before the download."""


def install(model: CatalogModel, root: Path, base: str, progress: Progress) -> Path:
    """Fetch, check and unpack a model; its folder. A model that is there already is left as it is.

    `base` is the publisher's or mirror's address, ending in "/". Raises ModelError; OSError becomes NoDiskSpace only
    where the disk is full."""
    with locked(root):
        target = root / model.id
        if target.is_dir() and not folder.missing(target):
            return target
        archive = root / model.file
        _room(root, model.size * (1 + UNPACK_FACTOR), model.id)
        with _full_disk(root, model.id):
            if not archive.is_file():
                fetch(base.rstrip("/") + "/" + model.file, archive, limit=model.size * 3 // 2, progress=progress)
            place(archive, model, root)
            archive.unlink()
        return target


def place(archive: Path, model: CatalogModel, root: Path) -> Path:
    """Check an archive on this machine and unpack it to its folder. A bad downloaded archive is deleted. Raises
    ArchiveError, NoDiskSpace."""
    fresh, target = root / f".unpacking-{model.id}", root / model.id
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        digest = _verified(archive, model, root)
        _room(root, unpacked_size(archive), model.id)
        unpack(archive, fresh)
        if absent := folder.missing(fresh):
            raise NoModelInside(f"{archive.name} holds no Vosk model, so it is not used: {absent} is missing.")
        _receipt(fresh, model, digest)
        shutil.rmtree(target, ignore_errors=True)
        os.replace(fresh, target)
    except ArchiveError:
        if archive.parent == root:
            archive.unlink(missing_ok=True)
        raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    _pin(root, model, digest)
    return target


def remove(name: str, root: Path) -> None:
    """Delete an installed model. Raises UnknownModel where none of that name is installed."""
    target = root / name
    if not name or Path(name).name != name or name.startswith(".") or not target.is_dir():
        raise UnknownModel(f"No model called {name!r} is installed in {root}.")
    with locked(root):
        # Renamed first, so that a program that looks for models never sees half of one.
        doomed = root / f".removing-{name}"
        shutil.rmtree(doomed, ignore_errors=True)
        os.replace(target, doomed)
        shutil.rmtree(doomed)


def installed(root: Path) -> tuple[Path, ...]:
    """Folders below the root that are Vosk models, by name."""
    if not root.is_dir():
        return ()
    found = (path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    return tuple(sorted(path for path in found if not folder.missing(path)))


def receipt(path: Path) -> dict[str, str]:
    """What the installer wrote into a model's folder; empty where a person unpacked it."""
    try:
        found = json.loads((path / folder.RECEIPT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _verified(archive: Path, model: CatalogModel, root: Path) -> str:
    """The archive's SHA-256, after every checksum that is known for it was compared."""
    known = [*model.checksums, *([f"sha256:{pin}"] if (pin := _pins(root).get(model.id)) else [])]
    digest = _digest(archive, "sha256")
    for text in known:
        kind, _, wanted = text.partition(":")
        if (digest if kind == "sha256" else _digest(archive, kind)) != wanted.lower():
            fate = "was deleted" if archive.parent == root else "is not used"
            raise WrongChecksum(f"{archive.name} has a wrong {kind} checksum and {fate}: fetch it again.")
    return digest


def _digest(path: Path, kind: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()


def _receipt(path: Path, model: CatalogModel, digest: str) -> None:
    text = json.dumps({"id": model.id, "language": model.language, "sha256": digest}, indent=1)
    (path / folder.RECEIPT).write_text(text + "\n", encoding="utf-8")


def _pins(root: Path) -> dict[str, str]:
    path = root / PINS
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _pin(root: Path, model: CatalogModel, digest: str) -> None:
    if model.checksums:
        return
    fresh = root / (PINS + ".new")
    fresh.write_text(json.dumps({**_pins(root), model.id: digest}, indent=1) + "\n", encoding="utf-8")
    os.replace(fresh, root / PINS)


def _room(root: Path, wanted: int, name: str) -> None:
    free = shutil.disk_usage(root).free
    if free < wanted + SPARE:
        raise NoDiskSpace(
            f"{name} needs about {(wanted + SPARE) >> 20} MiB in {root}, and only {free >> 20} MiB are free."
        )


@contextmanager
def _full_disk(root: Path, name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (28, 122):  # ENOSPC, EDQUOT
            raise
        raise NoDiskSpace(f"The disk of {root} became full while {name} was being installed.") from error


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """One installer at a time. The lock dies with its process, so a killed one leaves nothing to clean up."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ModelBusy(f"Another process is changing the models in {root}: try again when it is done.") from error
        yield
