"""What a call writes down, over a database that stops answering for a while."""

import asyncio
import time

from ivr import notes
from ivr.notes import Behind, Notes
from records.memory import MemoryJournal
from records.port import Entry, JournalUnavailable

END = -1


class Disk(MemoryJournal):
    """Takes numbers, unless it is told to refuse or to hang."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[int] = []
        self.refuses = self.breaks = False
        self.open = asyncio.Event()
        self.open.set()

    async def append(self, entry: Entry) -> None:
        """Its number is its time."""
        await self._keep(round(entry.at))

    async def close_call(self, call: str, at: float, outcome: str) -> None:
        """The end is a number too."""
        await self._keep(END)

    async def _keep(self, number: int) -> None:
        if self.breaks:
            raise ZeroDivisionError
        if self.refuses:
            raise JournalUnavailable
        await self.open.wait()
        self.kept.append(number)


async def note_all(writer: Notes, numbers: range) -> float:
    """Wall seconds that the call waited."""
    start = time.monotonic()
    for number in numbers:
        await writer.append(Entry(call="bcd", at=number, kind="Said", data={}))
    return time.monotonic() - start


def test_what_is_written_in_time_is_there_when_the_call_goes_on() -> None:
    async def run() -> None:
        disk, late = Disk(), list[int]()
        await note_all(Notes(disk, "bcd", Behind(), lambda: late.append(1)), range(3))
        assert disk.kept == [0, 1, 2]
        assert late == []

    asyncio.run(run())


def test_a_disk_that_hangs_is_waited_for_once_and_nothing_is_lost_doubled_or_out_of_order() -> None:
    async def run() -> None:
        disk, behind, late = Disk(), Behind(), list[int]()
        writer = Notes(disk, "bcd", behind, lambda: late.append(1))
        disk.open.clear()
        assert await note_all(writer, range(20)) < 2 * notes.IN_TIME_SECONDS + 1
        assert disk.kept == []
        assert len(late) == 20
        disk.open.set()
        assert await behind.settle(5)
        await note_all(writer, range(20, 22))
        assert disk.kept == list(range(22))
        assert len(late) == 20, "the disk is well again"

    asyncio.run(run())


def test_a_disk_that_refuses_is_tried_again_after_the_call() -> None:
    async def run() -> None:
        disk, behind = Disk(), Behind()
        writer = Notes(disk, "bcd", behind, lambda: None)
        disk.refuses = True
        await note_all(writer, range(3))
        await writer.close_call("bcd", 3.0, "bridged")
        await writer.end()
        assert disk.kept == []
        disk.refuses = False
        assert await behind.settle(5)
        assert disk.kept == [0, 1, 2, END]

    asyncio.run(run())


def test_patience_ends() -> None:
    async def run() -> None:
        disk, behind = Disk(), Behind()
        disk.open.clear()
        await note_all(Notes(disk, "bcd", behind, lambda: None, patience=0.1), range(3))
        assert await behind.settle(5)
        disk.open.set()
        await asyncio.sleep(0.05)
        assert disk.kept == []

    asyncio.run(run())


def test_a_mistake_costs_its_entry_only() -> None:
    async def run() -> None:
        disk, late = Disk(), list[int]()
        writer = Notes(disk, "bcd", Behind(), lambda: late.append(1))
        disk.breaks = True
        await note_all(writer, range(1))
        disk.breaks = False
        await note_all(writer, range(1, 2))
        assert (disk.kept, late) == ([1], [1])

    asyncio.run(run())
