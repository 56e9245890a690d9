"""Far ends that have fallen silent without a goodbye: a network that broke, a phone without power.

A muted phone may stop its RTP but not its RTCP; a phone that holds the call stops both, and says so beforehand.
Everything here runs on the SIP thread.
"""

from collections.abc import Iterable
from typing import Any

import pjsua2 as pj

_SENDS = pj.PJMEDIA_DIR_DECODING
_LOOK_S = 1.0


class SilenceWatch:
    """Remembers when each answered call's far end last sent anything."""

    def __init__(self, patience_s: float) -> None:
        """0 seconds: nobody is ever taken for dead."""
        self._patience_s = patience_s
        self._look_at = 0.0
        self._heard: dict[str, tuple[int, float]] = {}

    def dead(self, calls: Iterable[tuple[str, Any]], now: float) -> list[str]:
        """Of the answered legs and their calls, those from which nothing has come for too long. Looks once a second,
        because asking the library costs more than the rest of a call's signalling."""
        if not self._patience_s or now < self._look_at:
            return []
        self._look_at = now + min(_LOOK_S, self._patience_s / 4)
        return [leg for leg, call in calls if self._is_dead(leg, call, now)]

    def forget(self, leg: str) -> None:
        """The leg is over."""
        self._heard.pop(leg, None)

    def _is_dead(self, leg: str, call: Any, now: float) -> bool:
        packets = _packets(call)
        last, since = self._heard.get(leg, (-1, now))
        if packets != last or (now - since > self._patience_s and _on_hold(call)):
            self._heard[leg] = packets, now
            return False
        return now - since > self._patience_s


def _packets(call: Any) -> int:
    try:
        told = call.getStreamStat(0).rtcp
    except pj.Error:
        return 0
    return int(told.rxStat.pkt) + int(told.txStat.updateCount)


def _on_hold(call: Any) -> bool:
    # Kept by name: the list is a view into it, and would be read after it was freed.
    info = call.getInfo()
    return all(not media.dir & _SENDS for media in info.media if media.type == pj.PJMEDIA_TYPE_AUDIO)
