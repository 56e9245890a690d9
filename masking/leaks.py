"""The leak oracle: are these numbers anywhere in these bytes, files or folders, in any spelling?

It is told real (canary) numbers and says where they were found and how they were spelt, never the numbers. Used by
tests and by operators; it sees UTF-16 and through gzip, zlib and zip, but not through encryption.
"""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

from masking.redact import redact
from masking.spellings import Spelling, forms, spellings, spoken
from masking.unpack import members

CHUNK = 4 * 1024 * 1024
OVERLAP = 1024
"""Longest spelling, in bytes, that a chunk's end may cut."""
GZIP = b"\x1f\x8b"
SQLITE_COMPANIONS = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Hit:
    """A number was found."""

    where: str
    """File, with what looks like a number hidden; "" for bytes in memory."""
    offset: int
    """Byte at which the spelling starts; in a file's name, -1."""
    spelling: str
    """Kind, for example "base64", or "utf-16 digits"."""
    number: int
    """Which of the numbers looked for, from 0."""


class LeakOracle:
    """Looks for a fixed set of numbers."""

    def __init__(self, numbers: Sequence[str]) -> None:
        """`numbers`: in E.164 form, for example "+12025550123". Raises ValueError."""
        self._spellings: list[tuple[int, Spelling]] = [
            (index, spelling) for index, number in enumerate(numbers) for spelling in spellings(number)
        ]
        self._tails = [forms(number).tail for number in numbers]

    def scan(self, blob: bytes, where: str = "") -> tuple[Hit, ...]:
        """All hits in the bytes, by offset. A number that has several spellings at one place is told several times;
        one that lies compressed is told at the offset where the compressed data begin."""
        hits = self._plain(blob, where)
        for offset, clear in members(blob):
            for hit in self._plain(clear, where):
                hits.add(replace(hit, offset=offset, spelling=f"compressed {hit.spelling}"))
        return tuple(sorted(hits))

    def _plain(self, blob: bytes, where: str) -> set[Hit]:
        hits = {replace(hit, where=where) for hit in self._scan(blob)}
        for phase in range(2):  # UTF-16 is every second byte, from the first or from the second
            for hit in self._scan(blob[phase::2]):
                hits.add(replace(hit, where=where, offset=phase + 2 * hit.offset, spelling=f"utf-16 {hit.spelling}"))
        return hits

    def scan_file(self, path: Path) -> tuple[Hit, ...]:
        """All hits in a file's bytes and name, and in the files that SQLite keeps beside it. Raises OSError."""
        companions = [path.with_name(path.name + ending) for ending in SQLITE_COMPANIONS]
        files = [path, *(one for one in companions if one.is_file())]
        return tuple(sorted({hit for file in files for hit in self._scan_one(file)}))

    def scan_folder(self, folder: Path) -> tuple[Hit, ...]:
        """All hits in everything below a folder, names included; links are not followed. Raises OSError."""
        hits: set[Hit] = set()
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                hits.update(self._scan_one(path))
            else:
                hits.update(self._scan_name(path))
        return tuple(sorted(hits))

    def _scan(self, blob: bytes) -> Iterator[Hit]:
        for index, spelling in self._spellings:
            for offset in spelling.find(blob):
                yield Hit(where="", offset=offset, spelling=spelling.name, number=index)
        for offset, digits in spoken(blob):
            for index, tail in enumerate(self._tails):
                if tail in digits:
                    yield Hit(where="", offset=offset, spelling="words", number=index)

    def _scan_one(self, path: Path) -> set[Hit]:
        where = redact(str(path))
        hits = self._scan_name(path)
        with path.open("rb") as file:
            hits.update(self._scan_stream(file, where))
            file.seek(0)
            if file.read(2) == GZIP:
                file.seek(0)
                with gzip.open(file) as clear:
                    for hit in self._scan_stream(cast("BinaryIO", clear), where):
                        hits.add(replace(hit, offset=0, spelling=f"compressed {hit.spelling}"))
        return hits

    def _scan_stream(self, file: BinaryIO, where: str) -> Iterator[Hit]:
        start, kept = 0, b""
        while chunk := _read(file):
            blob = kept + chunk
            for hit in self.scan(blob, where):
                yield replace(hit, offset=start + hit.offset)
            kept = blob[-OVERLAP:]
            start += len(blob) - len(kept)

    def _scan_name(self, path: Path) -> set[Hit]:
        return {replace(hit, offset=-1) for hit in self.scan(path.name.encode(errors="replace"), redact(str(path)))}


def _read(file: BinaryIO) -> bytes:
    """The next piece; a compressed file that is cut off or damaged ends where it does."""
    try:
        return file.read(CHUNK)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return b""
