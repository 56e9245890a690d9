"""Sends what the relay put in: each text once, in order for each phone, again after a while where a carrier fails."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from masking.parties import random_id
from masking.port import (
    Carrier,
    Diary,
    Event,
    Happened,
    MaskingRefused,
    MaskingUnavailable,
    MaskingUnsure,
    NumberRefused,
    PhoneNumber,
    TextOut,
)
from masking.sms.redaction import redact_text
from masking.sms.store import Fate, Job, Outbox, Outgoing, State
from masking.sms.words import Say

log = logging.getLogger(__name__)

GIVE_UP = 3600.0
"""Seconds after which a text is no longer tried: what is told so late misleads."""
FIRST_PAUSE = 2.0
LOOK_SECONDS = 2.0
"""While attempts are under way, after so long it is looked for what else is due."""
LONGEST_PAUSE = 300.0
UNSURE_PAUSE = 20.0
"""Seconds before a carrier is asked what became of an attempt that it did not answer: it may still be at it."""


def pause(tries: int) -> float:
    """Seconds before the next attempt after so many."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 3.0 ** min(tries - 1, 8))


class TextPost:
    """Takes texts out of the box and gives them to a carrier."""

    def __init__(
        self,
        box: Outbox,
        carrier: Carrier,
        dial: Callable[[str], Awaitable[PhoneNumber]],
        *,
        sentences: Mapping[Say, str],
        diary: Diary | None = None,
        clock: Callable[[], float] = time.time,
        at_once: int = 8,
    ) -> None:
        """`dial`: the number of a party, audited and checked once more; raises NumberRefused, KeyError,
        MaskingUnavailable. `sentences`: what the relay says itself. `clock`: seconds since the epoch. `at_once`: texts
        on their way to the carrier at a time."""
        self._box = box
        self._carrier = carrier
        self._dial = dial
        self._undelivered = sentences[Say.UNDELIVERED]
        self._diary = diary
        self._clock = clock
        self._at_once = at_once
        self._news = asyncio.Event()

    def wake(self) -> None:
        """There is something to send. From the event loop's thread."""
        self._news.set()

    async def run(self, *, every: float = 2.0, tidy: Callable[[], Awaitable[None]] | None = None) -> None:
        """Until cancelled. `every`: seconds between looks for what is due again; `tidy` is called with each."""
        while True:
            self._news.clear()
            try:
                if tidy is not None:
                    await tidy()
                await self.work()
            except MaskingUnavailable:
                log.error("texts wait: the database does not answer")
            try:
                async with asyncio.timeout(every):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def work(self) -> int:
        """Send all that is due now; how many were tried. Raises MaskingUnavailable."""
        tried, running = 0, set[asyncio.Task[None]]()
        try:
            while True:
                job = await self._box.take() if len(running) < self._at_once else None
                if job is not None:
                    tried += 1
                    running.add(asyncio.create_task(self._send(job)))
                elif not running:
                    return tried
                else:
                    running = await self._one_done(running)
        finally:
            for one in running:
                one.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _one_done(self, running: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
        """Until an attempt is over, or something new has come: a carrier that hangs holds up nobody else's text."""
        news = asyncio.create_task(self._news.wait())
        try:
            done, _ = await asyncio.wait({*running, news}, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            news.cancel()
        if news in done:
            self._news.clear()
        for one in running & done:
            one.result()
        return running - done

    async def receipt(self, id: str, arrived: bool | None, reference: str, code: str) -> None:
        """What the carrier says of a text. Raises MaskingUnavailable."""
        job = await self._box.look(id)
        if job is None:
            log.info("a receipt for a text that is not ours was left alone")
        elif arrived is False:
            await self._failed(job, code or "undelivered", reference)
        else:
            await self._box.note(id, Fate(state=State.DELIVERED if arrived else State.SENT, reference=reference))

    async def _send(self, job: Job) -> None:
        try:
            reference = await self._given(job)
        except MaskingUnsure:
            await self._again(job, max(pause(job.tries), UNSURE_PAUSE), unsure=True)
        except MaskingUnavailable:
            await self._again(job, pause(job.tries), unsure=job.unsure)
        except MaskingRefused as refused:
            await self._failed(job, str(refused.code))
        except (NumberRefused, KeyError):
            await self._failed(job, "number_refused")
        else:
            await self._box.note(job.out.id, Fate(state=State.SENT, reference=reference))

    async def _given(self, job: Job) -> str:
        """The carrier's id. An attempt that may have succeeded is looked for before there is another."""
        to = await self._dial(job.out.party)
        body = redact_text(job.out.body, [to.reveal()]).text if job.out.sender else job.out.body
        text = TextOut(id=job.out.id, party=job.out.party, shown=job.out.shown, body=body)
        if job.unsure and job.since is not None:
            reference = await self._carrier.found(text, to, job.since)
            if reference:
                return reference
        return await self._carrier.send(text, to)

    async def _again(self, job: Job, seconds: float, *, unsure: bool) -> None:
        now = self._clock()
        if now + seconds > job.at + GIVE_UP:
            await self._failed(job, "given_up")
            return
        await self._box.note(job.out.id, Fate(state=State.WAITING, due=now + seconds, unsure=unsure))

    async def _failed(self, job: Job, code: str, reference: str = "") -> None:
        """The sender is told, in the same transaction; the relay's own sentences fail in silence."""
        out = job.out
        outs: tuple[Outgoing, ...] = ()
        if out.sender:
            mark = self._box.mark("said", Say.UNDELIVERED, out.sender, out.number)
            outs = (
                Outgoing(
                    id=random_id("text"), party=out.sender, shown=out.number, body=self._undelivered,
                    owner=out.owner, binding=out.binding, mark=mark, pause=600.0,
                ),
            )  # fmt: skip
        fate = Fate(state=State.FAILED, reference=reference, code=code)
        if await self._box.note(out.id, fate, outs) and out.sender:
            self.wake()
            await self._tell(out, code)

    async def _tell(self, out: Outgoing, code: str) -> None:
        if self._diary is None:
            return
        data: dict[str, str | float | None] = {"number": out.number, "party": out.sender, "reason": code}
        event = Event(kind=Happened.TEXT_REFUSED, owner=out.owner, binding=out.binding, at=self._clock(), data=data)
        try:
            await self._diary.tell(event)
        except MaskingUnavailable:
            log.error("a text failed, and its event could not be written")
