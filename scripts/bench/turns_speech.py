"""Synthetic callers for the measurement of turn-taking: what they say, where they pause, and the line they call on.

Every utterance is spoken piece by piece, so that the length of each pause and the end of the last word are known.
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ivr.audio.convert import Samples, mulaw_decode, mulaw_encode, to_pcm, to_samples
from ivr.audio.format import RATE
from ivr.ports import Voice
from ivr.voices.espeak import EspeakVoice
from ivr.voices.flite import FliteVoice
from ivr.voices.piper_voice import PiperVoice, bundled_model
from scripts.bench.farm.sound import faster
from scripts.bench.turns_others import OTHERS

Dice: TypeAlias = random.Random
QUESTIONS = ("open", "yes_no", "number", "digits", "duration")
"""Kinds of question; "digits" is a number read out without a grammar for it."""
_OPEN = """
i have had a bad headache | since yesterday morning
my stomach hurts | after i eat | something
i feel dizzy | when i stand up
the rash is on my arm | and it itches
it started | about two days ago
my back hurts | when i bend down | to lift something
i have a cough | and a runny nose
my knee is swollen | since i fell
i took | two tablets | last night
my son has a fever | and he is tired
uh | i am not sleeping well
i burned my hand | on the stove
i have a sore throat | and my ears hurt
"""
_YES_NO = """
yes
no
yes i do
no i don't
not really
yes | since this morning
i don't know
"""
_NUMBER = """
forty two
thirty
i am | sixty seven
uh | eighty one
twenty | five
nineteen
"""
_DIGITS = """
five five five | zero one four two
two zero two | five five five | zero one seven three
one nine | six four
zero seven seven | zero zero nine | zero zero one two three
"""
_DURATION = """
three days
about | two weeks
since | last night
uh | five | hours
two or | three days
"""


def _sayings(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(piece.strip() for piece in line.split("|")) for line in text.strip().splitlines())


SAYINGS = dict(zip(QUESTIONS, map(_sayings, (_OPEN, _YES_NO, _NUMBER, _DIGITS, _DURATION)), strict=True))
"""Answers by kind of question, in the pieces between which a caller may pause."""
OTHER_SAYINGS = dict(zip(QUESTIONS, map(_sayings, OTHERS), strict=True))
"""The same, for the report: no setting was chosen by them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One answer as it comes out of the telephone."""

    pcm: bytes
    """8 kHz s16le, from the end of the question; silence of the line goes on after it."""
    end: float
    """When the last word ends, seconds."""
    pauses: tuple[float, ...]
    """Lengths of the pauses inside, seconds."""
    question: str
    """Kind of question, one of QUESTIONS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody who answers one question after the other."""

    voice: str
    """Who speaks."""
    slow: bool
    """Whether the pauses inside sentences are long."""
    noise: float
    """Level of the line's noise below the voice, dB."""
    answers: tuple[Utterance, ...]
    """In order."""


class Speakers:
    """The voices, each remembered by what it said."""

    def __init__(self, *, others: bool = False) -> None:
        """`others`: not the voices that settings were chosen by, as far as the machine has any; else known ones at
        another speed."""
        self._rates: dict[str, float] = {}
        self.voices: dict[str, Voice] = {
            **{f"flite {name}": FliteVoice(name) for name in ("slt", "rms", "awb", "kal16")},
            "espeak us slow": EspeakVoice("en-us", words_per_minute=130),
            "espeak gb quick": EspeakVoice("en-gb+f3", words_per_minute=185),
        }
        model = bundled_model()
        if model is not None:
            self.voices["piper joe"] = PiperVoice(model)
            self.voices["piper joe slow"] = PiperVoice(model, slowness=1.3)
        self._said: dict[tuple[str, str], Samples] = {}
        if others:
            self._make_others()

    def _make_others(self) -> None:
        known = self.voices
        self._rates = {"flite slt, 0.87": 0.87, "flite rms, 1.12": 1.12, "flite awb, 0.9": 0.9}
        if "piper joe" in known:
            self._rates["piper joe, 1.15"] = 1.15
        self.voices = {name: known[name.partition(",")[0]] for name in self._rates}
        for name, pace in (("en-us+f2", 150), ("en-gb-scotland", 150), ("en-us+m7", 170), ("en-gb-x-rp", 140)):
            self.voices[f"espeak {name}"] = EspeakVoice(name, words_per_minute=pace)

    def say(self, voice: str, text: str) -> Samples:
        """The words alone, without the silence around them."""
        if (voice, text) not in self._said:
            pcm = asyncio.run(self.voices[voice].speak(text, keep=False))
            self._said[voice, text] = bare(faster(to_samples(pcm), self._rates.get(voice, 1.0)))
        return self._said[voice, text]


def bare(samples: Samples) -> Samples:
    """Sound from its first to its last audible 10 ms: 30 dB below its loudest, a little more sensitive than an ear in a
    telephone."""
    block = RATE // 100
    powers = np.mean(samples[: samples.size // block * block].reshape(-1, block) ** 2, axis=1)
    loud = np.flatnonzero(powers > powers.max() / 1000)
    return samples[int(loud[0]) * block : (int(loud[-1]) + 1) * block]


def on_the_line(samples: Samples, noise_db: float, dice: Dice, voice_dbfs: float = -20.0) -> bytes:
    """Sound with the line's noise, through G.711 mu-law."""
    noise = np.random.default_rng(dice.getrandbits(32)).standard_normal(samples.size)
    noise = np.convolve(noise, [0.5, 0.3, 0.2], mode="same")  # a little more of the low: rooms and cables
    noise *= 10 ** ((voice_dbfs - noise_db) / 20) / float(np.sqrt(np.mean(noise**2)))
    return mulaw_decode(mulaw_encode(to_pcm(samples + noise)))


def callers(
    speakers: Speakers, *, each: int, seed: int, sayings: Mapping[str, Sequence[Sequence[str]]] = SAYINGS
) -> tuple[Caller, ...]:
    """So many quick and so many slow callers for each voice; the same for the same seed."""
    dice = random.Random(seed)
    return tuple(
        _caller(speakers, voice, slow, dice, sayings)
        for voice in speakers.voices
        for slow in (False, True)
        for _ in range(each)
    )


def _caller(
    speakers: Speakers, voice: str, slow: bool, dice: Dice, sayings: Mapping[str, Sequence[Sequence[str]]]
) -> Caller:
    own = dice.choice((0.7, 0.9, 1.1, 1.3)) if slow else 0.25
    noise = dice.choice((40.0, 25.0, 15.0))

    def pause() -> float:
        return own * dice.uniform(0.75, 1.25)

    kinds = ["open", "open", "yes_no", "yes_no", "number", "digits", "duration"]
    dice.shuffle(kinds)
    kinds.insert(0, "open")  # as the hotline does: what learns from the first answer is measured as it will be used
    answers = tuple(
        _utterance(lambda text: speakers.say(voice, text), kind, dice.choice(sayings[kind]), pause, noise, dice)
        for kind in kinds
    )
    return Caller(voice=voice, slow=slow, noise=noise, answers=answers)


def _utterance(
    say: Callable[[str], Samples],
    kind: str,
    pieces: Sequence[str],
    pause: Callable[[], float],
    noise: float,
    dice: Dice,
) -> Utterance:
    sound = [np.zeros(round(dice.uniform(0.4, 1.2) * RATE))]
    pauses = []
    for place, piece in enumerate(pieces):
        if place:
            pauses.append(pause())
            sound.append(np.zeros(round(pauses[-1] * RATE)))
        sound.append(say(piece))
    whole = np.concatenate(sound)
    line = np.concatenate([whole, np.zeros(4 * RATE)])
    return Utterance(
        pcm=on_the_line(line, noise, dice), end=whole.size / RATE, pauses=tuple(pauses), question=kind
    )
