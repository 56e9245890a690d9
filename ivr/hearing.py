"""The ears of one call: voice activity, end-pointing, recognition, and the safety net on every partial.

Audio comes in frames of 20 ms and time is counted in them, so a call from WAV files hears the same as a call by phone.
Frames wait in a bounded queue: a recogniser that cannot keep up loses the oldest audio and the loss is counted.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from asr_models.port import AsrUnavailable, Recogniser, RecogniserStream, Transcript
from dialogs.port import Command, Question, RedFlag, SafetyNet
from dialogs.port import Heard as Words
from ivr.audio.denoise import Denoiser
from ivr.audio.endpointing import PRE_ROLL_SECONDS, Endpointer, SpeechEnded, SpeechStarted, patience_for
from ivr.audio.format import FRAME_BYTES, frame_count
from ivr.audio.hints import hint
from ivr.audio.vad import VoiceActivity
from ivr.call import events as ev

log = logging.getLogger(__name__)

CHUNK_FRAMES = 5
"""Frames fed to the recogniser at a time: 100 ms, one partial each."""
BACKLOG_FRAMES = 500
"""Ten seconds of audio may wait."""


class SecondLook(Protocol):
    """Listens again, freely, to an utterance that a grammar could not hear."""

    async def __call__(self, first: Transcript, pcm: bytes) -> Transcript:
        """The better transcript of the two, or both joined where either may hold a danger. Raises AsrUnavailable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ears:
    """What a call hears with; shared by all calls of a process."""

    recogniser: Recogniser
    """Speech recogniser."""
    second_look: SecondLook | None
    """Used on finals of a closed grammar."""
    net: SafetyNet
    """Red flags and universal commands."""
    affirms: Callable[[str], bool | None]
    """Plain yes, plain no, or neither."""
    always: tuple[str, ...] = ()
    """Phrases that every grammar must contain: red flags and universal commands."""


class Hearing:
    """Audio of one caller in, events of the call out."""

    def __init__(self, ears: Ears, language: str, post: Callable[[ev.Event], None]) -> None:
        self._ears = ears
        self._language = language
        self._post = post
        self._frames: deque[bytes] = deque(maxlen=BACKLOG_FRAMES)
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._vad = VoiceActivity()
        self._denoiser = Denoiser()
        self._ends = Endpointer(patience_for("open"))
        self._pre_roll: deque[bytes] = deque(maxlen=frame_count(PRE_ROLL_SECONDS))
        self._question: Question | None = None
        self._stream: RecogniserStream | None = None
        self._asked: Question | None = None
        self._utterance = bytearray()
        self._chunk = bytearray()
        self._raised: set[str] = set()
        self._onset = self._length = 0.0
        self.lost_frames = 0

    def push(self, pcm: bytes) -> None:
        """One frame from the caller; returns at once."""
        if len(self._frames) == BACKLOG_FRAMES:
            self.lost_frames += 1
        self._frames.append(pcm)
        self._idle.clear()
        self._wake.set()

    def listen(self, question: Question | None) -> None:
        """From the next utterance on, expect an answer to this question."""
        self._question = question
        self._ends.expect(patience_for(question.expect.value if question else "open"))

    async def settle(self) -> None:
        """Wait until all audio pushed so far has been heard."""
        await self._idle.wait()

    async def run(self) -> None:
        """Hear until cancelled. A recogniser that fails is reported once per failure; the call goes on with keys."""
        while True:
            if not self._frames:
                self._idle.set()
                self._wake.clear()
                await self._wake.wait()
                continue
            try:
                await self._frame(self._frames.popleft())
            except Exception as error:
                if isinstance(error, AsrUnavailable):
                    log.warning("recogniser unavailable in a call")
                else:
                    log.exception("the ears of a call failed")
                self._drop_stream()
                self._post(ev.Trouble(what="recogniser"))
                if not self._ends.speaking:  # it failed at the last of the utterance, whose end is told all the same
                    self._post(ev.NothingHeard(seconds=self._length))

    def close(self) -> None:
        """Give the recogniser up."""
        self._drop_stream()

    async def _frame(self, pcm: bytes) -> None:
        endpoint = self._ends.feed(self._vad.speech(pcm), waiting=False)
        pcm = self._denoiser.clean(pcm)
        if isinstance(endpoint, SpeechStarted):
            self._onset = endpoint.onset
            self._post(ev.SpeechStarted())
            self._open()
            await self._feed(b"".join(self._pre_roll))
        self._pre_roll.append(pcm)
        if self._stream is not None:
            await self._feed(pcm)
        if isinstance(endpoint, SpeechEnded):
            self._length = endpoint.voice_end - self._onset
            await self._finish()

    def _open(self) -> None:
        self._drop_stream()
        self._asked = self._question
        hints = self._asked.hints if self._asked else ()
        self._stream = self._ears.recogniser.stream((*hints, *self._ears.always) if hints else ())

    async def _feed(self, pcm: bytes) -> None:
        self._chunk += pcm
        self._utterance += pcm
        if self._stream is None or len(self._chunk) < CHUNK_FRAMES * FRAME_BYTES:
            return
        chunk, self._chunk = bytes(self._chunk), bytearray()
        partial = await self._stream.feed(chunk)
        if partial is not None and partial.text:
            expect, hints = (self._asked.expect.value, self._asked.hints) if self._asked else ("open", ())
            self._ends.hint(hint(partial.text, expect, hints, self._language))
            self._check(Words(text=partial.text, confidence=partial.confidence, final=False))

    async def _finish(self) -> None:
        if self._stream is None:
            self._post(ev.NothingHeard(seconds=self._length))
            return
        if self._chunk:
            await self._stream.feed(bytes(self._chunk))
        final = await self._stream.finish()
        pcm, grammar = bytes(self._utterance), bool(self._asked and self._asked.hints)
        self._drop_stream()
        if grammar and self._ears.second_look is not None:
            self._check(Words(text=final.text, confidence=final.confidence))
            final = await self._ears.second_look(final, pcm)
        self._judge(Words(text=final.text.strip(), confidence=final.confidence))

    def _judge(self, words: Words) -> None:
        """A final: danger first, then commands, then an answer. The utterance's end is always told."""
        if not words.text:
            self._post(ev.NothingHeard(seconds=self._length))
            return
        self._check(words)
        command = self._ears.net.command(words, self._language)
        if command in (Command.HUMAN, Command.REPEAT):
            self._post(ev.CommandHeard(command=command))
        else:
            self._post(ev.Heard(words=words, yes=self._ears.affirms(words.text)))

    def _check(self, words: Words) -> None:
        flag: RedFlag | None = self._ears.net.check(words, self._asked, self._language)
        if flag is not None and flag.rule not in self._raised:
            self._raised.add(flag.rule)
            self._post(ev.RedFlagRaised(flag=flag))

    def _drop_stream(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream = None
        self._utterance.clear()
        self._chunk.clear()
