"""A leg that we answered, given to another session as if it had just called."""

from ivr.ports import Line, LineEvent, Sink


class Adopted:
    """`Line` for a session that takes a leg over: `answer` on that leg only says that it stands."""

    def __init__(self, line: Line, leg: str, answered: LineEvent) -> None:
        """`answered`: what the leg said when it was answered."""
        self._line, self._leg, self._answered = line, leg, answered
        self._sink: Sink | None = None
        self._early: list[LineEvent] = []

    def pass_on(self, event: LineEvent) -> None:
        """What the leg says from now on."""
        if self._sink is None:
            self._early.append(event)
        else:
            self._sink(event)

    async def answer(self, leg: str, sink: Sink) -> None:
        """See Line."""
        if leg != self._leg:
            await self._line.answer(leg, sink)
            return
        self._sink = sink
        for event in (self._answered, *self._early):
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
