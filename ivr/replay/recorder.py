"""Makes the tape of a running call. Nothing waits for it, and a tape that cannot be kept costs the call nothing."""

import logging
from collections.abc import Mapping
from typing import Any

from ivr.audio.format import FRAME_BYTES, FRAME_SECONDS, frame_count
from ivr.call.commands import Command
from ivr.call.state import State
from ivr.ports import AudioHeard, Elapsed, LegAnswered, LineEvent
from ivr.replay.marker import Marker
from ivr.replay.tape import Mark, encode
from records.port import Tapes

log = logging.getLogger(__name__)

PIECE_FRAMES = frame_count(2.0)
"""Audio of one piece: what a crash may cost, and what a call holds in memory."""
PIECE_MARKS = 200
"""A piece ends sooner when so much has happened."""
NO_SOUND_SECONDS = 0.35
"""Time without a frame from the caller that is more than a late packet."""
_SILENCE = bytes(FRAME_BYTES)


class Recorder:
    """Witness of one call who keeps it."""

    def __init__(self, tapes: Tapes, call: str, language: str) -> None:
        self._tapes = tapes
        self._call = call
        self._language = language
        self._marker = Marker(self._mark)
        self._pcm = bytearray()
        self._marks: list[Mark] = []
        self._frame = 0
        self._answered = self._given_up = False
        self._without_sound = 0.0

    def sensed(self, event: LineEvent) -> None:
        """Sound is kept, all else marked."""
        match event:
            case AudioHeard() if len(event.pcm) == FRAME_BYTES:
                self._without_sound = 0.0
                self._sound(event.pcm)
            case Elapsed():
                self._pass(event.seconds)
            case _:
                self._answered = self._answered or isinstance(event, LegAnswered)
                self._marker.sensed(event)

    def noted(self, kind: str, data: Mapping[str, Any]) -> None:
        """An entry of the journal."""
        self._marker.noted(kind, data)

    def stepped(self, state: State, commands: tuple[Command, ...]) -> None:
        """A step of the machine."""
        self._marker.stepped(state, commands)

    def over(self) -> None:
        """The last piece."""
        self._flush(last=True)

    def _pass(self, seconds: float) -> None:
        """Time in which no sound comes (caller and agent talk, and nobody listens) is silence on the tape."""
        if not self._answered:
            return
        self._without_sound += seconds
        if self._without_sound <= NO_SOUND_SECONDS:
            return
        missing, self._without_sound = round(self._without_sound / FRAME_SECONDS), 0.0
        for _ in range(missing):
            self._sound(_SILENCE)

    def _sound(self, pcm: bytes) -> None:
        self._pcm += pcm
        self._frame += 1
        if len(self._pcm) >= PIECE_FRAMES * FRAME_BYTES:
            self._flush(last=False)

    def _mark(self, kind: str, data: Mapping[str, Any]) -> None:
        self._marks.append(Mark(frame=self._frame, kind=kind, data=data))
        if len(self._marks) >= PIECE_MARKS:
            self._flush(last=False)

    def _flush(self, *, last: bool) -> None:
        pcm, marks = bytes(self._pcm), tuple(self._marks)
        self._pcm.clear()
        self._marks.clear()
        if self._given_up and not last:
            return
        try:
            kept = self._tapes.keep(self._call, encode(self._language, pcm, marks), last=last)
        except Exception:
            log.exception("the recording for test of call %s breaks off", self._call)
            kept = False
        self._given_up = not kept
