"""Texts and Twilio, opened once a process on the desk: relay, post, carriers, webhooks, click-to-calls."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from masking.desk import Desk
from masking.live_sql import SqlLiveCalls
from masking.numbers import virtual_number
from masking.port import Carrier, Limits, MaskingUnavailable, PhoneNumber, Sealer
from masking.providers.sip_texts import SipTexts
from masking.providers.twilio_calls import TwilioCalls
from masking.providers.twilio_clicks import TwilioClicks
from masking.providers.twilio_cuts import TwilioCuts
from masking.providers.twilio_gate import TwilioGate
from masking.providers.twilio_hooks import TwilioHooks
from masking.providers.twilio_http import API, TwilioHttp, client
from masking.providers.twilio_texts import TwilioTexts
from masking.providers.twilio_words import Spoken
from masking.sms.post import TextPost
from masking.sms.relay import TextRelay
from masking.sms.store import Settled
from masking.sms.store_sql import SqlTexts
from masking.sms.words import sentences

log = logging.getLogger(__name__)

AGAIN_SECONDS = 5.0
ANSWER_LIFE = 86400.0
"""Seconds in which a webhook of a call is not answered twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioAccount:
    """How Twilio is reached, and reaches us."""

    account: str
    """Account SID."""
    token: str = field(repr=False)
    """Auth Token."""
    public: str
    """Our address as Twilio sees it."""
    hotline: str = ""
    """Where humans of ours answer: "sip:user@host", or a number with plus."""
    api: str = API
    """Address of its REST API."""
    wishes: bool = True
    """Whether it carries out click-to-calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SipWay:
    """How texts go by SIP."""

    proxy: tuple[str, int]
    """The edge's address for processes of this machine."""
    outbound: str
    """Address of the trunk with {number} or {digits} in it."""
    port: int
    """Of ours on 127.0.0.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What is said and understood."""

    language: str
    """ISO 639-1."""
    emergency: str
    """Its number."""
    hotline: str = ""
    """The hotline's own number as it is told; ""."""
    danger: Callable[[str], bool] = lambda words: False
    """Whether a text tells of a danger."""


class Carried:
    """All of it, open."""

    def __init__(
        self, desk: Desk, sealer: Callable[[str], Sealer], words: Words, *, texts: str, limits: Limits | None = None,
        twilio: TwilioAccount | None = None, sip: SipWay | None = None,
    ) -> None:  # fmt: skip
        """`texts`: "sip", "twilio" or "off". `limits`: of texts; calls are counted by the desk's. Raises ValueError
        where what `texts` needs is missing."""
        self._desk = desk
        self._sip = sip if texts == "sip" else None
        self._http = TwilioHttp(base=twilio.api) if twilio else None
        self._api = client(twilio.account, twilio.token, self._http) if twilio and self._http else None
        self._store = SqlTexts(desk.ledger, sealer("masking texts"))
        self._ear: SipTexts | None = None
        self.relay: TextRelay | None = None
        self.post: TextPost | None = None
        self.hooks: TwilioHooks | None = None
        self.clicks: TwilioClicks | None = None
        self.cuts: TwilioCuts | None = None
        carrier = self._carrier(texts, twilio)
        if carrier is not None:
            self._relay(carrier, words, limits)
        if twilio is not None:
            self._twilio(twilio, words)

    async def open(self) -> None:
        """Take what SIP brings. Raises MaskingUnavailable."""
        if self._ear is not None and self._sip is not None:
            try:
                await self._ear.open(self._sip.port, self.relay)
            except OSError as error:
                raise MaskingUnavailable(
                    f"the port {self._sip.port} for texts by SIP is taken: set masking.sip_texts_port to another one"
                ) from error

    async def run(self) -> None:
        """Send what is due and carry wishes out, until cancelled."""
        works: list[Callable[[], Coroutine[Any, Any, None]]] = []
        if self.post is not None and self.relay is not None:
            works.append(partial(self.post.run, tidy=self.relay.tidy))
        if self.clicks is not None:
            works.append(self.clicks.run)
        if self.cuts is not None:
            works.append(self.cuts.run)
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(_kept(work))

    async def close(self) -> None:
        """Give ports and connections back."""
        if self._ear is not None and self._ear.port:
            await self._ear.close()
        if self._http is not None:
            await self._http.close()

    def _carrier(self, texts: str, twilio: TwilioAccount | None) -> Carrier | None:
        if texts == "twilio":
            if twilio is None:
                raise ValueError("texts by Twilio need its account")
            return TwilioTexts(self._api, twilio.public)
        if texts == "sip":
            if self._sip is None:
                raise ValueError("texts by SIP need a way to the trunk")
            self._ear = SipTexts(self._sip.proxy, self._sip.outbound, region=self._desk.region)
            return self._ear
        return None

    def _relay(self, carrier: Carrier, words: Words, limits: Limits | None) -> None:
        desk = self._desk
        said = sentences(words.language, emergency=words.emergency, hotline=words.hotline)
        self.post = TextPost(
            self._store, carrier, self._dial("a text is passed on", "text relay"), sentences=said, diary=desk.diary,
            clock=desk.ledger.clock,
        )  # fmt: skip
        self.relay = TextRelay(
            self._store, desk.vault, desk.exchange, sentences=said, region=desk.region, diary=desk.diary,
            limits=limits, danger=words.danger, wake=self.post.wake, receipts=self.post.receipt,
            clock=desk.ledger.clock,
        )  # fmt: skip

    def _twilio(self, twilio: TwilioAccount, words: Words) -> None:
        desk = self._desk
        dial = self._dial("a masked call", "twilio")
        spoken = Spoken(words.language, emergency=words.emergency, hotline=twilio.hotline, ring=desk.region)
        self.cuts = TwilioCuts(
            self._api, SqlLiveCalls(desk.ledger), diary=desk.diary, wishes=desk.wishes, clock=desk.ledger.clock
        )
        calls = TwilioCalls(
            spoken, desk.vault, desk.exchange, dial, self._first, self._own, public=twilio.public,
            region=desk.region, diary=desk.diary, limits=desk.limits, intercept=desk.intercept,
            wishes=desk.wishes, cuts=self.cuts, clock=desk.ledger.clock,
        )  # fmt: skip
        if twilio.wishes and desk.wishes is not None:
            self.clicks = TwilioClicks(
                self._api, desk.wishes, desk.exchange, dial, public=twilio.public, intercept=desk.intercept,
                cuts=self.cuts, clock=desk.ledger.clock,
            )  # fmt: skip
        gate = TwilioGate(twilio.account, twilio.token, twilio.public)
        relay = self.relay if self._ear is None else None
        self.hooks = TwilioHooks(gate, calls, relay, region=desk.region)

    def _dial(self, reason: str, actor: str) -> Callable[[str], Awaitable[PhoneNumber]]:
        """What is admitted is decided anew each time, and each time is in the audit."""

        async def dial(party: str) -> PhoneNumber:
            await self._desk.own.refresh()
            return await self._desk.vault.dial(party, self._desk.policy, reason=reason, actor=actor)

        return dial

    async def _first(self, *what: str) -> bool:
        return await self._store.settle(Settled(marks=(self._store.mark("twilio", *what),), life=ANSWER_LIFE))

    async def _own(self) -> frozenset[str]:
        await self._desk.own.refresh()
        return self._desk.own()


async def _kept(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """A fault is told and does not end the work: other texts still go."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("sending texts or calls failed; it goes on in a moment")
            await asyncio.sleep(AGAIN_SECONDS)


def told_number(numbers: tuple[str, ...], region: str) -> str:
    """The hotline's first number as callers are told it; ""."""
    return (virtual_number(numbers[0], region) or "") if numbers else ""
