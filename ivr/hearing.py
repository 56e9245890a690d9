"""The ears of one call: voice activity, end-pointing, recognition, and the safety net on every partial.

Audio comes in frames of 20 ms and time is counted in them, so a call from WAV files hears the same as a call by phone.
Frames wait in a bounded queue: a recogniser that cannot keep up loses the oldest audio and the loss is counted.
"""

# Size: what one utterance is and what is told of it are one state, shared by every step below.

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from asr_models.port import AsrUnavailable, Recogniser, RecogniserStream, Transcript
from dialogs.port import Command, Question, RedFlag, SafetyNet
from dialogs.port import Heard as Words
from ivr.audio.asides import (
    OUT_SECONDS,
    answers,
    asides,
    is_aside,
    is_faint,
    is_murmur,
    is_noise,
    is_plain_aside,
    takes_turn,
    worth_a_look,
)
from ivr.audio.denoise import Denoiser
from ivr.audio.endpointing import PRE_ROLL_SECONDS, Endpointer, Patience, SpeechEnded, SpeechStarted, patience_for
from ivr.audio.format import FRAME_BYTES, FRAME_SECONDS, frame_count
from ivr.audio.hints import Hint, hint
from ivr.audio.pace import STRANGER
from ivr.audio.vad import VoiceActivity
from ivr.audio.voicing import Voicing
from ivr.call import events as ev
from ivr.call.basics import DANGER

log = logging.getLogger(__name__)

CHUNK_FRAMES = 5
"""Frames fed to the recogniser at a time: 100 ms, one partial each."""
BELIEVED = 0.9
"""Confidence from which short words over our sentence are taken as heard, unless the grammar is sure."""
DOUBTED = 0.8
"""Confidence below which words may have been made of a hum."""
LEAST_CONFIDENCE = 0.45
"""Of a sign of listening that was heard with a grammar for them alone."""
SURE = 0.75
"""The same, where the words heard freely were believed."""
BACKLOG_FRAMES = 500
"""Ten seconds of audio may wait."""


class SecondLook(Protocol):
    """Listens again, freely, to an utterance that a grammar could not hear."""

    async def __call__(self, first: Transcript, pcm: bytes) -> Transcript:
        """The better transcript of the two, or both joined where either may hold a danger. Raises AsrUnavailable."""
        ...


class SecondPass(Protocol):
    """Another engine that listens to a whole utterance again, for dangers alone."""

    async def __call__(self, pcm: bytes) -> Transcript:
        """What it hears; an empty text where it fails. Never raises AsrUnavailable."""
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
    patience: Callable[[str], Patience] = patience_for
    """Patience for a kind of answer."""
    second_pass: SecondPass | None = None
    """Used on every utterance, behind the conversation; it can only raise an urgency."""


@dataclass(slots=True, kw_only=True)
class _Utterance:
    """One utterance while it lasts."""

    onset: float
    """When it began, seconds of audio."""
    left: float
    """Seconds of our sentences that were still to be said at its onset; 0 where we were silent."""
    pause: float | None
    """Silence since the utterance that it may go on with."""
    asked: Question | None
    """What it may answer."""
    partial: str = ""
    """Newest words."""
    taken: bool = False
    """Whether it was told to take the turn."""
    faint: bool = False
    """Whether it was too short, and its words too doubtful, to stop a sentence."""
    voicing: Voicing = field(default_factory=Voicing)
    """How much of it hums as a voice does; only measured over our sentences."""

    @property
    def expect(self) -> str:
        """Kind of answer."""
        return self.asked.expect.value if self.asked else "open"

    @property
    def phrases(self) -> tuple[str, ...]:
        """Words and phrases expected."""
        return self.asked.hints if self.asked else ()


_NONE = _Utterance(onset=0.0, left=0.0, pause=None, asked=None)


def _silent() -> float:
    return 0.0


def _unmeasured(silence: float, delay: float, lost: int) -> None:
    return None


class Hearing:
    """Audio of one caller in, events of the call out."""

    def __init__(
        self,
        ears: Ears,
        language: str,
        post: Callable[[ev.Event], None],
        left: Callable[[], float] = _silent,
        listened: Callable[[float, float, int], None] = _unmeasured,
    ) -> None:
        """`left` tells how many seconds of our own sentences the caller has yet to hear. `listened` is told of every
        utterance, before its words: silence at its end, delay of the words (seconds), frames lost so far."""
        self._ears = ears
        self._language = language
        self._post = post
        self._left = left
        self._listened = listened
        self._silence = self._decided = 0.0
        self._frames: deque[bytes] = deque(maxlen=BACKLOG_FRAMES)
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._vad = VoiceActivity()
        self._denoiser = Denoiser()
        self._ends = Endpointer(ears.patience("open"))
        self._ends.pace = STRANGER
        self._pre_roll: deque[bytes] = deque(maxlen=frame_count(PRE_ROLL_SECONDS))
        self._question: Question | None = None
        self._stream: RecogniserStream | None = None
        self._now = _NONE
        self._before: ev.Heard | None = None
        self._utterance = bytearray()
        self._chunk = bytearray()
        self._raised: set[str] = set()
        self._passes: set[asyncio.Task[None]] = set()
        self._length = 0.0
        self.lost_frames = 0
        self.lean = False
        """Whether luxuries are left out, because decoding falls behind: noise suppression, second look, second pass."""

    @property
    def behind(self) -> float:
        """Seconds of audio that have come and are not heard yet: how late an answer would be."""
        return len(self._frames) * FRAME_SECONDS

    def shed(self, keep_seconds: float) -> float:
        """Give up waiting audio that is older than this; the seconds given up."""
        lost = max(0, len(self._frames) - frame_count(keep_seconds))
        for _ in range(lost):
            self._frames.popleft()
        self.lost_frames += lost
        return lost * FRAME_SECONDS

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
        patience = self._ears.patience(question.expect.value if question else "open")
        self._ends.expect(patience, hurried=question == DANGER)

    async def settle(self) -> None:
        """Wait until all audio pushed so far has been heard."""
        await self._idle.wait()
        await asyncio.gather(*self._passes)

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
                    self._nothing()

    def close(self) -> None:
        """Give the recogniser up."""
        self._drop_stream()
        for task in self._passes:
            task.cancel()

    async def _frame(self, pcm: bytes) -> None:
        speech = self._vad.speech(pcm)
        endpoint = self._ends.feed(speech, waiting=False, eager=speech and self._left() > 0)
        pcm = pcm if self.lean else self._denoiser.clean(pcm)
        if isinstance(endpoint, SpeechStarted):
            self._now = _Utterance(
                onset=endpoint.onset, left=self._left(), pause=endpoint.pause, asked=self._question
            )
            self._post(ev.SpeechStarted())
            if self._now.left:
                self._hint()
            self._open()
            await self._feed(b"".join(self._pre_roll))
        self._pre_roll.append(pcm)
        if self._stream is not None:
            await self._feed(pcm)
        self._weigh()
        if isinstance(endpoint, SpeechEnded):
            self._length = endpoint.voice_end - self._now.onset
            self._silence = endpoint.at - endpoint.voice_end
            self._decided = time.monotonic() - FRAME_SECONDS * len(self._frames)  # what waits came after the decision
            await self._finish()

    def _open(self) -> None:
        self._drop_stream()
        expected = (*self._now.phrases, *self._ears.always) if self._now.phrases else ()
        if expected and self._now.left:
            expected += asides(self._language)
        self._stream = self._ears.recogniser.stream(expected)

    async def _feed(self, pcm: bytes) -> None:
        self._chunk += pcm
        self._utterance += pcm
        if self._now.left:
            for start in range(0, len(pcm), FRAME_BYTES):
                self._now.voicing.feed(pcm[start : start + FRAME_BYTES])
        if self._stream is None or len(self._chunk) < CHUNK_FRAMES * FRAME_BYTES:
            return
        chunk, self._chunk = bytes(self._chunk), bytearray()
        partial = await self._stream.feed(chunk)
        if partial is not None and partial.text:
            self._now.partial = partial.text
            self._hint()
            self._check(Words(text=partial.text, confidence=partial.confidence, final=False), self._now.asked)

    def _hint(self) -> None:
        """Tell the end-pointer what the words so far suggest."""
        said = self._now
        if self._aside(said.partial):
            self._ends.hint(Hint.ASIDE)
            return
        found = hint(said.partial, said.expect, said.phrases, self._language)
        brief = said.left > OUT_SECONDS and not said.taken and found is not Hint.COMPLETE
        self._ends.hint(Hint.BRIEF if brief else found)

    def _weigh(self) -> None:
        """Say once that a voice over our sentence takes the turn."""
        said = self._now
        if said.left and not said.taken and self._ends.speaking:
            said.taken = takes_turn(said.partial, said.voicing, self._ends.voice_seconds, self._language)
            if said.taken:
                self._post(ev.TurnTaken())
                self._hint()

    def _aside(self, text: str) -> bool:
        """Whether the utterance, heard as this, is a sign of listening and no answer, or no voice at all."""
        said = self._now
        if not said.left or said.taken:
            return False
        if said.faint:
            return True
        if is_noise(text, said.voicing, self._ends.voice_seconds or self._length):
            return True
        if not is_aside(text, self._language):
            return False
        plain = self._ears.affirms(text)
        return not answers(text, expect=said.expect, phrases=said.phrases, plain=plain, left=said.left)

    async def _finish(self) -> None:
        if self._stream is None:
            self._nothing()
            return
        if self._chunk:
            await self._stream.feed(bytes(self._chunk))
        final = await self._stream.finish()
        pcm = bytes(self._utterance)
        self._drop_stream()
        if self._now.phrases and self._ears.second_look is not None and not self.lean:
            self._check(Words(text=final.text, confidence=final.confidence), self._unless_aside(final.text))
            final = await self._ears.second_look(final, pcm)
        if self._now.left and not self._now.taken and not self.lean:
            final = await self._or_aside(final, pcm)
        self._listened(self._silence, time.monotonic() - self._decided, self.lost_frames)
        for other in final.alternatives:
            # As a partial: what counts only in a whole utterance, such as a bare yes, is not believed on a guess.
            self._raise(self._ears.net.check(Words(text=other, confidence=0.0, final=False), None, self._language))
        self._judge(Words(text=final.text.strip(), confidence=final.confidence))
        if self._ears.second_pass is not None and not self.lean:
            task = asyncio.create_task(self._pass_again(self._ears.second_pass, pcm, self._now.asked))
            self._passes.add(task)
            task.add_done_callback(self._passes.discard)

    async def _pass_again(self, second_pass: SecondPass, pcm: bytes, asked: Question | None) -> None:
        """Dangers that the other engine hears; nobody waits for it. Its failure must not end the ears of the call."""
        try:
            heard = await second_pass(pcm)
            words = Words(text=heard.text, confidence=heard.confidence)
            self._raise(self._ears.net.check(words, asked, self._language) if heard.text else None)
        except Exception:  # an aid, beside the safety net that has judged these words already
            log.exception("the second pass of a call failed")

    async def _or_aside(self, heard: Transcript, pcm: bytes) -> Transcript:
        """The sign of listening that something short over our sentence really was, else the transcript as it is. What
        is a danger, a command or an expected answer stays what it is."""
        words, said = Words(text=heard.text, confidence=heard.confidence), self._now
        if self._aside(heard.text):
            return heard
        if not worth_a_look(self._length, self._ears.affirms(heard.text)):
            return heard
        if heard.text in said.phrases or self._ears.net.command(words, self._language):
            return heard
        if self._ears.net.check(words, said.asked, self._language):
            return heard
        said.faint = heard.confidence < DOUBTED and is_murmur(
            heard.text, said.voicing, seconds=self._length, left=said.left, language=self._language
        )
        if said.faint:
            return heard
        stream = self._ears.recogniser.stream((*asides(self._language), *self._ears.always))
        try:
            await stream.feed(pcm)
            other = await stream.finish()
        finally:
            stream.close()
        believed = heard.confidence >= BELIEVED
        least = SURE if believed else LEAST_CONFIDENCE
        if is_plain_aside(other.text, self._language) and other.confidence >= least:
            return other
        said.faint = not believed and is_faint(
            heard.text, other.text, seconds=self._length, left=said.left, language=self._language
        )
        return heard

    def _judge(self, words: Words) -> None:
        """A final: danger first, then commands, then an answer. The utterance's end is always told."""
        if not words.text:
            self._nothing()
            return
        self._check(words, self._unless_aside(words.text))
        command = self._ears.net.command(words, self._language)
        if command in (Command.HUMAN, Command.REPEAT):
            self._before = None
            self._post(ev.CommandHeard(command=command))
        else:
            self._hear(words)

    def _hear(self, words: Words) -> None:
        aside, yes = self._aside(words.text), self._ears.affirms(words.text)
        part = not aside and (yes is None or self._now.expect != "yes_no")  # a plain yes or no to a question is whole
        continues = part and self._rest_of() is not None
        if continues and self._now.pause is not None:
            self._ends.cut_off(self._now.pause)
        heard = ev.Heard(words=words, yes=yes, aside=aside, continues=continues)
        self._before = heard if part else None
        self._post(heard)

    def _nothing(self) -> None:
        self._before = None
        self._post(ev.NothingHeard(seconds=self._length))

    def _rest_of(self) -> ev.Heard | None:
        """What this utterance goes on with, if it began soon enough."""
        return self._before if self._now.pause is not None else None

    def _unless_aside(self, text: str) -> Question | None:
        """The question that a final may answer; a sign of listening answers none that was not asked yet."""
        return None if self._aside(text) else self._now.asked

    def _check(self, words: Words, asked: Question | None) -> None:
        """Danger in the words, or in a sentence whose first half was taken for the whole."""
        flag: RedFlag | None = self._ears.net.check(words, asked, self._language)
        before = self._rest_of()
        if flag is None and before is not None:
            whole = Words(text=f"{before.words.text} {words.text}", confidence=words.confidence, final=words.final)
            flag = self._ears.net.check(whole, None, self._language)
        self._raise(flag)

    def _raise(self, flag: RedFlag | None) -> None:
        """Tell a danger, each once a call."""
        if flag is not None and flag.rule not in self._raised:
            self._raised.add(flag.rule)
            self._post(ev.RedFlagRaised(flag=flag))

    def _drop_stream(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream = None
        self._utterance.clear()
        self._chunk.clear()
