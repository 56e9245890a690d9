"""Texts by SIP MESSAGE: a small endpoint behind the proxy at the edge, which alone is heard.

The proxy lets MESSAGE through for trunks that may bring texts and for nobody else; phones' lines never see one. The
endpoint answers when a text is durable, absorbs repetitions, and repeats what it sends until it is answered (RFC 3261
section 17.1.2). SIP cannot be asked what became of a request: an attempt without an answer is not made again, and the
sender is told.
"""

import asyncio
import logging
import re
from collections import OrderedDict
from dataclasses import replace
from typing import Self

from masking.numbers import normalise
from masking.parties import random_id
from masking.port import (
    MaskingRefused,
    MaskingUnavailable,
    MaskingUnsure,
    PhoneNumber,
    Relay,
    TextIn,
    TextOut,
    Wrong,
)
from masking.providers.sip_message import NotSip, Sip, message, parse, response, user, words

log = logging.getLogger(__name__)

T1, T2, TIMER_F = 0.5, 4.0, 32.0
"""Seconds: first pause before a repetition, longest pause, and all of it (RFC 3261 section 17.1.2.2)."""
REMEMBERED = 2000
"""Answers that are kept for repetitions of their requests."""
LONGEST = 6000
"""Bytes of a text."""
AGAIN = frozenset({408, 429, 480, 486, 500, 502, 503, 504, 600})
"""Answers after which it may be tried again; 408 apart, the text was surely not taken."""
_OUTBOUND = re.compile(r"sips?:[^@\s]*\{(?:number|digits)\}[^@\s]*@(?P<host>[^\s:;@{}]+)[^\s{}]*")
ALLOW = "Allow: MESSAGE\r\n"
AFTER = "Retry-After: 5\r\n"


class SipTexts(asyncio.DatagramProtocol):
    """Carrier, and the ear of a relay."""

    def __init__(
        self, proxy: tuple[str, int], outbound: str, *, region: str = "US", pace: float = T1, patience: float = TIMER_F
    ) -> None:
        """`proxy`: the edge's address for processes of this machine. `outbound`: address of the trunk with {number}
        (with +) or {digits} in it. `region`: country of numbers without country code. `pace`, `patience`: T1 and timer
        F, seconds. Raises ValueError for an address without host."""
        self._proxy = proxy
        self._outbound = outbound
        found = _OUTBOUND.fullmatch(outbound)
        if found is None:
            raise ValueError("the address for texts needs a host, and {number} or {digits} before it")
        self._host = found["host"]
        self._region = region
        self._pace = pace
        self._patience = patience
        self._relay: Relay | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: dict[str, asyncio.Queue[int]] = {}
        self._answers: OrderedDict[str, bytes] = OrderedDict()
        self._running: set[asyncio.Task[None]] = set()
        self._gone = asyncio.Event()
        self.port = 0

    @property
    def name(self) -> str:
        """Name of the carrier."""
        return "sip"

    async def open(self, port: int, relay: Relay | None) -> Self:
        """Listen on 127.0.0.1. `relay`: who takes what comes. Raises OSError."""
        self._relay = relay
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", port))
        self.port = int(self._transport.get_extra_info("sockname")[1])
        return self

    async def close(self) -> None:
        """Stop listening; what was begun ends."""
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._transport is not None:
            self._transport.close()
            await self._gone.wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """The port is free again."""
        self._gone.set()

    async def send(self, text: TextOut, to: PhoneNumber) -> str:
        """Our id of it. Raises what the port says."""
        if len(text.body.encode()) > LONGEST:
            raise MaskingRefused(Wrong.FIELD, "body", "this text is too long for SIP")
        number = to.reveal()
        target = self._outbound.format(number=number, digits=number.lstrip("+"))
        own = f"127.0.0.1:{self.port}"
        sent = message(target=target, shown=text.shown, host=self._host, own=own, id=text.id, text=text.body)
        status = await self._asked(sent, text.id)
        if 200 <= status < 300:
            return text.id
        if status == 408:
            raise MaskingUnsure("the trunk gave no answer")
        if status in AGAIN:
            raise MaskingUnavailable(f"the trunk takes no text now (status {status})")
        raise MaskingRefused(Wrong.NUMBER_REFUSED, "to", f"the trunk refused it (status {status})")

    async def found(self, text: TextOut, to: PhoneNumber, since: float) -> str:
        """Nobody can say. Raises MaskingRefused."""
        raise MaskingRefused(Wrong.NOT_FOUND, "id", "what became of a text on a SIP trunk cannot be asked")

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Of the proxy alone."""
        if addr[:2] != self._proxy:
            return
        try:
            came = parse(data)
        except NotSip as error:
            log.warning("a datagram was left alone: %s", error)
            return
        if came.status:
            self._told(came)
        elif came.method != "ACK":
            self._request(came)

    def error_received(self, exc: Exception) -> None:
        """The proxy is not there: the repetitions find it when it is."""
        log.info("the proxy was not reached: %s", type(exc).__name__)

    def _told(self, came: Sip) -> None:
        waiting = self._waiting.get(came.headers["call-id"])
        if waiting is not None and came.method == "MESSAGE":
            waiting.put_nowait(came.status)

    def _request(self, came: Sip) -> None:
        """A repetition gets the same answer; one whose answer is not there yet gets none."""
        key = f"{came.branch} {came.headers['call-id']} {came.headers['cseq']}"
        if key in self._answers:
            if self._answers[key]:
                self._reply(self._answers[key])
            return
        self._answers[key] = b""
        if len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)
        running = asyncio.create_task(self._taken(came, key))
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    async def _taken(self, came: Sip, key: str) -> None:
        try:
            status, more = await self._outcome(came)
        except Exception:
            log.exception("a text could not be taken")
            status, more = 503, AFTER
        answer = response(came, status, random_id("t"), more)
        if status == 503:
            self._answers.pop(key, None)  # the next attempt may succeed
        else:
            self._answers[key] = answer
        self._reply(answer)

    async def _outcome(self, came: Sip) -> tuple[int, str]:
        body = words(came)
        if came.method != "MESSAGE":
            return 405, ALLOW
        if len(came.body) > LONGEST:
            return 413, ""
        if body is None:
            return 415, "Accept: text/plain\r\n"
        text = TextIn(
            provider="sip",
            id=f"{came.headers['call-id']} {came.headers['cseq']}",
            number=user(came.target),
            sender=normalise(user(came.headers["from"]), self._region),
            body=body,
        )
        try:
            if self._relay is None:
                return 503, AFTER
            await self._relay.received(replace(text, body=body.replace("\0", "")))
        except MaskingUnavailable:
            return 503, AFTER
        return 200, ""

    async def _asked(self, sent: bytes, id: str) -> int:
        """The final status; 408 where there is none in time."""
        answers: asyncio.Queue[int] = asyncio.Queue()
        self._waiting[id] = answers
        pause = self._pace
        try:
            async with asyncio.timeout(self._patience):
                self._reply(sent)
                while True:
                    try:
                        async with asyncio.timeout(pause):
                            status = await answers.get()
                    except TimeoutError:
                        self._reply(sent)
                        pause = min(pause * 2, T2)
                        continue
                    if status >= 200:
                        return status
                    pause = T2
        except TimeoutError:
            return 408
        finally:
            del self._waiting[id]

    def _reply(self, datagram: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise MaskingUnavailable("the port for texts is closed")
        self._transport.sendto(datagram, self._proxy)
