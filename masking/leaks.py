"""The leak oracle: are these numbers anywhere in these bytes, files or folders, in any spelling?

It is told real (canary) numbers and says where they were found and how they were spelt, never the numbers. Used by
tests and by operators; it sees UTF-16 as well, but not through compression or encryption.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from masking.redact import redact
from masking.spellings import Spelling, forms, spellings, spoken

CHUNK = 4 * 1024 * 1024
OVERLAP = 1024
"""Longest spelling, in bytes, that a chunk's end may cut."""
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
        """All hits in the bytes, by offset. A number that has several spellings at one place is told several times."""
        hits = {replace(hit, where=where) for hit in self._scan(blob)}
        for phase in range(2):  # UTF-16 is every second byte, from the first or from the second
            for hit in self._scan(blob[phase::2]):
                hits.add(replace(hit, where=where, offset=phase + 2 * hit.offset, spelling=f"utf-16 {hit.spelling}"))
        return tuple(sorted(hits))

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
        hits = self._scan_name(path)
        with path.open("rb") as file:
            start, kept = 0, b""
            while chunk := file.read(CHUNK):
                blob = kept + chunk
                hits.update(replace(hit, offset=start + hit.offset) for hit in self.scan(blob, redact(str(path))))
                kept = blob[-OVERLAP:]
                start += len(blob) - len(kept)
        return hits

    def _scan_name(self, path: Path) -> set[Hit]:
        return {replace(hit, offset=-1) for hit in self.scan(path.name.encode(errors="replace"), redact(str(path)))}
