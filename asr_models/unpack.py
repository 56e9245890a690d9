"""Takes archives apart without trusting them: plain files and folders only, inside one folder, within a size.

The standard library's extractall follows links and accepts any size; here every member is looked at before the first
byte is written, and written by us.
"""

import stat
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from asr_models.errors import UnsafeArchive

MAX_BYTES = 12 * 1024**3
"""No model is larger than this when unpacked (the largest official one has about 6 GB)."""
MAX_RATIO = 60
"""Unpacked bytes for each packed one; models reach about 4, a decompression bomb a thousand."""
MAX_MEMBERS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    """A plain file in an archive."""

    path: PurePosixPath
    """Where it belongs, relative and without "..". """
    name: str
    """Its name in the archive, to open it by."""
    size: int
    """Bytes, as the archive says."""


class _Archive(Protocol):
    def members(self) -> list[_Member]: ...
    def open(self, member: _Member) -> IO[bytes]: ...


def unpacked_size(archive: Path) -> int:
    """Bytes that unpacking will write. Raises UnsafeArchive for anything that must not be unpacked."""
    with _opened(archive) as source:
        return _checked_size(archive, source.members())


def unpack(archive: Path, target: Path) -> None:
    """Unpack a .zip, .tar.xz or .tar.gz into a new folder. One folder around everything is left out. Raises
    UnsafeArchive, OSError."""
    with _opened(archive) as source:
        members = source.members()
        _checked_size(archive, members)
        tops = {member.path.parts[0] for member in members}
        strip = 1 if len(tops) == 1 and all(len(member.path.parts) > 1 for member in members) else 0
        target.mkdir(parents=True)
        for member in members:
            _write(source, member, target.joinpath(*member.path.parts[strip:]))


def _write(source: _Archive, member: _Member, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    left = member.size
    with source.open(member) as packed, path.open("xb") as out:
        while piece := packed.read(1 << 20):
            left -= len(piece)
            if left < 0:
                raise UnsafeArchive("The archive holds more than it says, so it is not used.")
            out.write(piece)


def _checked_size(archive: Path, members: list[_Member]) -> int:
    total = sum(member.size for member in members)
    bound = min(MAX_BYTES, max(1 << 20, archive.stat().st_size * MAX_RATIO))
    if not members or len(members) > MAX_MEMBERS or total > bound or any(member.size < 0 for member in members):
        raise UnsafeArchive(f"The archive {archive.name} is empty or out of all proportion, so it is not used.")
    return total


def _safe(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name or not path.parts:
        raise UnsafeArchive("The archive would write outside its folder, so it is not used.")
    return path


@contextmanager
def _opened(archive: Path) -> Iterator[_Archive]:
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as packed:
                yield _Zip(packed)
        else:
            with tarfile.open(archive) as tarred:
                yield _Tar(tarred)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, NotImplementedError) as error:
        raise UnsafeArchive(
            f"{archive.name} is neither a sound zip nor a sound tar archive, so it is not used."
        ) from error


class _Zip:
    def __init__(self, packed: zipfile.ZipFile) -> None:
        self._packed = packed

    def members(self) -> list[_Member]:
        found = []
        for info in self._packed.infolist():
            path = _safe(info.filename)
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or info.flag_bits & 1:
                raise UnsafeArchive("The archive holds links, devices or encrypted files, so it is not used.")
            if not info.is_dir():
                found.append(_Member(path=path, name=info.filename, size=info.file_size))
        return found

    def open(self, member: _Member) -> IO[bytes]:
        return self._packed.open(member.name)


class _Tar:
    def __init__(self, tarred: tarfile.TarFile) -> None:
        self._tarred = tarred

    def members(self) -> list[_Member]:
        found = []
        for info in self._tarred.getmembers():
            path = _safe(info.name)
            if not (info.isreg() or info.isdir()):
                raise UnsafeArchive("The archive holds links or devices, so it is not used.")
            if info.isreg():
                found.append(_Member(path=path, name=info.name, size=info.size))
        return found

    def open(self, member: _Member) -> IO[bytes]:
        file = self._tarred.extractfile(member.name)
        if file is None:
            raise UnsafeArchive("The archive holds a file that cannot be read, so it is not used.")
        return file
