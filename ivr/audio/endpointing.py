"""Where an utterance starts and ends, counted in frames. Pure: speech decisions in, events out.

The trailing silence is the largest part of the response gap, so it is as short as the question allows: quick after a
"yes", patient while somebody reads digits from a card. A caller who pauses inside a sentence is given more time for
the rest of it.
"""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from ivr.audio.asides import ASIDE_SECONDS
from ivr.audio.format import FRAME_SECONDS, frame_count
from ivr.audio.hints import Hint
from ivr.audio.pace import CONTINUED_SECONDS, Pace

PRE_ROLL_SECONDS = 0.3
"""Audio to keep from before `SpeechStarted` was said: it covers the window of the decision and a soft first sound."""

_START_WINDOW = 10  # frames: 200 ms
_START_VOICED = 6  # frames: 120 ms of voice; a click, a cough's onset or one key is shorter
_EAGER_VOICED = 4  # frames: 80 ms
_RESUME_WINDOW = 5
_RESUME_VOICED = 3  # a blip of 40 ms inside the silence is not a voice
_FACTORS = MappingProxyType({Hint.COMPLETE: 0.65, Hint.READING: 1.4, Hint.UNFINISHED: 2.1})
_WORDLESS_SECONDS = 1.0  # at most, for a stranger's sound in which no word was heard: it may be a cough
_SEEN_SHARES = MappingProxyType({Hint.COMPLETE: 0.75, Hint.UNFINISHED: 1.2})
"""Of a slow speaker's pace: a "yes" is whole as well, but more may follow; the longest pauses look for a word."""
_FEARED_SHARES = MappingProxyType({Hint.COMPLETE: 0.0, Hint.LIKELY: 0.5, Hint.READING: 1.0, Hint.UNFINISHED: 0.9})
"""Of what is only feared of a stranger. A last word after which more should come is misheard as often as not."""
_BRIEF_SECONDS = 0.8  # a held sentence is given up after two seconds, whatever it was held for
_LEAST_SECONDS = 0.3
_MOST_SECONDS = 2.0
_SLOW_SHARE = 0.75  # a pause of this share of the patience shows a slow speaker
_SLOW_FACTOR = 1.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for what."""

    start_seconds: float
    """For the first sound, from when the question is over."""
    end_seconds: float
    """Of silence after the last sound, until the utterance is over."""
    max_seconds: float
    """For a whole utterance."""


PATIENCE: Mapping[str, Patience] = MappingProxyType(
    {
        "open": Patience(start_seconds=7.0, end_seconds=0.5, max_seconds=30.0),
        "yes_no": Patience(start_seconds=5.0, end_seconds=0.45, max_seconds=10.0),
        "number": Patience(start_seconds=6.0, end_seconds=0.7, max_seconds=15.0),
        "duration": Patience(start_seconds=6.0, end_seconds=0.7, max_seconds=15.0),
        "severity": Patience(start_seconds=6.0, end_seconds=0.6, max_seconds=10.0),
        "choice": Patience(start_seconds=6.0, end_seconds=0.6, max_seconds=10.0),
        "keys": Patience(start_seconds=8.0, end_seconds=0.9, max_seconds=15.0),
    }
)
"""By value of `dialogs.port.Expect`. Chosen from docs/turns.json: below half a second quick callers are cut off too,
above it only the delay grows, for slow callers are kept by what is learnt of them and not by these."""


def patience_for(expect: str) -> Patience:
    """Patience for a kind of answer; an unknown kind is taken as open."""
    return PATIENCE.get(expect, PATIENCE["open"])


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechStarted:
    """The caller speaks; said when it is sure, about 120 ms after the first sound."""

    onset: float
    """When the first sound came, seconds of audio fed so far."""
    at: float
    """When it was decided."""
    pause: float | None = None
    """Seconds of silence since the last utterance, where that was taken for finished only just before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechEnded:
    """The caller has finished."""

    voice_end: float
    """When the last sound ended, seconds of audio fed so far."""
    at: float
    """When it was decided."""
    cut: bool
    """True where the longest time was reached with the caller still speaking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingHeard:
    """Nobody began to speak within the patience; said once."""

    at: float
    """When it was decided."""


Endpoint: TypeAlias = SpeechStarted | SpeechEnded | NothingHeard


class Endpointer:
    """Feeds on one call's speech decisions, one a frame. After `SpeechEnded` it waits for the next utterance.

    It learns the caller's pace: from pauses that were waited for by itself, from those that were taken for the end
    by `cut_off`, since only the words tell whether the next utterance went on with the sentence."""

    def __init__(self, patience: Patience) -> None:
        self.pace = Pace()
        """What the call has shown of its caller."""
        self._voice_end = self._ended_at = -math.inf
        self._worded = False
        self._fed = 0
        self._speaking = False
        self._recent: deque[bool] = deque(maxlen=_START_WINDOW)
        self.expect(patience)

    @property
    def speaking(self) -> bool:
        """Between `SpeechStarted` and `SpeechEnded`."""
        return self._speaking

    @property
    def silence_seconds(self) -> float:
        """Length of the silence up to now, within an utterance."""
        return self._silence * FRAME_SECONDS if self._speaking else 0.0

    @property
    def voice_seconds(self) -> float:
        """Length of the utterance so far, without the silence at its end; 0 outside."""
        return (self._length - self._silence) * FRAME_SECONDS if self._speaking else 0.0

    def cut_off(self, pause: float) -> None:
        """The caller went on with a sentence after so many seconds of silence that had been taken for its end."""
        self.pace = self.pace.paused(pause)

    def expect(self, patience: Patience, *, hurried: bool = False) -> None:
        """Another question was asked: its patience counts from now. An utterance that runs goes on. `hurried`: what was
        learnt of the caller's pace does not count, because something must be said at the first short pause."""
        self._hurried = hurried
        self._patience = patience
        self._hint = Hint.NONE
        self._slow = False
        self._waited = 0
        self._told = False
        if not self._speaking:
            self._silence = self._length = 0

    def hint(self, hint: Hint) -> None:
        """What the newest partial transcript suggests. Before the first one it may be no speech at all, and
        the caller's pace counts for less."""
        self._worded = True
        self._hint = hint

    def feed(self, speech: bool, *, waiting: bool = True, eager: bool = False) -> Endpoint | None:
        """Take the decision on the next 20 ms. `waiting` says that the caller is expected to speak: false while our
        own prompt still plays, so that the time for an answer begins at its end. `eager`: a shorter sound will do,
        since a mistake costs little."""
        self._fed += 1
        self._recent.append(speech)
        return self._inside(speech) if self._speaking else self._outside(waiting, eager)

    @property
    def _now(self) -> float:
        return round(self._fed * FRAME_SECONDS, 3)

    def _outside(self, waiting: bool, eager: bool) -> Endpoint | None:
        if self._recent[-1] and sum(self._recent) >= (_EAGER_VOICED if eager else _START_VOICED):
            self._speaking, self._worded = True, False
            first = len(self._recent) - list(self._recent).index(True)
            self._silence, self._length, self._waited, self._slow = 0, first, 0, False
            onset = round((self._fed - first) * FRAME_SECONDS, 3)
            soon = onset - self._ended_at < CONTINUED_SECONDS
            return SpeechStarted(onset=onset, at=self._now, pause=round(onset - self._voice_end, 3) if soon else None)
        self._waited += waiting
        beginning = sum(self._recent) >= _RESUME_VOICED
        if self._told or beginning or self._waited < frame_count(self._patience.start_seconds):
            return None
        self._told = True
        return NothingHeard(at=self._now)

    def _inside(self, speech: bool) -> SpeechEnded | None:
        self._length += 1
        self._silence += 1
        recent = list(self._recent)[-_RESUME_WINDOW:]
        if speech and sum(recent) >= _RESUME_VOICED:
            self._resume()
        if self._length >= frame_count(self._patience.max_seconds):
            return self._end(cut=self._silence < frame_count(_LEAST_SECONDS))
        return self._end(cut=False) if self._silence >= frame_count(self._end_seconds()) else None

    def _resume(self) -> None:
        paused = (self._silence - _RESUME_VOICED) * FRAME_SECONDS
        self.pace = self.pace.paused(paused)
        self._slow = self._slow or paused >= _SLOW_SHARE * self._patience.end_seconds
        self._silence = 0

    def _end_seconds(self) -> float:
        """The silence that ends the utterance, as things stand."""
        if self._hint is Hint.ASIDE:
            return ASIDE_SECONDS
        factor = _FACTORS.get(self._hint, 1.0)
        if self._slow:
            factor = max(factor, _SLOW_FACTOR)
        if self._hurried:
            factor = min(factor, 1.0)
        shares = _SEEN_SHARES if self.pace.seen else _FEARED_SHARES
        learnt = 0.0 if self._hurried else self.pace.needed * shares.get(self._hint, 1.0)
        if not self._worded and not self.pace.seen:
            learnt = min(learnt, _WORDLESS_SECONDS)
        most = _BRIEF_SECONDS if self._hint is Hint.BRIEF else _MOST_SECONDS
        return min(most, max(_LEAST_SECONDS, learnt, self._patience.end_seconds * factor))

    def _end(self, *, cut: bool) -> SpeechEnded:
        ended = SpeechEnded(voice_end=round((self._fed - self._silence) * FRAME_SECONDS, 3), at=self._now, cut=cut)
        self._voice_end, self._ended_at = ended.voice_end, ended.at
        self.pace = self.pace.finished(self.voice_seconds)
        self._speaking = False
        self._recent.clear()
        self._silence = self._length = self._waited = 0
        self._hint, self._slow, self._told = Hint.NONE, False, False
        return ended
