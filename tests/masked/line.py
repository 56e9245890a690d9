"""The masked line in a process of its own, over real SIP: `python -m tests.masked.line '{"trunk": PORT}'`.

Every line in is {"do": name, ...}; every line out is the answer to it. Masking is kept in memory, sentences are hums.
"""

import asyncio
import json
import logging
import sys
from dataclasses import asdict, replace
from typing import Any

from ivr.lines.sip import SipLine
from ivr.lines.sip_settings import SipSettings
from ivr.masked.doors import MaskedDoors
from ivr.worker import Worker
from masking.port import MaskingUnavailable, PhoneNumber, Verdict
from tests.masked.world import DOCTOR, PATIENT, House


class Line(House):
    """A house whose line is SIP and whose trunk is a port of this machine."""

    def __init__(self, line: SipLine, trunk: int) -> None:
        super().__init__()
        self._trunk = trunk
        self.doors = replace(self.doors, line=line, sound=line, ears=None)
        self.worker = Worker(self.doors, self.worker.limits, self.sessions.append, self._masked)
        self.seconds = 0.0

    def _address(self, number: PhoneNumber) -> str | None:
        return f"sip:{number.reveal()}@127.0.0.1:{self._trunk}"

    @property
    def masked(self) -> MaskedDoors:
        """With a ring as short as tests want it."""
        return replace(super().masked, exchange=self, ring_seconds=self.ring_seconds)

    ring_seconds = 40.0
    lost = False

    async def resolve(self, dialled: Any) -> Verdict:
        """The exchange, which can be lost, and whose calls can be short."""
        if self.lost:
            raise MaskingUnavailable("the test took it away")
        verdict = await self.exchange.resolve(dialled)
        return replace(verdict, seconds=self.seconds or verdict.seconds, tone_before=min(60.0, self.seconds or 60.0))

    async def click(self, id: str, owner: str) -> Any:
        """As the exchange."""
        return await self.exchange.click(id, owner)

    async def triage_said(self) -> list[str]:
        """What the triage hotline said in its newest call."""
        lines = await self.world.journal.list(1)
        entries = await self.world.journal.read(lines[0].call) if lines else ()
        said: list[Any] = [one.data["keys"] for one in entries if one.kind == "Said"]
        return [key for keys in said for key in keys]

    async def sweep(self) -> int:
        """As the exchange."""
        return 0


async def main(settings: dict[str, Any]) -> None:
    """Until the end of input."""
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    sip = SipLine(SipSettings(port=0, tcp=False, **settings.get("sip", {})))
    house = Line(sip, settings["trunk"])
    await house.furnish()
    house.doors = replace(house.doors)
    await sip.start(house.worker.arrived)
    made = await house.bind(**settings.get("binding", {}))
    clicking = asyncio.create_task(house.clicks().run())
    say({"port": sip.port, "binding": made.id, "code": made.code})
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        say({"reply": await order(house, made.id, json.loads(line))})
    clicking.cancel()
    await house.worker.stop()
    await sip.close()


async def order(house: Line, binding: str, order: dict[str, Any]) -> Any:
    """One order."""
    match order["do"]:
        case "close":
            await house.bindings.close(binding, "ward", kill=bool(order.get("kill")))
        case "later":
            house.clock.now += order["seconds"]
        case "click":
            return (await house.wishes.ask(binding, "ward")).id
        case "wish":
            wish = await house.wishes.get(order["id"], "ward")
            return [wish.state, wish.end]
        case "set":
            for name in ("ring_seconds", "seconds", "lost"):
                setattr(house, name, order.get(name, getattr(house, name)))
        case "forget":
            house.diary.records.clear()
            house.diary.events.clear()
        case "triage":
            return await house.triage_said()
        case "calls":
            return house.worker.calls
        case "told":
            records = [{**asdict(one), "party": name_of(house, one.party)} for one in house.diary.records]
            return {"records": records, "events": [[one.kind, dict(one.data)] for one in house.diary.events]}
    return True


def name_of(house: House, party: str) -> str:
    """Who a party is."""
    return {house.wanted[PATIENT]: "patient", house.wanted[DOCTOR]: "doctor"}.get(party, party)


def say(line: dict[str, Any]) -> None:
    """One line out."""
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
