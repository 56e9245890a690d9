"""The relay: a text to a virtual number goes to the other side, from the number that side may answer."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from masking.numbers import virtual_number
from masking.parties import random_id
from masking.port import (
    Admission,
    Dialled,
    Diary,
    Event,
    Exchange,
    Happened,
    Limits,
    Masking,
    MaskingUnavailable,
    Outcome,
    TextIn,
)
from masking.sms.decide import PAUSE, PAUSES, Arrived, Plan, decide
from masking.sms.redaction import redact_text
from masking.sms.store import Outgoing, Part, Settled, Stop, Texts
from masking.sms.words import Say, word

log = logging.getLogger(__name__)

MOST_PARTS = 10
FEWEST_DIGITS = 8
"""Digits of a sender with country code: shorter ones are services, which are neither relayed nor answered."""


class TextRelay:
    """Relay over a store."""

    def __init__(
        self,
        texts: Texts,
        masking: Masking,
        exchange: Exchange,
        *,
        sentences: Mapping[Say, str],
        region: str = "US",
        diary: Diary | None = None,
        limits: Limits | None = None,
        danger: Callable[[str], bool] = lambda words: False,
        wake: Callable[[], None] = lambda: None,
        receipts: Callable[[str, bool | None, str, str], Awaitable[None]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`sentences`: what the relay says itself. `region`: country of numbers without country code. `danger`: the
        safety net. `wake`: called when there is something to send. `receipts`: who is told of the carrier's receipts.
        `clock`: seconds since the epoch."""
        self._texts = texts
        self._masking = masking
        self._exchange = exchange
        self._sentences = dict(sentences)
        self._region = region
        self._diary = diary
        self._limits = limits
        self._danger = danger
        self._wake = wake
        self._receipts = receipts
        self._clock = clock

    async def received(self, text: TextIn) -> None:
        """Durable on return. Raises MaskingUnavailable."""
        number = virtual_number(text.number, self._region)
        if text.sender is None or number is None or len(text.sender.reveal()) <= FEWEST_DIGITS:
            log.info("a text of a service, or to no number, was left alone")
            return
        if text.body.strip() in self._sentences.values():
            log.info("a sentence of our own came back and was left alone")
            return
        own = self._texts.mark("text", text.provider, text.id)
        if await self._texts.known(own):
            return
        party = (await self._masking.party(text.sender)).id
        if text.parts > 1:
            await self._part(text, number, party)
        else:
            await self._whole(text, number, party, own, "")

    async def receipt(self, id: str, *, arrived: bool | None, reference: str, code: str = "") -> None:
        """What a carrier says. Raises MaskingUnavailable."""
        if self._receipts is not None:
            await self._receipts(id, arrived, reference, code)

    async def tidy(self) -> None:
        """Tell those whose long texts never became whole. Raises MaskingUnavailable."""
        told = {(part.party, part.number) for part in await self._texts.stale()}
        for party, number in sorted(told):
            await self._texts.settle(Settled(marks=(), outs=(self._said(Say.INCOMPLETE, party, number),)))
        if told:
            self._wake()

    async def _part(self, text: TextIn, number: str, party: str) -> None:
        if not 1 <= text.part <= text.parts <= MOST_PARTS or not text.whole:
            outs = (self._said(Say.TOO_LONG, party, number),)
            await self._settle(Settled(marks=(self._texts.mark("text", text.provider, text.id),), outs=outs))
            return
        if self._danger(text.body):  # what follows may never come
            await self._settle(Settled(marks=(), outs=(self._said(Say.EMERGENCY, party, number),)))
        mark = self._texts.mark("whole", text.provider, party, number, text.whole, str(text.parts))
        part = Part(whole=mark, part=text.part, parts=text.parts, party=party, number=number, body=text.body)
        if bodies := await self._texts.gather(part):
            await self._whole(replace(text, body="".join(bodies), part=1, parts=1), number, party, "", mark)

    async def _whole(self, text: TextIn, number: str, party: str, own: str, whole: str) -> None:
        arrived = await self._arrived(text, number, party)
        verdict, plan = arrived.verdict, decide(arrived)
        outs = [self._said(say, party, number, arrived) for say in plan.say]
        hidden = 0
        if plan.relay:
            assert text.sender is not None
            redacted = redact_text(text.body, [text.sender.reveal()])
            hidden = redacted.hidden
            outs.append(
                Outgoing(
                    id=random_id("text"), party=verdict.callee, shown=verdict.shown, body=redacted.text,
                    owner=verdict.owner, binding=verdict.binding, sender=party, number=number,
                )
            )  # fmt: skip
        stop = None
        if plan.stop is not None:
            stop = Stop(binding=verdict.binding, party=party, other=verdict.callee, on=plan.stop)
        marks = (own,) if own else ()
        if await self._settle(Settled(marks=marks, whole=whole, outs=tuple(outs), stop=stop)):
            await self._tell(plan, arrived, number, party, hidden)

    async def _arrived(self, text: TextIn, number: str, party: str) -> Arrived:
        verdict = await self._exchange.resolve(Dialled(number=number, caller=party))
        known = verdict.outcome in {Outcome.CONNECT, Outcome.EXPIRED}
        admission = Admission.ADMITTED
        if self._limits is not None:
            admission = await self._limits.admit(number, party, text.provider, known=known)
        arrived = Arrived(
            verdict=verdict, admission=admission, body=text.body, word=word(text.body), media=text.media,
            others=text.others, danger=self._danger(text.body),
        )  # fmt: skip
        if verdict.outcome != Outcome.CONNECT:
            return arrived
        return replace(
            arrived,
            sender_stopped=await self._texts.stopped(verdict.binding, party, verdict.callee),
            callee_stopped=await self._texts.stopped(verdict.binding, verdict.callee, party),
        )

    async def _settle(self, what: Settled) -> bool:
        done = await self._texts.settle(what)
        if done and what.outs:
            self._wake()
        return done

    def _said(self, say: Say, party: str, number: str, arrived: Arrived | None = None) -> Outgoing:
        verdict = arrived.verdict if arrived else None
        return Outgoing(
            id=random_id("text"), party=party, shown=number, body=self._sentences[say],
            owner=verdict.owner if verdict else "", binding=verdict.binding if verdict else "",
            mark=self._texts.mark("said", say, party, number), pause=PAUSES.get(say, PAUSE),
        )  # fmt: skip

    async def _tell(self, plan: Plan, arrived: Arrived, number: str, party: str, hidden: int) -> None:
        """The text is safe already: a diary that cannot be written must not make the carrier send it again."""
        verdict = arrived.verdict
        if self._diary is None or (not verdict.owner and arrived.admission != Admission.ADMITTED):
            return
        data: dict[str, str | float | None] = {"number": number, "party": party, "hidden": float(hidden)}
        if plan.event == Happened.TEXT_STOPPED:
            data["state"] = "started" if plan.stop is False else "stopped"
        elif plan.reason:
            data["reason"] = plan.reason
        try:
            await self._diary.tell(
                Event(kind=plan.event, owner=verdict.owner, binding=verdict.binding, at=self._clock(), data=data)
            )
        except MaskingUnavailable:
            log.error("a text was taken, but its event could not be written")
