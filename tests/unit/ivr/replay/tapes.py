"""Tapes for tests: kept in memory, made from whole calls, or put together by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from asr_models.scripted import ScriptedRecogniser
from dialogs.port import SafetyNet
from dialogs.scripted import ScriptedDialogue
from ivr.audio.format import FRAME_BYTES
from ivr.replay.recorder import Recorder
from ivr.replay.run import Parts
from ivr.replay.tape import Mark, Tape, decode
from ivr.voices.silent import SilentVoice
from records.port import TapeLine
from tests.calls.parts import INTERVIEW, ears, menu, prompts
from tests.calls.people import Act, speech
from tests.calls.runner import Held, hold
from tests.calls.world import World


class MemoryTapes:
    """`Tapes` that forget at the end."""

    def __init__(self, *, refuses_after: int = 1_000_000) -> None:
        self.pieces: dict[str, list[bytes]] = {}
        self.ended: set[str] = set()
        self._refuses_after = refuses_after

    def keep(self, call: str, piece: bytes, *, last: bool) -> bool:
        """Kept, until it refuses."""
        kept = self.pieces.setdefault(call, [])
        if len(kept) >= self._refuses_after:
            return False
        kept.append(piece)
        self.ended |= {call} if last else set()
        return True

    def read(self, call: str) -> tuple[bytes, ...]:
        """All pieces."""
        return tuple(self.pieces[call])

    def list(self) -> tuple[TapeLine, ...]:
        """Nothing."""
        return ()

    def remove(self, call: str) -> None:
        """Gone."""
        del self.pieces[call]

    def expire(self) -> int:
        """None."""
        return 0


def recorded(world: World) -> tuple[Held, Tape]:
    """A whole call in memory, and its tape."""
    kept = MemoryTapes()
    world.witness = lambda call, language: Recorder(kept, call, language)
    held = hold(world)
    (pieces,) = kept.pieces.values()
    assert len(kept.ended) == 1
    return held, decode(pieces)


def parts(world_acts: tuple[Act, ...], *, voice: Any = None, net: SafetyNet | None = None, heard: Any = None) -> Parts:
    """Today's hotline with scripted ears that hear what the acts say."""
    words = heard if heard is not None else [one.words for one in world_acts if one.words or one.noise]
    able = ears(ScriptedRecogniser(words))
    return Parts(
        ears=replace(able, net=net) if net else able,
        voice=voice or SilentVoice(),
        prompts=prompts(),
        talk=ScriptedDialogue(INTERVIEW),
        keys=menu(),
    )


def tape(frames: int, marks: Sequence[tuple[int, str, Mapping[str, Any]]], *voices: tuple[int, str]) -> Tape:
    """By hand: marks, and words spoken from a frame on, over soft noise."""
    pcm = bytearray(frames * FRAME_BYTES)
    for start, words in voices:
        sound = speech(words, "slt")
        pcm[start * FRAME_BYTES : start * FRAME_BYTES + len(sound)] = sound
    assert len(pcm) == frames * FRAME_BYTES, "the words are longer than the tape"
    every = tuple(Mark(frame=frame, kind=kind, data=data) for frame, kind, data in marks)
    return Tape(language="en", pcm=bytes(pcm), marks=every)


def said(say: int, *keys: str) -> dict[str, Any]:
    """The data of a sentence's start."""
    return {"say": say, "text": "", "keys": list(keys)}
