"""The watchdog against dead air: what one caller really hears, and what excuses that it is nothing.

It stands outside the dialogue and believes nothing that the call machine believes: a prompt that is playing counts only
while its samples carry sound, and a question counts as asked only if it could be heard. Time is the call's own.

Two measures run. The silence since the last sound of any kind: at two seconds the caller hears a filler. The stall,
which is all unexcused time since the hotline last said something of its own: at six seconds the keys take over, at
twelve a human. Fillers end a silence but no stall, so a part that hangs is climbed over however often it is filled.
What excuses a silence stops both.
"""

from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from ivr.audio.convert import to_samples
from ivr.audio.format import FRAME_BYTES, FRAME_SAMPLES, FRAME_SECONDS
from ivr.call.events import Lull

AUDIBLE_DBFS = -45.0
"""A frame below this is no sound: comfort noise lies at -60, our softest tone at -32, speech at -20."""
HEARD_SECONDS = 0.1
"""Sound of its own that ends a stall, or makes a question asked: a click is not enough."""
LATEST_EARS = 1.0
"""Ears that are further behind know nothing about whether the caller is speaking now, in seconds."""
LONGEST_SPEECH = 35.0
"""A caller who seems to speak for longer is noise, or the end was lost; the end-pointer's own bound is 30 s."""
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """After how many seconds what is done."""

    filler: float = 2.0
    """Of silence: a filler is heard."""
    keys: float = 6.0
    """Of stall: the keypad menu leads."""
    human: float = 12.0
    """Of stall, and every so often again: a human is sought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Playing:
    """What is being played."""

    play: int
    """Its id."""
    loud: tuple[bool, ...]
    """Whether each 20 ms can be heard."""
    ours: bool
    """Whether it is what the hotline has to say, and no filler."""
    at: float = 0.0
    """Seconds played."""
    held: bool = False
    """Whether it pauses."""

    @property
    def length(self) -> float:
        """Seconds of it."""
        return len(self.loud) * FRAME_SECONDS

    @property
    def over(self) -> bool:
        """Whether all of it must have been heard by now."""
        return self.at >= self.length - 1e-9


def audible(pcm: bytes) -> tuple[bool, ...]:
    """Which frames of 8 kHz s16le can be heard. Counts energy as it is sent: a voice that hangs, or renders silence
    or hiss, is found out whatever it claims."""
    samples = to_samples(pcm + bytes(-len(pcm) % FRAME_BYTES)).reshape(-1, FRAME_SAMPLES)
    powers = np.mean(samples**2, axis=1)
    return tuple((powers > 10 ** (AUDIBLE_DBFS / 10)).tolist())


class DeadAir:
    """The watchdog of one call; pure. It begins with `begin`, when media flows."""

    def __init__(self, ladder: Ladder | None = None) -> None:
        self._ladder = ladder or Ladder()
        self._playing: Playing | None = None
        self._begun = self._joined = False
        self._asked = False
        self._own = 0.0
        self._speech: float | None = None
        self._done: set[Lull] = set()
        self._fillers: set[int] = set()
        self._ended: Playing | None = None
        self.silence = 0.0
        """Unexcused seconds since the last sound of any kind."""
        self.stall = 0.0
        """Unexcused seconds since the hotline said something of its own."""
        self.longest = 0.0
        """The longest unexcused silence of the call so far, in seconds."""
        self.told: deque[Lull] = deque(maxlen=100)
        """What was called for so far."""

    @property
    def playing(self) -> int | None:
        """Id of the play that is in progress as far as is known, a held one included."""
        return self._playing.play if self._playing and not self._playing.over else None

    @property
    def held(self) -> bool:
        """Whether something is kept in the middle of a sentence."""
        return self._playing is not None and self._playing.held

    def begin(self) -> None:
        """Media flows."""
        self._begun = True

    def fills(self, play: int) -> None:
        """The play with this id, to come, says nothing but that the caller must wait."""
        self._fillers.add(play)

    def play(self, play: int, pcm: bytes, *, ours: bool = True) -> None:
        """This is played from now. A filler of the watchdog's own is not `ours`, whatever its id."""
        ours = ours and play not in self._fillers
        self._playing, self._ended = Playing(play=play, loud=audible(pcm), ours=ours), None
        if ours:
            self._asked, self._own = False, 0.0

    def stop(self) -> None:
        """Nothing is played any more."""
        self._playing = None

    def ended(self, play: int) -> None:
        """The line says that this play is over."""
        now = self._playing
        if now and now.play == play:
            self._playing, self._ended = None, now  # its last frames left since time was told last

    def hold(self, held: bool) -> None:
        """What is played pauses, or goes on."""
        if self._playing:
            self._playing = replace(self._playing, held=held)

    def voice(self, speaking: bool) -> None:
        """The caller began to speak, or what was said has been understood or given up: the patience of the end-pointer
        lies before that moment."""
        self._speech = 0.0 if speaking else None

    def join(self, joined: bool) -> None:
        """Caller and agent hear each other, and we hear and say nothing; or no longer."""
        self._joined = joined

    def pass_time(
        self,
        seconds: float,
        *,
        left: float | None = None,
        answering: bool = False,
        typing: bool = False,
        ears_behind: float = 0.0,
    ) -> tuple[Lull, ...]:
        """Time passes; what has become due, in order. `left`: seconds of the play that the line has yet to send, where
        it can tell. `answering`: a bounded time for an answer is running. `typing`: the caller is in the middle of a
        number. `ears_behind`: by how much the ears are late, in seconds."""
        if not self._begun:
            return ()
        quiet = self._hear(seconds, left)
        speaking = self._speaking(seconds, ears_behind)
        if self._joined or speaking or typing or (answering and self._asked):
            self.silence = 0.0
            return ()
        self.silence = self.silence + seconds if quiet is None else quiet
        self.stall += seconds
        self.longest = max(self.longest, self.silence)
        return self._due()

    def _hear(self, seconds: float, left: float | None) -> float | None:
        """Play on; how long it has been silent since the last sound in these seconds, None where there was none."""
        now = self._playing or self._ended
        self._ended = None
        if now is None or now.held:
            return None
        at = now.length
        if self._playing:
            at = min(at, now.at + seconds if left is None else max(now.at, now.length - left))
            self._playing = replace(now, at=at)
        heard = now.loud[_frame(now.at) : _frame(at)]
        if not any(heard):
            return None
        if now.ours:
            self._said(sum(heard) * FRAME_SECONDS)
        last = (len(heard) - heard[::-1].index(True)) * FRAME_SECONDS
        return max(0.0, (seconds if at >= now.length else at - now.at) - last)

    def _said(self, seconds: float) -> None:
        """So much of what the hotline has to say was heard."""
        self._own += seconds
        if self._own >= HEARD_SECONDS - 1e-9:
            self._asked, self.stall = True, 0.0
            self._done.clear()

    def _speaking(self, seconds: float, ears_behind: float) -> bool:
        if self._speech is None:
            return False
        self._speech += seconds
        return self._speech <= LONGEST_SPEECH and ears_behind <= LATEST_EARS

    def _due(self) -> tuple[Lull, ...]:
        due: list[Lull] = []
        if self.stall >= self._ladder.human - _ROUNDING:
            # Counted anew: where the human's steps hang as well, they are called for again, but not in a loop.
            self.stall, self._done = 0.0, {Lull.KEYS}
            due.append(Lull.HUMAN)
        elif self.stall >= self._ladder.keys - _ROUNDING and Lull.KEYS not in self._done:
            self._done.add(Lull.KEYS)
            due.append(Lull.KEYS)
        if self.silence >= self._ladder.filler - _ROUNDING:
            due.insert(0, Lull.FILLER)
        self.told.extend(due)
        return tuple(due)


def _frame(seconds: float) -> int:
    return round(seconds / FRAME_SECONDS)
