"""Makes the replayable calls of tests/replay/calls anew: synthetic callers through the real hotline, recorded as a real
call would be. Run `python -m scripts.make_replays` only when a call is meant to change: what the hotline makes of these
calls today becomes what every later version is compared with.
"""

import argparse
import asyncio
import functools
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from config.settings import ROOT, load
from dialogs.prompts import load_sentences
from ivr.audio.convert import mulaw_decode, mulaw_encode
from ivr.audio.format import FRAME_BYTES, frame_count, frames
from ivr.bootstrap.places import places
from ivr.bootstrap.replay import open_parts
from ivr.ports import Voice
from ivr.replay import folder
from ivr.replay.acts import Act, Point, Script
from ivr.replay.agents import Phones, SameRouter
from ivr.replay.caller import Caller
from ivr.replay.recorder import Recorder
from ivr.replay.run import Company, Parts, perform
from ivr.replay.story import story
from ivr.replay.tape import Mark, Tape, decode
from ivr.voices.espeak import EspeakVoice
from ivr.voices.flite import FliteVoice
from ivr.worker import new_call_id
from records.port import TapeLine

FOLDER = ROOT / "tests/replay/calls"
THINKS = frame_count(0.6)
TALKS_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Does:
    """Words, keys or a hang-up, at a point of the call."""

    after: str
    """Sentence; "bridge" for the moment when an agent is there."""
    words: str = ""
    keys: str = ""
    hang_up: bool = False
    nth: int = 1
    """Which time that the sentence is said."""
    into: float | None = None
    """Seconds after the sentence's start, to interrupt it; None: after its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One synthetic call."""

    does: tuple[Does, ...]
    """What the caller does."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """Answers to questions, by name; "otherwise" to all others."""
    voice: str = "slt"
    """A voice of flite, or "espeak:<name>"."""
    noise_dbfs: float | None = None
    """Steady noise on the caller's line."""


LEAVES = Does(after="bridge", hang_up=True, into=TALKS_SECONDS)
COMPLAINT = "ask.complaint"


def complains(words: str, into: float | None = None) -> Does:
    """The answer to the first question."""
    return Does(after=COMPLAINT, words=words, into=into)


PLOTS: dict[str, Plot] = {
    "chest-pain": Plot(does=(complains("i have chest pain"), LEAVES)),
    "cannot-breathe": Plot(does=(complains("i can not breathe"), LEAVES), voice="rms"),
    "husband-collapsed": Plot(
        does=(complains("my husband has chest pain and he is sweating"), LEAVES), voice="slt", noise_dbfs=-55
    ),
    "stroke-over-the-question": Plot(does=(complains("her face is drooping and her arm is weak", into=1.0), LEAVES)),
    "danger-on-asking": Plot(
        does=(complains("i have a headache"), LEAVES),
        answers={"age": "fifty", "sudden_worst": "yes", "otherwise": "no"},
    ),
    "emergency-by-key": Plot(
        does=(Does(after="call.greeting", keys="5", into=2.0), Does(after="menu.first", keys="1", into=1.5), LEAVES)
    ),
    "person-by-voice": Plot(does=(complains("i want to talk to a person"), LEAVES)),
    "person-by-key": Plot(does=(Does(after="call.greeting", keys="0", into=3.0), LEAVES)),
    "rash": Plot(
        does=(complains("i have an itchy rash for three days"),),
        answers={"age": "forty two", "severity": "three", "onset": "three days", "otherwise": "no"},
    ),
    "sore-throat": Plot(
        does=(complains("i have a sore throat"),),
        answers={"age": "thirty", "severity": "three", "onset": "two days", "otherwise": "no"},
        voice="rms",
    ),
    "burn": Plot(
        does=(complains("i have a burn on my arm"), LEAVES),
        answers={"age": "thirty", "severity": "five", "onset": "one hour", "otherwise": "no"},
    ),
    "silence": Plot(does=(LEAVES,)),
    "keypad-skin": Plot(
        does=(
            Does(after="call.greeting", keys="4", into=2.0), Does(after="menu.first", keys="3", into=1.0),
            Does(after="menu.mild", keys="1"), Does(after="menu.alarm", keys="2"),
        )
    ),
}  # fmt: skip


@functools.cache
def speech(voice: str, words: str) -> bytes:
    """Words as they come over a G.711 line, in whole frames."""
    name, _, variant = voice.partition(":")
    speaker: Voice = EspeakVoice(variant) if name == "espeak" else FliteVoice(voice)
    pcm = b"".join(frames(asyncio.run(speaker.speak(words, keep=False))))
    return mulaw_decode(mulaw_encode(pcm))


def noise(dbfs: float | None, length: int) -> bytes:
    """Frames of steady noise, the same every time."""
    if dbfs is None:
        return bytes(length * FRAME_BYTES)
    samples = np.random.default_rng(7).normal(0, 32768 * 10 ** (dbfs / 20), length * FRAME_BYTES // 2)
    return mulaw_decode(mulaw_encode(samples.astype("<i2").tobytes()))


def act(plot: Plot, does: Does, order: int) -> Act:
    """As the caller of a replay does it."""
    if does.after == "bridge":
        point = Point(what="bridge", key="", nth=does.nth)
    else:
        point = Point(what="end" if does.into is None else "start", key=does.after, nth=does.nth)
    pcm = speech(plot.voice, does.words) if does.words else b""
    return Act(
        point=point,
        offset=THINKS if does.into is None else frame_count(does.into),
        start=order,
        pcm=pcm,
        voiced=len(pcm) // FRAME_BYTES,
        keys=does.keys,
        hang_up=does.hang_up,
    )


def plan(plot: Plot) -> Script:
    """Everything that the caller will or would do."""
    does = list(plot.does)
    if plot.answers:
        asked = [key for key in load_sentences(ROOT / "dialogs/prompts")["en"] if key.startswith("ask.")]
        known = {one.after for one in does}
        does += [
            Does(after=key, words=plot.answers.get(key.removeprefix("ask."), plot.answers["otherwise"]))
            for key in asked
            if key not in known
        ]
    acts = tuple(act(plot, one, order) for order, one in enumerate(does))
    return Script(prelude=b"", acts=acts, room=noise(plot.noise_dbfs, 100), frames=frame_count(60))


class Kept:
    """`Tapes` in memory."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def keep(self, call: str, piece: bytes, *, last: bool) -> bool:
        """Kept."""
        self.pieces.append(piece)
        return True

    def read(self, call: str) -> tuple[bytes, ...]:
        """All."""
        return tuple(self.pieces)

    def list(self) -> tuple[TapeLine, ...]:
        """Nothing."""
        return ()

    def remove(self, call: str) -> None:
        """Nothing."""

    def expire(self) -> int:
        """Nothing."""
        return 0


async def record(plot: Plot, script: Script, parts: Parts) -> Tape:
    """One call, as it would be kept."""
    kept = Kept()
    arrival = Mark(frame=0, kind="CallArrived", data={"reachable": True})
    world = Tape(language="en", pcm=bytes(script.frames * FRAME_BYTES), marks=(arrival,))
    company = Company(phones=Phones(()), router=SameRouter(()))
    await perform(Caller(script), parts, world, new_call_id(), company, Recorder(kept, "synthetic", "en"))
    return decode(kept.pieces)


def say(line: str) -> None:
    """Progress."""
    print(line, file=sys.stderr, flush=True)


async def make(scripts: Mapping[str, Script]) -> None:
    """Record all, and write them."""
    settings = load()
    async with open_parts(settings, places(settings), say) as parts:
        for name, script in scripts.items():
            tape = await record(PLOTS[name], script, parts)
            shutil.rmtree(FOLDER / name, ignore_errors=True)
            folder.save(FOLDER / name, tape)
            told = story(tape.marks)
            size = sum(file.stat().st_size for file in (FOLDER / name).iterdir())
            say(f"{name:<26} {told.rank.name:<10} {told.outcome:<10} {told.level:<10} {size / 1000:6.0f} kB")
            say(f"    heard {list(told.heard)}; asked {list(told.asked)}; flags {[one.rule for one in told.flags]}")


def main() -> None:
    """All calls, or those named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="*", metavar="NAME", help=", ".join(PLOTS))
    names = parser.parse_args().name or list(PLOTS)
    if unknown := [name for name in names if name not in PLOTS]:
        parser.error(f"there is no call {unknown[0]}; there are {', '.join(PLOTS)}")
    asyncio.run(make({name: plan(PLOTS[name]) for name in names}))


if __name__ == "__main__":
    main()
