"""What the call engine asks of its own edges: a phone line and a voice.

Audio is 8 kHz mono s16le in frames of 20 ms (320 bytes). Legs are named by opaque ids given by the line.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

from masking.port import PhoneNumber


class LineError(Exception):
    """The line could not do it: leg gone, no free slot, bad address."""


class VoiceError(Exception):
    """This voice could not speak the text; the next one is tried."""


class Cause(StrEnum):
    """Why a leg ended or never came up."""

    NORMAL = "normal"
    BUSY = "busy"
    DECLINED = "declined"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegArrived:
    """Somebody calls us."""

    leg: str
    """The new leg; it rings until answered or refused."""
    caller: PhoneNumber | None
    """The number shown, hidden; None where withheld or not a number."""
    dialled: str
    """User part of the Request-URI, at most 64 safe characters."""
    suspect: bool = False
    """Whether the number shown seems to be somebody else's: a failed check of its signature, or two that differ."""
    source: str = ""
    """Where the call came from, for limits: the name of a trunk, or a network address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRinging:
    """The phone at the other end of an outgoing leg rings (SIP 180 or 183)."""

    leg: str
    """Outgoing leg."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegAnswered:
    """Media flows on this leg from now on."""

    leg: str
    """Incoming or outgoing leg."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegGone:
    """The leg is over; said exactly once for every leg."""

    leg: str
    """The leg, which must not be used again."""
    cause: Cause
    """Why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPressed:
    """A key, by RFC 4733 or SIP INFO."""

    leg: str
    """Leg it came from."""
    digit: str
    """One of 0-9, *, #, A-D."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaxAsked:
    """The far end wants to send a fax (T.38, RFC 3362) instead of sound; it was refused."""

    leg: str
    """The leg, which goes on as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioHeard:
    """20 ms from the far end; comes without pause from answer to end, silence included, but not while bridged."""

    leg: str
    """Leg it came from."""
    pcm: bytes
    """320 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayEnded:
    """The last sample of a `play` has left, or the play was stopped or replaced."""

    leg: str
    """Leg it was played to."""
    play: int
    """The id that `play` was given."""
    complete: bool
    """False where it was stopped or replaced before its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elapsed:
    """Time has passed on this leg; every leg gets it about ten times a second from arrival to end, in every state.
    The SIP line takes it from the wall clock, the WAV line from the audio."""

    leg: str
    """Leg whose time it is."""
    seconds: float
    """Since the last one."""


LineEvent: TypeAlias = (
    LegArrived | LegRinging | LegAnswered | LegGone | KeyPressed | FaxAsked | AudioHeard | PlayEnded | Elapsed
)
Sink: TypeAlias = Callable[[LineEvent], None]
"""Called on the event loop's thread; must return at once."""


class Line(Protocol):
    """Phone legs. Every method returns when the order was given; what came of it arrives as events at the sink."""

    async def answer(self, leg: str, sink: Sink) -> None:
        """Answer an arrived leg (200 OK); its further events go to `sink`. Raises LineError."""
        ...

    async def refuse(self, leg: str, code: int) -> None:
        """Refuse an arrived leg with a SIP status (486, 503 with Retry-After ...); never raises."""
        ...

    async def dial(self, address: str, shown: str, sink: Sink) -> str:
        """Call a SIP address as a new dialog whose From user is `shown`; the new leg's id. Nothing of any other leg
        is copied. Raises LineError."""
        ...

    async def hang_up(self, leg: str) -> None:
        """End a leg in any state; never raises, twice is fine."""
        ...

    async def bridge(self, one: str, other: str) -> None:
        """Join two answered legs natively and stop AudioHeard on both. What is being said stops; a later `play` is
        heard over the other side. Raises LineError."""
        ...


class Sound(Protocol):
    """What is heard on a leg."""

    def play(self, leg: str, play: int, pcm: bytes) -> None:
        """Play audio from now, replacing what is being played. A leg that is gone is ignored."""
        ...

    def stop(self, leg: str) -> None:
        """Be silent within one frame."""
        ...

    def hold(self, leg: str) -> None:
        """Be silent within one frame and keep the place; the play ends only after `go_on`. `stop` and `play` give the
        held play up. Where nothing is left to be said nothing happens."""
        ...

    def go_on(self, leg: str) -> None:
        """Go on with what is held, from a pause at most half a second before the place: nothing is lost. Where
        nothing is held nothing happens."""
        ...

    def left(self, leg: str) -> float:
        """Seconds of the play that have not left yet, held or not; 0 where nothing is played."""
        ...


class Voice(Protocol):
    """Text to speech."""

    @property
    def name(self) -> str:
        """Stable name with everything that changes the sound, for example "piper en_US-joe-medium 1"."""
        ...

    async def speak(self, text: str, *, keep: bool) -> bytes:
        """The text as 8 kHz mono s16le, about -20 dBFS. `keep` says that it may be remembered, in memory and on
        disk: false for anything with a caller's words or digits in it. Raises VoiceError."""
        ...
