"""A tape: what the caller of one call did, sample by sample, and what the hotline made of it.

Time is counted in frames of 20 ms from the moment the call was answered. Marks lie on it: keys, hang-up, and every
entry of the journal. A tape is written in pieces, each readable with those before it, so that a crash costs the last.
"""

import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ivr.audio.format import FRAME_BYTES, FRAME_SECONDS

VERSION = 1


class TapeError(Exception):
    """This tape cannot be replayed; the message says why in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened at one moment."""

    frame: int
    """Frames from the answer."""
    kind: str
    """Name of a journal entry, or a lower-case word of the tape's own: "answered", "key", "say_end", "bridge",
    "state", "order", "gone"."""
    data: Mapping[str, Any]
    """Fields; what a caller said may be among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tape:
    """One call."""

    language: str
    """Language it started in, ISO 639-1."""
    pcm: bytes
    """What the caller's leg gave, 8 kHz mono s16le in whole frames; silence while caller and agent were joined."""
    marks: tuple[Mark, ...]
    """In order."""

    @property
    def frames(self) -> int:
        """Length."""
        return len(self.pcm) // FRAME_BYTES


def encode(language: str, pcm: bytes, marks: Iterable[Mark]) -> bytes:
    """One piece of a tape."""
    head = {"version": VERSION, "language": language, "marks": [[one.frame, one.kind, one.data] for one in marks]}
    text = json.dumps(head, separators=(",", ":")).encode()
    return struct.pack(">I", len(text)) + text + pcm


def decode(pieces: Iterable[bytes]) -> Tape:
    """A tape from its pieces. Raises TapeError."""
    language, pcm, marks = "", bytearray(), list[Mark]()
    for piece in pieces:
        try:
            length = struct.unpack_from(">I", piece)[0]
            head = json.loads(piece[4 : 4 + length])
            version = head["version"]
            language = language or str(head["language"])
            marks += (Mark(frame=int(frame), kind=str(kind), data=data) for frame, kind, data in head["marks"])
        except (struct.error, ValueError, KeyError, TypeError) as error:
            raise TapeError("the recording is not of a kind that this version can read") from error
        if version != VERSION:
            raise TapeError(f"the recording is of kind {version}, and this version reads kind {VERSION} only")
        pcm += piece[4 + length :]
    if not language or len(pcm) % FRAME_BYTES:
        raise TapeError("the recording is empty or incomplete")
    return Tape(language=language, pcm=bytes(pcm), marks=tuple(marks))


def seconds(frame: int) -> float:
    """Frames as seconds."""
    return round(frame * FRAME_SECONDS, 2)
