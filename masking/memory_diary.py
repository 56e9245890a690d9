"""The diary in memory: the dull second implementation, for tests. It tells nobody."""

from masking.diary_rows import Written, ended, facts
from masking.port import CallRecord, Event


class MemoryDiary:
    """Diary."""

    def __init__(self) -> None:
        self.written: list[Written] = []
        self._once: set[str] = set()
        self._records: dict[tuple[str, str], CallRecord] = {}

    async def tell(self, event: Event, *, once: str = "") -> None:
        """Keep it; of events with the same `once` the first counts."""
        facts(event)
        if once and once in self._once:
            return
        self._once.add(once)
        order = 1 + sum(one.event.binding == event.binding for one in self.written) if event.binding else 1
        self.written.append(Written(id=f"event-{len(self.written)}", order=order, event=event))

    async def record(self, record: CallRecord) -> None:
        """Keep a leg's record, and tell CALL_ENDED after leg "a"."""
        if (record.call, record.leg) in self._records:
            return
        self._records[record.call, record.leg] = record
        if record.leg == "a":
            await self.tell(ended(record), once=f"ended {record.call}")

    async def calls(self, owner: str, *, binding: str = "", limit: int = 100) -> tuple[CallRecord, ...]:
        """The owner's newest legs."""
        mine = [one for one in self._records.values() if one.owner == owner and binding in {"", one.binding}]
        return tuple(sorted(mine, key=lambda one: (-one.ended, one.call, one.leg))[:limit])

    async def events(self, owner: str, *, binding: str = "", limit: int = 100) -> tuple[Written, ...]:
        """The owner's newest events."""
        mine = [one for one in self.written if one.event.owner == owner and binding in {"", one.event.binding}]
        return tuple(sorted(mine, key=lambda one: (-one.event.at, -one.order, one.id))[:limit])
