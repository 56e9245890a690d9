"""What lies compressed in bytes: gzip (RFC 1952), zlib (RFC 1950) and deflated members of zip files. Bounded."""

import re
import struct
import zlib
from collections.abc import Iterator

LARGEST = 2 * 1024 * 1024
"""Bytes that one member may unfold into; what follows is not looked at (gzip files are read to their end elsewhere)."""
SHORTEST = 7
"""Bytes below which nothing can be spelt."""
DEEPEST = 2
"""Packages in packages."""

_STARTS = re.compile(rb"\x1f\x8b\x08|[\x18\x28\x38\x48\x58\x68\x78][\x00-\xff]|PK\x03\x04", re.DOTALL)
_WBITS = {"gzip": 31, "zlib": 15, "raw": -15}
_ZIP_HEADER = struct.Struct("<4sHHHHHIIIHH")
_DEFLATED = 8


def members(blob: bytes, depth: int = DEEPEST) -> Iterator[tuple[int, bytes]]:
    """Offset of each compressed member and what it unfolds into, as far as it goes."""
    for found in _STARTS.finditer(blob):
        at = found.start()
        kind, start = _kind(blob, at)
        clear = _unfold(blob, start, kind) if kind else b""
        if len(clear) >= SHORTEST:
            yield at, clear
            if depth > 1:
                yield from ((at, inner) for _, inner in members(clear, depth - 1))


def _kind(blob: bytes, at: int) -> tuple[str, int]:
    """How to read what begins here and from where; "" for a false start."""
    if blob.startswith(b"\x1f\x8b", at):
        return "gzip", at
    if blob.startswith(b"PK", at):
        if len(blob) < at + _ZIP_HEADER.size:
            return "", at
        header = _ZIP_HEADER.unpack_from(blob, at)
        return ("raw" if header[3] == _DEFLATED else ""), at + _ZIP_HEADER.size + header[9] + header[10]
    # RFC 1950: the two bytes are a multiple of 31, and bit 5 of the second says that a dictionary is needed.
    good = int.from_bytes(blob[at : at + 2]) % 31 == 0 and not blob[at + 1] & 0x20
    return ("zlib" if good else ""), at


def _unfold(blob: bytes, start: int, kind: str) -> bytes:
    """As much as can be read: a member may be cut off, or be no member at all."""
    reader = zlib.decompressobj(wbits=_WBITS[kind])
    clear = bytearray()
    try:
        size = 512  # most starts are false, and fail at once
        while start < len(blob) and len(clear) < LARGEST and not reader.eof:
            clear += reader.decompress(blob[start : start + size], LARGEST - len(clear))
            start, size = start + size, 64 * 1024
    except zlib.error:
        # Noise gives some bytes before it fails; a member that was overwritten at its end gives what was left of it.
        return bytes(clear)
    return bytes(clear)
