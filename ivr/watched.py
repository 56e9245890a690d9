"""The watchdog's hands: it is told what is done to the caller's leg, and it ends a silence by itself."""

from typing import TypeGuard

from ivr.audio.format import FRAME_SECONDS, silence
from ivr.audio.tones import waiting_beeps
from ivr.call.commands import Command, Say
from ivr.dead_air import HEARD_SECONDS, DeadAir, audible
from ivr.ports import Line, Sink, Sound

FILLER_PLAY = -1
"""Id of a filler that takes the place of no Say: the machine is not told when it ends."""
PAUSE_SECONDS = 0.8
"""Between the words of a filler and the beeps after it."""


class Watched:
    """The line and its sound, as before, with the watchdog told what is done to the caller's leg."""

    def __init__(self, line: Line, sound: Sound, leg: str, watch: DeadAir) -> None:
        self._line, self._sound, self._leg, self._watch = line, sound, leg, watch

    async def answer(self, leg: str, sink: Sink) -> None:
        """As inside."""
        await self._line.answer(leg, sink)

    async def refuse(self, leg: str, code: int) -> None:
        """As inside."""
        await self._line.refuse(leg, code)

    async def dial(self, address: str, shown: str, sink: Sink) -> str:
        """As inside."""
        return await self._line.dial(address, shown, sink)

    async def hang_up(self, leg: str) -> None:
        """As inside."""
        await self._line.hang_up(leg)

    async def bridge(self, one: str, other: str) -> None:
        """As inside; from success on, silence is the two people's own."""
        await self._line.bridge(one, other)
        if self._leg in (one, other):
            self._watch.join(True)

    def play(self, leg: str, play: int, pcm: bytes) -> None:
        """As inside."""
        self._sound.play(leg, play, pcm)
        if leg == self._leg:
            self._watch.play(play, pcm)

    def stop(self, leg: str) -> None:
        """As inside."""
        self._sound.stop(leg)
        if leg == self._leg:
            self._watch.stop()

    def hold(self, leg: str) -> None:
        """As inside."""
        self._sound.hold(leg)
        if leg == self._leg:
            self._watch.hold(True)

    def go_on(self, leg: str) -> None:
        """As inside."""
        self._sound.go_on(leg)
        if leg == self._leg:
            self._watch.hold(False)

    def left(self, leg: str) -> float:
        """As inside."""
        return self._sound.left(leg)

    def fill(self, pcm: bytes) -> None:
        """End a silence without giving up what is to come. A sentence that is kept in its middle goes on instead. One
        that is playing without a sound gives way, and counts as said when the filler has been heard."""
        if self._watch.held:
            self.go_on(self._leg)
            return
        play = self._watch.playing or FILLER_PLAY
        self._sound.play(self._leg, play, pcm)
        self._watch.play(play, pcm, ours=False)


def is_filler(command: Command) -> TypeGuard[Say]:
    """Whether this only asks the caller to wait."""
    return isinstance(command, Say) and all(one.key == "call.filler" for one in command.prompts)


def filler(spoken: bytes | None) -> bytes:
    """The sound of a filler: the sentence kept for it, if there is one and it can be heard, and beeps after it. Nothing
    is rendered: a voice may be what hangs."""
    if spoken is None or sum(audible(spoken)) * FRAME_SECONDS < HEARD_SECONDS:
        return waiting_beeps()
    return spoken + silence(PAUSE_SECONDS) + waiting_beeps()
