"""A bounded byte ring between one writing and one reading thread.

It never blocks and never grows: where the reader is late the oldest bytes go and are counted, because old audio is
worth less to a caller than a short delay.
"""

import threading


class ByteRing:
    """First in, first out, at most `capacity` bytes."""

    def __init__(self, capacity: int) -> None:
        if capacity <= 0:
            raise ValueError("a ring needs room for at least one byte")
        self._store = bytearray(capacity)
        self._head = 0
        self._used = 0
        self._dropped = 0
        # The writer moves the reader's end when it drops, so both ends share this lock; it is held for one copy.
        self._lock = threading.Lock()

    @property
    def dropped(self) -> int:
        """Bytes that were lost to a late reader so far."""
        return self._dropped

    def __len__(self) -> int:
        return self._used

    def write(self, data: bytes) -> None:
        """Append; what does not fit pushes the oldest bytes out."""
        capacity = len(self._store)
        with self._lock:
            surplus = max(0, self._used + len(data) - capacity)
            self._dropped += surplus
            data = data[-capacity:]
            self._skip(max(0, self._used + len(data) - capacity))
            start = (self._head + self._used) % capacity
            first = min(len(data), capacity - start)
            self._store[start : start + first] = data[:first]
            self._store[: len(data) - first] = data[first:]
            self._used += len(data)

    def read(self, count: int) -> bytes:
        """Take exactly `count` bytes, or nothing (b"") while fewer are there."""
        with self._lock:
            if count <= 0 or self._used < count:
                return b""
            first = min(count, len(self._store) - self._head)
            taken = bytes(self._store[self._head : self._head + first]) + bytes(self._store[: count - first])
            self._skip(count)
            return taken

    def clear(self) -> None:
        """Forget what is in it; this is not counted as dropped."""
        with self._lock:
            self._skip(self._used)

    def _skip(self, count: int) -> None:
        self._head = (self._head + count) % len(self._store)
        self._used -= count
