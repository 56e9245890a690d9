"""Rendered prompts on disk: one file a prompt, named by a hash, whole or not there, bounded in size.

Only prompts without a caller's words come here; `CachedVoice` sees to that.
"""

import contextlib
import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import Protocol

_MAGIC = b"TLPCM1\n"
_HEAD = len(_MAGIC) + hashlib.sha256().digest_size
_NAME = re.compile(r"[0-9a-f]{64}\.pcm")


class Store(Protocol):
    """Where prompts are kept. Blocking: to be called off the event loop."""

    def read(self, key: str) -> bytes | None:
        """What was written, or None where it is missing or damaged. Raises OSError."""
        ...

    def write(self, key: str, pcm: bytes) -> None:
        """Keep it. Raises OSError, for example for a full disk; then nothing is changed."""
        ...


class DiskStore:
    """A folder of prompts, the least recently used ones removed beyond a size. Several processes may share it."""

    def __init__(self, folder: Path, *, max_bytes: int = 200_000_000) -> None:
        """The folder is made when first needed. `max_bytes` bounds all prompts together."""
        self._folder = folder
        self._max_bytes = max_bytes

    def read(self, key: str) -> bytes | None:
        """What was written, or None where it is missing or damaged. Raises OSError."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        pcm = data[_HEAD:]
        if data[:_HEAD] != _MAGIC + hashlib.sha256(pcm).digest():
            return None
        with contextlib.suppress(FileNotFoundError):  # another process may have removed it just now
            os.utime(path)
        return pcm

    def write(self, key: str, pcm: bytes) -> None:
        """Keep it, in one step. Raises OSError."""
        path = self._path(key)
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".new-", dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_MAGIC + hashlib.sha256(pcm).digest() + pcm)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
        self._shrink()

    def _path(self, key: str) -> Path:
        if not _NAME.fullmatch(name := f"{key}.pcm"):
            raise ValueError("a key is 64 hexadecimal digits")
        return self._folder / name

    def _shrink(self) -> None:
        found = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if _NAME.fullmatch(entry.name):
                    with contextlib.suppress(FileNotFoundError):
                        found.append((entry.stat().st_mtime_ns, entry.stat().st_size, entry.path))
        excess = sum(size for _, size, _ in found) - self._max_bytes
        for _, size, path in sorted(found):
            if excess <= 0:
                return
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            excess -= size
