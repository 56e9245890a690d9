"""Calls recorded for test: one sealed file a call, written piece by piece by a thread of its own.

File: magic, start (big-endian double), wrapped data key; then pieces, each a flag (1: the last), a length and the
compressed piece sealed by AES-256-GCM. The key is bound to call and start; a piece to call, number and flag: none can
be moved, taken out of the middle, or made the end. A file without a last piece belongs to a call that runs or whose
process died. Nothing of a call is ever written in clear, and a call without a key has no file.
"""

import logging
import os
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Thread
from typing import BinaryIO

from records.keys import WRAPPED_BYTES, DataKey, KeyRing, NotAuthentic
from records.port import TapeLine, TapesUnavailable

log = logging.getLogger(__name__)

LABEL = "records tapes"
MAGIC = b"TLTAPE1\n"
ENDING = ".tape"
START = slice(len(MAGIC), len(MAGIC) + 8)
HEAD_BYTES = START.stop + WRAPPED_BYTES
PENDING = 256
"""Most pieces waiting for the disk, of about 32 kB each: a disk that hangs must not eat the memory."""
TIDY_SECONDS = 3600.0
"""How often old tapes are looked for."""
LARGEST_PIECE = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    call: str
    clear: bytes = field(repr=False)
    last: bool


@dataclass(slots=True, kw_only=True)
class _Open:
    handle: int
    key: DataKey
    number: int = 0


class FileTapes:
    """`Tapes` over a folder that only its owner can read."""

    def __init__(
        self, folder: Path, keys: KeyRing, *, days: float, clock: Callable[[], float] = time.time, tidy: bool = False
    ) -> None:
        """`days`: how long a tape is kept. `tidy`: remove older ones from now on, also where nothing is recorded."""
        self._folder = folder
        self._sealer = keys.sealer(LABEL)
        self._days = days
        self._clock = clock
        self._queue: Queue[_Piece | None] = Queue(maxsize=PENDING)
        self._open: dict[str, _Open] = {}
        self._broken: set[str] = set()
        self._tidy = tidy
        self._writer: Thread | None = None
        if tidy:
            self._start()

    def keep(self, call: str, piece: bytes, *, last: bool) -> bool:
        """As in the port; returns at once."""
        self._start()
        if call in self._broken and not last:
            return False
        try:
            self._queue.put_nowait(_Piece(call=call, clear=piece, last=last))
        except Full:
            self._give_up(call, "the disk does not keep up")
            return False
        return True

    def read(self, call: str) -> tuple[bytes, ...]:
        """As in the port; blocks."""
        data = self._read(self._path(call))
        try:
            key = self._sealer.unwrap(data[START.stop : HEAD_BYTES], _place(call, data[START]))
            return tuple(
                zlib.decompress(key.open(sealed, _bound(call, number, last)))
                for number, (last, sealed) in enumerate(_pieces(data))
            )
        except (NotAuthentic, zlib.error) as error:
            raise TapesUnavailable("this recording was changed, or belongs to other keys") from error

    def list(self) -> tuple[TapeLine, ...]:
        """As in the port; blocks."""
        lines = [self._line(path) for path in self._files()]
        return tuple(sorted((one for one in lines if one), key=lambda one: (-one.started, one.call)))

    def remove(self, call: str) -> None:
        """As in the port; blocks."""
        path = self._path(call)
        if not path.is_file():
            raise KeyError("no such recording")
        _destroy(path)

    def expire(self) -> int:
        """As in the port; blocks."""
        oldest = self._clock() - self._days * 86_400
        late = [line for line in self.list() if line.started < oldest and line.call not in self._open]
        for line in late:
            _destroy(self._path(line.call))
        if late:
            log.info("%d recordings for test were removed: older than %g days", len(late), self._days)
        return len(late)

    def close(self) -> None:
        """Finish what is queued; blocks."""
        if self._writer is not None:
            self._queue.put(None)
            self._writer.join()
            self._writer = None

    # The writer's thread -----------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._writer is None:
            self._writer = Thread(target=self._write_all, name="records-tapes", daemon=True)
            self._writer.start()

    def _write_all(self) -> None:
        next_look = 0.0
        while True:
            if self._tidy and time.monotonic() >= next_look:
                self._look_for_old()
                next_look = time.monotonic() + TIDY_SECONDS
            try:
                piece = self._queue.get(timeout=TIDY_SECONDS)
            except Empty:
                continue
            if piece is None:
                break
            self._write(piece)
        for one in self._open.values():
            os.close(one.handle)
        self._open.clear()

    def _look_for_old(self) -> None:
        try:
            self.expire()
        except OSError as error:
            log.error("old recordings for test cannot be removed: %s", error.strerror)

    def _write(self, piece: _Piece) -> None:
        for call in self._broken & self._open.keys():
            self._shut(call, whole=False)
        if piece.call in self._broken:
            if piece.last:
                self._broken.discard(piece.call)
            return
        try:
            self._append(piece)
        except OSError as error:
            self._give_up(piece.call, error.strerror or "it cannot be written")
        else:
            if piece.last:
                self._shut(piece.call, whole=True)

    def _append(self, piece: _Piece) -> None:
        found = self._open.get(piece.call) or self._begin(piece.call)
        sealed = found.key.seal(zlib.compress(piece.clear, 6), _bound(piece.call, found.number, piece.last))
        found.number += 1
        data = struct.pack(">BI", piece.last, len(sealed)) + sealed
        while data:
            data = data[os.write(found.handle, data) :]

    def _begin(self, call: str) -> _Open:
        """A new file; one that exists is not touched."""
        start = struct.pack(">d", self._clock())
        key, wrapped = self._sealer.new_key(_place(call, start))
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self._path(call), os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
        self._open[call] = _Open(handle=handle, key=key)
        os.write(handle, MAGIC + start + wrapped)
        return self._open[call]

    def _shut(self, call: str, *, whole: bool) -> None:
        found = self._open.pop(call, None)
        if found is None:
            return
        try:
            if whole:
                os.fdatasync(found.handle)
        except OSError as error:
            log.error("the end of a recording for test is not safe on the disk: %s", error.strerror)
        finally:
            os.close(found.handle)

    def _give_up(self, call: str, why: str) -> None:
        self._broken.add(call)
        log.error("the recording for test of call %s breaks off: %s", call, why)

    # Files ---------------------------------------------------------------------------------------------------------

    def _path(self, call: str) -> Path:
        """Raises KeyError for what cannot be an id: a name from outside must not lead out of the folder."""
        if not call.isalnum() or not call.isascii() or len(call) > 64:
            raise KeyError("no such recording")
        return self._folder / f"{call}{ENDING}"

    def _files(self) -> tuple[Path, ...]:
        return tuple(sorted(self._folder.glob(f"*{ENDING}"))) if self._folder.is_dir() else ()

    def _read(self, path: Path) -> bytes:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise KeyError("no such recording") from None
        except OSError as error:
            raise TapesUnavailable(f"the recording cannot be read: {error.strerror}") from error
        if len(data) < HEAD_BYTES or not data.startswith(MAGIC):
            raise TapesUnavailable("this recording is damaged at its start")
        return data

    def _line(self, path: Path) -> TapeLine | None:
        """None where it has just been removed."""
        try:
            about = path.stat()
            with path.open("rb") as file:
                head = file.read(HEAD_BYTES)
                started = struct.unpack_from(">d", head, len(MAGIC))[0] if len(head) == HEAD_BYTES else about.st_mtime
                whole = _ends(file, about.st_size)
        except FileNotFoundError:
            return None
        return TapeLine(call=path.stem, started=started, size=about.st_size, whole=whole)


def _ends(file: BinaryIO, size: int) -> bool:
    """Whether the file has a last piece, by its flags only."""
    while len(head := file.read(5)) == 5:
        last, length = struct.unpack(">BI", head)
        if file.seek(length, os.SEEK_CUR) > size:
            return False
        if last:
            return True
    return False


def _pieces(data: bytes) -> Iterator[tuple[bool, bytes]]:
    """Flag and sealed bytes of each piece; one that a crash left half written is not there."""
    at = HEAD_BYTES
    while at + 5 <= len(data):
        last, length = struct.unpack_from(">BI", data, at)
        at += 5
        if length > LARGEST_PIECE or at + length > len(data):
            return
        yield bool(last), data[at : at + length]
        at += length


def _destroy(path: Path) -> None:
    """The wrapped key first: what a file system still holds of the rest cannot be opened without it."""
    try:
        handle = os.open(path, os.O_WRONLY)
        try:
            os.pwrite(handle, bytes(HEAD_BYTES), 0)
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        log.warning("the key of a recording could not be overwritten before its removal: %s", error.strerror)
    path.unlink(missing_ok=True)


def _place(call: str, start: bytes) -> bytes:
    return b"tape\0" + call.encode() + b"\0" + start


def _bound(call: str, number: int, last: bool) -> bytes:
    return b"\0".join((b"piece", call.encode(), str(number).encode(), b"last" if last else b"more"))
