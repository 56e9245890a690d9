"""Callers with one codec and one loss, several calls at once: `python -m scripts.bench.farm.fleet '{...}'`, cases as
JSON lines on standard input, results as JSON lines on standard output.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from ivr.lines.sip import SipLine
from ivr.lines.sip_settings import SipSettings
from ivr.ports import LineError
from records import database
from records.journal_sql import SqlJournal
from records.keys import keys_from_folder
from records.store import Store
from scripts.bench.farm.caller import Caller
from scripts.bench.farm.plan import Case
from scripts.bench.farm.sound import Mouths

CLAIM_SECONDS = 4.0


class Fleet:
    """Places the calls of one process."""

    def __init__(self, line: SipLine, journal: SqlJournal, target: str, at_once: int) -> None:
        self._line = line
        self._journal = journal
        self._target = target
        self._mouths = Mouths()
        self._places = asyncio.Semaphore(at_once)
        self._one_at_a_time = asyncio.Lock()
        self._claimed: set[str] = set()

    async def prepare(self, case: Case) -> None:
        """Render the first words before the call, so that nothing is rendered late."""
        await self._mouths.speak(case.voice, case.rate, case.words)

    async def place(self, case: Case) -> None:
        """One call; its result is printed."""
        async with self._places:
            record = ""

            async def asked() -> str:
                said = [entry for entry in await self._journal.read(record) if entry.kind == "Said"] if record else []
                keys: Any = said[-1].data["keys"] if said else []
                return next((key for key in reversed(keys) if key.startswith("ask.")), keys[-1] if keys else "")

            caller = Caller(case, self._line, self._mouths, asked)
            try:
                async with self._one_at_a_time:
                    number = f"+1202555{100 + case.id % 100:04d}"
                    leg = await self._line.dial(self._target, number, caller.sink)
                    record = await self._claim()
                result = await caller.live(leg)
            except LineError as error:
                result = caller.measured
                result.cause = str(error)
            result.record = record
            print(json.dumps(result.as_json()), flush=True)

    async def _claim(self) -> str:
        """The record of the call that was just placed: the only new one, since calls are placed one at a time."""
        for _ in range(int(CLAIM_SECONDS / 0.05)):
            new = [line.call for line in await self._journal.list(20) if line.call not in self._claimed]
            if new:
                self._claimed.update(new)
                return new[0]
            await asyncio.sleep(0.05)
        return ""

    async def know(self) -> None:
        """Calls of before are not ours."""
        self._claimed.update(line.call for line in await self._journal.list(1000))


async def main_async(told: dict[str, Any]) -> int:
    """Place every case of standard input."""
    var = Path(told["var"])
    store = Store(database.prepare(f"sqlite:///{var / 'triageline.db'}"))
    journal = SqlJournal(store, keys_from_folder(var / "keys"))
    line = SipLine(
        SipSettings(
            port=0, codecs=(told["codec"],), tx_drop_pct=told["loss"], rtp_ports=(24000, 27998), display="Caller"
        )
    )
    await line.start(lambda arrival: None)
    try:
        fleet = Fleet(line, journal, told["target"], told["at_once"])
        cases = [Case(**json.loads(text)) for text in sys.stdin]
        for case in cases:
            await fleet.prepare(case)
        await fleet.know()
        await asyncio.gather(*(fleet.place(case) for case in cases))
    finally:
        await line.close()
        await asyncio.to_thread(store.close)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main_async(json.loads(sys.argv[1]))))
