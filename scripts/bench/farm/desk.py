"""Agents' phones that take every call: `python -m scripts.bench.farm.desk`; prints the port, ends with its input."""

import asyncio
import json
import sys

from ivr.lines.sip import SipLine
from ivr.lines.sip_settings import SipSettings
from ivr.ports import AudioHeard, LegAnswered, LegArrived, LegGone, LineError, LineEvent
from scripts.bench.farm.sound import loud

ACCEPT_AFTER_SECONDS = 1.0
TALK_SECONDS = 1.5
_FRAMES = 50


class Desk:
    """Picks up, listens to a second of the summary, presses 1, stays a moment, hangs up."""

    def __init__(self, line: SipLine) -> None:
        self._line = line
        self._heard: dict[str, int] = {}
        self._work: set[asyncio.Task[None]] = set()

    def arrived(self, arrival: LegArrived) -> None:
        """A phone rings."""
        self._spawn(self._take(arrival.leg))

    def _spawn(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _take(self, leg: str) -> None:
        try:
            await self._line.answer(leg, self._sink)
        except LineError:
            return  # withdrawn meanwhile

    def _sink(self, event: LineEvent) -> None:
        match event:
            case LegAnswered():
                self._heard[event.leg] = 0
            case AudioHeard() if event.leg in self._heard and loud(event.pcm):
                self._heard[event.leg] += 1
                if self._heard[event.leg] == _FRAMES:
                    self._spawn(self._accept(event.leg))
            case LegGone():
                self._heard.pop(event.leg, None)

    async def _accept(self, leg: str) -> None:
        self._line.send_keys(leg, "1")
        await asyncio.sleep(ACCEPT_AFTER_SECONDS + TALK_SECONDS + 12)
        await self._line.hang_up(leg)


async def main_async() -> int:
    """Until the input ends."""
    line = SipLine(SipSettings(port=0, rtp_ports=(28000, 31998), display="Agent"))
    desk = Desk(line)
    await line.start(desk.arrived)
    print(json.dumps({"port": line.port}), flush=True)
    try:
        await asyncio.to_thread(sys.stdin.read)
    finally:
        await line.close()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main_async()))
