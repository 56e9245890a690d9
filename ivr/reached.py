"""A phone that we called and that was picked up, made to look like a phone that called us."""

import asyncio

from ivr.ports import AudioHeard, LegAnswered, LegGone, Line, LineEvent, Sink


class Reached:
    """`Line` for the call of one outgoing leg: `answer` on that leg, which is answered already, only says so."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._leg = ""
        self._sink: Sink | None = None
        self._early: list[LineEvent] = []
        self._news: asyncio.Queue[LegAnswered | LegGone] = asyncio.Queue()

    async def ring(self, address: str, shown: str) -> str:
        """Call it; the leg's id. Raises LineError."""
        self._leg = await self._line.dial(address, shown, self._heard)
        return self._leg

    async def outcome(self, seconds: float) -> LegAnswered | LegGone | None:
        """What came of the ringing; None where nothing has within so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                return await self._news.get()
        except TimeoutError:
            return None

    def _heard(self, event: LineEvent) -> None:
        if self._sink is not None:
            self._sink(event)
            return
        if not isinstance(event, AudioHeard):  # nobody listens yet
            self._early.append(event)
        if isinstance(event, LegAnswered | LegGone):
            self._news.put_nowait(event)

    async def answer(self, leg: str, sink: Sink) -> None:
        """See Line."""
        if leg != self._leg:
            await self._line.answer(leg, sink)
            return
        self._sink = sink
        for event in self._early:
            sink(event)
        self._early.clear()

    async def refuse(self, leg: str, code: int) -> None:
        """See Line."""
        await self._line.refuse(leg, code)

    async def dial(self, address: str, shown: str, sink: Sink) -> str:
        """See Line."""
        return await self._line.dial(address, shown, sink)

    async def hang_up(self, leg: str) -> None:
        """See Line."""
        await self._line.hang_up(leg)

    async def bridge(self, one: str, other: str) -> None:
        """See Line."""
        await self._line.bridge(one, other)
