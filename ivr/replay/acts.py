"""What a caller did, tied to what the hotline said: so that it stays meaningful when sentences change their length.

Each utterance, key and hang-up hangs on a point of the call: the start of the sentence that it interrupted, the end of
the one that it followed, or the moment when caller and agent were joined. A sentence is known by the name of its last
prompt (the question) and by how often it was said before. Pure.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ivr.audio.format import FRAME_BYTES, frame_count, frames
from ivr.audio.vad import VoiceActivity
from ivr.replay.tape import Tape

REACTION_FRAMES = frame_count(0.3)
"""Nobody answers a sentence sooner than this after its start: what comes sooner belonged to what was before."""
LEAD_FRAMES = frame_count(0.3)
"""Sound kept before a voice's onset: the soft first sound."""
PAUSE_FRAMES = frame_count(0.5)
"""A shorter pause is part of the utterance."""
BLIP_FRAMES = 3
"""Fewer voiced frames than this are a click."""
ROOM_FRAMES = frame_count(2.0)
"""Longest piece of the caller's silence that fills pauses which the tape does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A moment that a caller may react to, by name."""

    what: str
    """"answer", "start" or "end" of a sentence, or "bridge"."""
    key: str
    """Name of the sentence's last prompt; empty for the others."""
    nth: int
    """The first, second ... of this name in the call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that the caller did."""

    point: Point
    """What it hangs on."""
    offset: int
    """Frames after the point."""
    start: int
    """Where on the tape it begins."""
    pcm: bytes = b""
    """Sound up to the next utterance, the silence after the voice included; empty for keys and hang-up."""
    voiced: int = 0
    """Frames until the voice ends: they are never cut short."""
    keys: str = ""
    """Keys pressed."""
    hang_up: bool = False
    """The caller hangs up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Everything that a caller did in a call."""

    prelude: bytes
    """Sound before the first utterance."""
    acts: tuple[Act, ...]
    """In order."""
    room: bytes
    """Sound of the caller's silence, at least one frame."""
    frames: int
    """Length of the tape."""


class Points:
    """Names the moments of a call as they come."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._says: dict[int, Point] = {}

    def at(self, kind: str, data: Mapping[str, Any]) -> Point | None:
        """The point that a mark is, None for other marks."""
        match kind:
            case "answered":
                return self._named("answer", "")
            case "Said":
                keys = data.get("keys") or [""]
                point = self._named("start", str(keys[-1]))
                self._says[int(data["say"])] = point
                return point
            case "say_end":
                said = self._says.pop(int(data["say"]), None)
                return Point(what="end", key=said.key, nth=said.nth) if said else None
            case "Bridged":
                return self._named("bridge", "")
        return None

    def _named(self, what: str, key: str) -> Point:
        self._counts[what, key] += 1
        return Point(what=what, key=key, nth=self._counts[what, key])


def script(tape: Tape) -> Script:
    """The acts of a tape."""
    names = Points()
    points = [
        (mark.frame, point) for mark in tape.marks if (point := names.at(mark.kind, mark.data)) is not None
    ] or [(0, Point(what="answer", key="", nth=1))]
    voices = _voices(tape.pcm, tuple(frame for frame, point in points if point.what == "start"))
    starts = [_lead(points, onset, before) for (_, before), (onset, _) in pairwise([(0, 0), *voices])]
    ends = [*starts[1:], tape.frames] if starts else []
    spoken = [
        _spoken(points, tape.pcm, voice, start, end) for voice, start, end in zip(voices, starts, ends, strict=True)
    ]
    acts = sorted([*spoken, *_pressed(tape, points)], key=lambda act: act.start)
    prelude = tape.pcm[: starts[0] * FRAME_BYTES] if starts else tape.pcm
    return Script(prelude=prelude, acts=tuple(acts), room=_room(tape, voices, points), frames=tape.frames)


def _voices(pcm: bytes, says: tuple[int, ...]) -> list[tuple[int, int]]:
    """First and one-past-last frame of each utterance."""
    activity = VoiceActivity()
    voiced = [number for number, frame in enumerate(frames(pcm)) if activity.speech(frame)]
    runs: list[tuple[int, int, int]] = []
    for number in voiced:
        if runs and _goes_on(runs[-1][1], number, says):
            runs[-1] = (runs[-1][0], number + 1, runs[-1][2] + 1)
        else:
            runs.append((number, number + 1, 1))
    return [(start, end) for start, end, count in runs if count >= BLIP_FRAMES]


def _room(tape: Tape, voices: list[tuple[int, int]], points: list[tuple[int, Point]]) -> bytes:
    """The end of the longest silence before anybody was joined, without the soft first sound after it."""
    last = next((frame for frame, point in points if point.what == "bridge"), tape.frames)
    edges = [0, *(min(edge, last) for voice in voices for edge in voice), last]
    start, end = max(zip(edges[::2], edges[1::2], strict=True), key=lambda one: one[1] - one[0])
    end = max(start, end - LEAD_FRAMES)
    return tape.pcm[max(start, end - ROOM_FRAMES) * FRAME_BYTES : end * FRAME_BYTES] or bytes(FRAME_BYTES)


def _goes_on(before: int, number: int, says: tuple[int, ...]) -> bool:
    """Whether a voiced frame belongs to the utterance before: a short pause, in which nothing new was said to which
    the caller could have reacted."""
    return number - before <= PAUSE_FRAMES and not any(before <= say <= number - REACTION_FRAMES for say in says)


def _lead(points: list[tuple[int, Point]], onset: int, before: int) -> int:
    """Where the sound of an utterance begins: before its onset, but after its point and the voice before."""
    return max(onset - LEAD_FRAMES, _point(points, onset)[0], before)


def _point(points: list[tuple[int, Point]], frame: int) -> tuple[int, Point]:
    """The last point that something at this frame can be a reaction to."""
    possible = [one for one in points if one[0] <= frame - (REACTION_FRAMES if one[1].what == "start" else 0)]
    return possible[-1] if possible else points[0]


def _spoken(points: list[tuple[int, Point]], pcm: bytes, voice: tuple[int, int], start: int, end: int) -> Act:
    at, point = _point(points, voice[0])
    return Act(
        point=point,
        offset=max(0, start - at),
        start=start,
        pcm=pcm[start * FRAME_BYTES : end * FRAME_BYTES],
        voiced=voice[1] - start,
    )


def _pressed(tape: Tape, points: list[tuple[int, Point]]) -> Iterator[Act]:
    """Keys, and the hang-up where it was the caller's own."""
    ours = False
    for mark in tape.marks:
        at, point = _point(points, mark.frame)
        offset = max(0, mark.frame - at)
        ours = ours or (mark.kind == "order" and mark.data.get("order") == "HangUp")
        if mark.kind == "key":
            yield Act(point=point, offset=offset, start=mark.frame, keys=str(mark.data["digit"]))
        elif mark.kind == "gone" and not ours:
            yield Act(point=point, offset=offset, start=mark.frame, hang_up=True)
