"""How slowly one caller speaks, learnt in the call. Pure: a frozen value and what each pause makes of it.

People who are ill, old, afraid or not at home in the language pause inside sentences for a second and more, and do so
again and again: a caller's own pauses tell more about the next one than any average.
"""

from dataclasses import dataclass, replace

NOTABLE_SECONDS = 0.4
"""Shorter pauses are everybody's."""
CONTINUED_SECONDS = 0.8
"""Who speaks again so soon after we took the sentence for finished had not finished it."""
_MARGIN = 1.5  # the next pause may be longer than the longest so far
_FADE = 0.97  # an utterance: what was seen is believed for the rest of a usual call
_DOUBT_FADE = 0.25  # what was only feared is forgotten after one sentence without a pause
_TELLING_SECONDS = 1.0  # of voice: "no" and "today" show nothing
_MOST_SECONDS = 1.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What the call has shown of its caller so far."""

    pause: float = 0.0
    """Seconds of silence that this caller leaves, or may leave, inside sentences; 0 for nothing notable."""
    seen: bool = False
    """Whether such a pause was heard; else it is only feared."""

    @property
    def needed(self) -> float:
        """Seconds of silence after which this caller has most likely finished."""
        return min(_MOST_SECONDS, self.pause * _MARGIN)

    def paused(self, seconds: float) -> "Pace":
        """A pause inside a sentence, whether it was waited for or taken for the end."""
        if seconds < NOTABLE_SECONDS:
            return self
        return Pace(pause=max(self.pause, seconds) if self.seen else seconds, seen=True)

    def finished(self, seconds: float) -> "Pace":
        """An utterance of so many seconds is over: what was learnt fades a little, unless it was too short to tell."""
        if seconds < _TELLING_SECONDS:
            return self
        faded = self.pause * (_FADE if self.seen else _DOUBT_FADE)
        return replace(self, pause=faded) if faded >= NOTABLE_SECONDS / 2 else Pace()


STRANGER = Pace(pause=0.87)
"""Nobody knows at the first answers whether a caller is a slow one; later everybody shows it."""
