"""Runs synthetic callers through the hotline's own ears, and through a plain end-pointer beside them."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from asr_models.port import Recogniser, RecogniserStream, Transcript
from asr_models.second_look import SecondLook
from dialogs.hints import hints
from dialogs.port import Expect, Question, SafetyNet
from dialogs.words import Words
from ivr.audio.endpointing import Patience, patience_for
from ivr.audio.format import FRAME_SECONDS, frames
from ivr.audio.vad import VoiceActivity
from ivr.call import events as ev
from ivr.hearing import Ears, Hearing
from scripts.bench.turns_speech import Caller, Utterance

_EXPECT = {"open": "open", "yes_no": "yes_no", "number": "number", "digits": "number", "duration": "duration"}
_BETWEEN_SECONDS = 0.9  # after the decision: longer than anything counts as the rest of the sentence
_ENDS = (ev.Heard, ev.NothingHeard, ev.CommandHeard)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What became of one answer."""

    kind: str
    """Kind of question, or "slow" for an answer with pauses of a slow caller, "unbroken" for one without."""
    first: bool
    """Whether it was the first of the call."""
    cut: bool
    """Whether its end was decided before its last word."""
    delay: float | None
    """Seconds from the end of the last word to the decision; None where none came."""


class Remembering:
    """A recogniser that decodes the same audio once: a sweep hears every caller many times."""

    def __init__(self, inner: Recogniser) -> None:
        self._inner = inner
        self._known: dict[tuple[tuple[str, ...], tuple[int, ...], bool], Transcript | None] = {}

    @property
    def name(self) -> str:
        """As inside."""
        return self._inner.name

    def stream(self, hints: tuple[str, ...] = ()) -> "RememberingStream":
        """As inside."""
        return RememberingStream(lambda: self._inner.stream(hints), hints, self._known)


class RememberingStream:
    """Asks the real stream only for what was never heard before."""

    def __init__(
        self,
        open_: Callable[[], RecogniserStream],
        hints: tuple[str, ...],
        known: dict[tuple[tuple[str, ...], tuple[int, ...], bool], Transcript | None],
    ) -> None:
        self._open = open_
        self._hints = hints
        self._known = known
        self._fed: list[bytes] = []
        self._path: tuple[int, ...] = ()
        self._real: RecogniserStream | None = None
        self._real_fed = 0

    async def feed(self, pcm: bytes) -> Transcript | None:
        """As inside."""
        self._fed.append(pcm)
        self._path += (hash(pcm),)
        key = (self._hints, self._path, False)
        if key not in self._known:
            self._known[key] = await self._catch_up()
        return self._known[key]

    async def finish(self) -> Transcript:
        """As inside."""
        key = (self._hints, self._path, True)
        if key not in self._known:
            await self._catch_up()
            assert self._real is not None
            self._known[key] = await self._real.finish()
        found = self._known[key]
        assert found is not None
        return found

    def close(self) -> None:
        """As inside."""
        if self._real is not None:
            self._real.close()

    async def _catch_up(self) -> Transcript | None:
        if self._real is None:
            self._real = self._open()
        newest = None
        for pcm in self._fed[self._real_fed :]:
            newest = await self._real.feed(pcm)
        self._real_fed = len(self._fed)
        return newest


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What callers are heard with."""

    recogniser: Recogniser
    """Remembering."""
    net: SafetyNet
    """The real rules."""
    affirms: Callable[[str], bool | None]
    """Plain yes or no."""
    always: tuple[str, ...]
    """In every grammar."""
    words: Words
    """Of the language: for grammars."""

    def ears(self, factor: float = 1.0, *, second_look: bool = False) -> Ears:
        """Ears whose patience is so many times the usual one. A second look changes the words of a final, not when it
        comes."""
        return Ears(
            recogniser=self.recogniser,
            second_look=SecondLook(self.recogniser, on_failure=print) if second_look else None,
            net=self.net,
            affirms=self.affirms,
            always=self.always,
            patience=partial(_scaled, factor),
        )

    def question(self, kind: str) -> Question:
        """As the dialogue would ask it."""
        expect = Expect(_EXPECT[kind])
        return Question(id=kind, expect=expect, hints=() if kind == "digits" else hints(expect, self.words))


def _scaled(factor: float, expect: str) -> Patience:
    usual = patience_for(expect)
    return replace(usual, end_seconds=usual.end_seconds * factor)


def measure(bench: Bench, everybody: Sequence[Caller], factor: float) -> list[Decided]:
    """What the hotline decides about every answer."""
    return [one for caller in everybody for one in asyncio.run(_call(bench, caller, factor))]


async def _call(bench: Bench, caller: Caller, factor: float) -> list[Decided]:
    told: list[ev.Event] = []
    hearing = Hearing(bench.ears(factor), "en", told.append)
    task = asyncio.create_task(hearing.run())
    found = []
    for answer in caller.answers:
        hearing.listen(bench.question(answer.question))
        told.clear()
        found.append(judged(caller, answer, [at async for at in _ends(hearing, told, answer)]))
    task.cancel()
    hearing.close()
    await asyncio.gather(task, return_exceptions=True)
    return found


async def _ends(hearing: Hearing, told: list[ev.Event], answer: Utterance):  # type: ignore[no-untyped-def]
    """Times at which an utterance was taken for finished."""
    over: float | None = None
    for number, frame in enumerate(frames(answer.pcm), start=1):
        hearing.push(frame)
        await hearing.settle()
        at = number * FRAME_SECONDS
        if any(isinstance(one, _ENDS) for one in told):
            told.clear()
            over = at
            yield at
        if over is not None and over >= answer.end and at >= over + _BETWEEN_SECONDS:
            return


def judged(caller: Caller, answer: Utterance, ends: Sequence[float]) -> Decided:
    """One answer, from the times of its decisions."""
    slow = "slow" if answer.pauses else "unbroken"
    kind = slow if caller.slow else answer.question
    late = [at for at in ends if at >= answer.end]
    return Decided(
        kind=kind,
        first=answer is caller.answers[0],
        cut=any(at < answer.end for at in ends),
        delay=round(late[0] - answer.end, 3) if late else None,
    )


def voices(everybody: Sequence[Caller]) -> list[tuple[Caller, Utterance, list[bool]]]:
    """Speech decisions of every answer, for the plain end-pointer; one detector a caller, as in a call."""
    found = []
    for caller in everybody:
        detector = VoiceActivity()
        for answer in caller.answers:
            found.append((caller, answer, [detector.speech(frame) for frame in frames(answer.pcm)]))
    return found


def measure_plain(heard: Sequence[tuple[Caller, Utterance, list[bool]]], seconds: float) -> list[Decided]:
    """What an end-pointer decides that waits for a fixed silence, whatever is asked and whoever speaks."""
    return [judged(caller, answer, list(_plain(speech, seconds))) for caller, answer, speech in heard]


def _plain(speech: Sequence[bool], seconds: float) -> Iterator[float]:
    """The same beginnings of speech as in ivr.audio.endpointing; then silence alone decides."""
    speaking, silent = False, 0
    for number, voiced in enumerate(speech, start=1):
        if not speaking:
            speaking, silent = voiced and sum(speech[max(0, number - 10) : number]) >= 6, 0
            continue
        silent = 0 if voiced and sum(speech[max(0, number - 5) : number]) >= 3 else silent + 1
        if silent >= round(seconds / FRAME_SECONDS):
            speaking = False
            yield number * FRAME_SECONDS
