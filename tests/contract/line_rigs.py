"""The same hands for two lines: real SIP between two processes, and audio in memory."""

import asyncio
from collections import deque
from dataclasses import asdict
from typing import Any, Protocol

from ivr.lines.wav import Moment, WavLine
from ivr.ports import AudioHeard, Elapsed, LegGone, LineError, LineEvent
from tests.sip.phone import measured, tone
from tests.sip.support import CALLER, Phone, PhoneError

QUIET = bytes(320)


class Refused(Exception):
    """The line answered an order with a LineError."""


class Rig(Protocol):
    """A line under test and one phone at the other end."""

    def arrive(self) -> str:
        """The phone calls and is answered; our leg."""
        ...

    def dial(self, *, reachable: bool) -> str:
        """We call the phone, which answers, or an address where nobody is; our leg."""
        ...

    def order(self, what: str, leg: str, **more: Any) -> Any:
        """answer, hang_up, tone, stop, hold, go_on, left, bridge, heard, elapsed. Raises Refused."""
        ...

    def event(self, *names: str, leg: str) -> dict[str, Any]:
        """The oldest event of these names that was not asked for before."""
        ...

    def left(self, *names: str) -> list[dict[str, Any]]:
        """Events of these names that nobody asked for."""
        ...

    def far(self, what: str, leg: str, **more: Any) -> None:
        """What the phone on our leg does: tone, keys, hang_up."""
        ...

    def far_hears(self, leg: str, hz: int) -> None:
        """Wait until the phone on our leg hears a tone."""
        ...

    def far_hears_nothing(self, leg: str) -> None:
        """Wait until the phone on our leg has heard nothing for half a second."""
        ...

    def hears(self, leg: str, hz: int) -> None:
        """Wait until we hear a tone."""
        ...


class SipRig:
    """Over two phones in processes of their own."""

    def __init__(self, hotline: Phone, caller: Phone) -> None:
        self._hotline = hotline
        self._caller = caller
        self._theirs: dict[str, str] = {}

    def arrive(self) -> str:
        there = self._caller.dial(self._hotline.address, shown=CALLER)
        leg = str(self._hotline.wait_for("LegArrived")["leg"])
        self._caller.wait_for("LegAnswered", leg=there)
        self._theirs[leg] = there
        return leg

    def dial(self, *, reachable: bool) -> str:
        if not reachable:
            return self._hotline.dial("sip:nobody@127.0.0.1:9;transport=tcp")
        leg = self._hotline.dial(self._caller.address)
        self._theirs[leg] = str(self._caller.wait_for("LegArrived")["leg"])
        return leg

    def order(self, what: str, leg: str, **more: Any) -> Any:
        try:
            return self._hotline.do(what, leg, **more)
        except PhoneError as error:
            raise Refused(str(error)) from error

    def event(self, *names: str, leg: str) -> dict[str, Any]:
        return self._hotline.wait_for(*names, leg=leg)

    def left(self, *names: str) -> list[dict[str, Any]]:
        return self._hotline.waiting(*names)

    def far(self, what: str, leg: str, **more: Any) -> None:
        self._caller.do(what, self._theirs[leg], **({"method": "rfc4733"} if what == "keys" else {}), **more)

    def far_hears(self, leg: str, hz: int) -> None:
        self._caller.hears(self._theirs[leg], hz)

    def far_hears_nothing(self, leg: str) -> None:
        self._caller.hears_nothing(self._theirs[leg])

    def hears(self, leg: str, hz: int) -> None:
        self._hotline.hears(leg, hz)


class FarPhone:
    """A far end of the WAV line that does what the test says."""

    def __init__(self) -> None:
        self.saying = b""
        self.keys = ""
        self.hanging_up = False
        self.answers = True
        self.heard: deque[bytes] = deque(maxlen=25)

    def moment(self, heard: bytes | None) -> Moment:
        if heard is not None:
            self.heard.append(heard)
        pcm, self.saying = (self.saying[:320] or QUIET).ljust(320, b"\0"), self.saying[320:]
        key, self.keys = self.keys[:1], self.keys[1:]
        return Moment(pcm=pcm, keys=key, answer=self.answers, hang_up=self.hanging_up)


class WavRig:
    """Over audio in memory; waiting lets audio time pass."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._line = WavLine(lambda address: self._next if "nobody" not in address else None)
        self._next = FarPhone()
        self._far: dict[str, FarPhone] = {}
        self._events: list[dict[str, Any]] = []
        self._heard: dict[str, deque[bytes]] = {}
        self._elapsed: dict[str, float] = {}

    def close(self) -> None:
        """No more."""
        self._loop.close()

    def arrive(self) -> str:
        far = FarPhone()
        leg = self._line.ring(far, None).leg
        self._far[leg] = far
        self._loop.run_until_complete(self._line.answer(leg, self._sink))
        return leg

    def dial(self, *, reachable: bool) -> str:
        self._next = FarPhone()
        address = "sip:phone@127.0.0.1" if reachable else "sip:nobody@127.0.0.1"
        leg = self._loop.run_until_complete(self._line.dial(address, "hotline", self._sink))
        self._far[leg] = self._next
        return leg

    def order(self, what: str, leg: str, **more: Any) -> Any:
        match what:
            case "tone":
                return self._line.play(leg, more.get("play", 1), tone(more["hz"], more["ms"]))
            case "stop":
                return self._line.stop(leg)
            case "hold":
                return self._line.hold(leg)
            case "go_on":
                return self._line.go_on(leg)
            case "left":
                return self._line.left(leg)
            case "elapsed":
                return self._elapsed.get(leg, 0.0)
            case "heard":
                return measured(self._heard.get(leg, deque()))
        asked = {"hang_up": self._line.hang_up, "bridge": self._line.bridge, "answer": self._line.answer}[what]
        try:
            return self._loop.run_until_complete(asked(leg, *self._rest(what, more)))  # type: ignore[operator]
        except LineError as error:
            raise Refused(str(error)) from error

    def _rest(self, what: str, more: dict[str, Any]) -> tuple[Any, ...]:
        return {"bridge": (more.get("other"),), "answer": (self._sink,)}.get(what, ())

    def event(self, *names: str, leg: str) -> dict[str, Any]:
        for _ in range(500):
            for place, event in enumerate(self._events):
                if event["event"] in names and event["leg"] == leg:
                    return self._events.pop(place)
            self._pass()
        raise AssertionError(f"no {names} in ten seconds; waiting: {self._events}")

    def left(self, *names: str) -> list[dict[str, Any]]:
        self._pass()
        return [event for event in self._events if event["event"] in names]

    def far(self, what: str, leg: str, **more: Any) -> None:
        far = self._far[leg]
        match what:
            case "tone":
                far.saying = tone(more["hz"], more["ms"])
            case "keys":
                far.keys = more["digits"]
            case "hang_up":
                far.hanging_up = True

    def far_hears(self, leg: str, hz: int) -> None:
        self._until(lambda: measured(self._far[leg].heard), hz)

    def far_hears_nothing(self, leg: str) -> None:
        for _ in range(100):
            if measured(self._far[leg].heard)["rms"] <= 50:
                return
            self._pass()
        raise AssertionError("not quiet in two seconds")

    def hears(self, leg: str, hz: int) -> None:
        self._until(lambda: measured(self._heard.get(leg, deque())), hz)

    def _until(self, look: Any, hz: int) -> None:
        for _ in range(200):
            heard = look()
            if abs(heard["hz"] - hz) <= 20 and heard["rms"] > 2000:
                return
            self._pass()
        raise AssertionError(f"no tone of {hz} Hz in four seconds: {look()}")

    def _pass(self) -> None:
        async def settled() -> None:
            await asyncio.sleep(0)

        self._loop.run_until_complete(self._line.run(settled, seconds=0.02))

    def _sink(self, event: LineEvent) -> None:
        if isinstance(event, AudioHeard):
            self._heard.setdefault(event.leg, deque(maxlen=25)).append(event.pcm)
        elif isinstance(event, Elapsed):
            self._elapsed[event.leg] = self._elapsed.get(event.leg, 0.0) + event.seconds
        else:
            self._events.append({"event": type(event).__name__, **asdict(event)})
        if isinstance(event, LegGone):
            self._heard.pop(event.leg, None)
