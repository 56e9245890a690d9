"""What is connected to what in the conference bridge of PJSIP. Runs on the SIP thread."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pjsua2 as pj

from ivr.lines.sip_call import SipCall
from ivr.lines.sip_media import LegAudio, LegPort, best_copy


@dataclass(slots=True, kw_only=True, eq=False)
class SwitchLeg:
    """A leg as the SIP thread knows it."""

    id: str
    """Name of the leg."""
    call: SipCall
    """The library's call."""
    audio: LegAudio
    """Shared with the event loop and the clock thread."""
    incoming: bool
    """Whether they called us."""
    port: LegPort | None = None
    """Our port in the bridge, from answer to end."""
    peer: "SwitchLeg | None" = None
    """The leg it is joined with."""
    speaking: bool = False
    """Whether our port is connected towards the call."""
    accepted: bool = False
    """Whether we sent 200."""
    answered: bool = False
    """Whether media may flow."""
    rang: bool = False
    """Whether LegRinging was said."""
    gone: bool = False
    """Whether LegGone was said."""
    ack_by: float | None = None
    """Monotonic time at which the wait for the ACK ends."""
    ring_by: float | None = None
    """Monotonic time at which a caller has waited long enough for an answer."""


class Links:
    """Connects legs with our ports and with each other. Connections towards a call are made again whenever its media
    changes, since a re-INVITE gives the call a new place in the bridge and takes the old connections away."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._copy = best_copy()
        self._made = 0
        self._spare: list[LegPort] = []

    def open(self, leg: SwitchLeg) -> None:
        """Give an answered leg its port and hear it."""
        port = self._spare.pop() if self._spare else self._new_port()
        port.mouth = leg.audio.mouth
        port.ear = leg.audio.heard
        leg.port = port
        self.refresh(leg)

    def close(self, leg: SwitchLeg) -> None:
        """Take the port back from a leg that has ended; the library cut its connections with the call."""
        if (peer := leg.peer) is not None:
            peer.peer, leg.peer = None, None
            self._hear_again(peer)
        if leg.port is not None:
            leg.port.ear = leg.port.mouth = None
            self._spare.append(leg.port)
            leg.port = None

    def join(self, one: SwitchLeg, other: SwitchLeg) -> None:
        """Connect two answered legs natively and listen to neither."""
        for leg in (one, other):
            if leg.peer is not None and leg.peer not in (one, other):
                self._part(leg, leg.peer)
        one.peer, other.peer = other, one
        for leg in (one, other):
            if leg.port is not None and leg.port.ear is not None:
                leg.port.ear = None
                _disconnect(_media(leg), leg.port)
        self.refresh(one)

    def refresh(self, leg: SwitchLeg) -> None:
        """Connect what should be connected; what is connected already stays."""
        media = _media(leg)
        if media is None or leg.port is None:
            return
        if leg.port.ear is not None:
            media.startTransmit(leg.port)
        leg.speaking = False
        self.speak(leg)
        other = _media(leg.peer) if leg.peer is not None else None
        if other is not None:
            media.startTransmit(other)
            other.startTransmit(media)

    def speak(self, leg: SwitchLeg) -> None:
        """Connect our port towards the call while something is being said; asking Python for frames is the dearest
        part of a call."""
        if leg.port is None or leg.speaking == leg.audio.mouth.active:
            return
        media = _media(leg)
        if media is None:
            return
        leg.speaking = leg.audio.mouth.active
        if leg.speaking:
            leg.port.startTransmit(media)
        else:
            _disconnect(leg.port, media)

    def _hear_again(self, leg: SwitchLeg) -> None:
        """The other end of a bridge is gone: the one who stays may have to be put through again."""
        if leg.port is not None and not leg.gone:
            leg.port.ear = leg.audio.heard
            self.refresh(leg)

    def drop(self) -> None:
        """Delete the ports, just before the library is destroyed."""
        self._spare.clear()

    def _part(self, one: SwitchLeg, other: SwitchLeg) -> None:
        first, second = _media(one), _media(other)
        _disconnect(first, second)
        _disconnect(second, first)
        one.peer = other.peer = None

    def _new_port(self) -> LegPort:
        self._made += 1
        return LegPort(f"leg{self._made}", self._wake, self._copy)


def _media(leg: SwitchLeg) -> Any:
    """The call's place in the bridge now, or None. Asked anew each time: places are given to others after use."""
    if leg.call.over or not leg.call.hasMedia():
        return None
    try:
        media = leg.call.getAudioMedia(-1)
    except pj.Error:
        return None
    return media if media.getPortId() >= 0 else None


def _disconnect(source: Any, sink: Any) -> None:
    if source is not None and sink is not None:
        source.stopTransmit(sink)
