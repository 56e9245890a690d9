"""Twilio's webhooks, without a web framework: a request in, an answer out."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from masking.numbers import normalise
from masking.port import MaskingUnavailable, Relay, TextIn
from masking.providers.twilio_calls import Repeated, TwilioCalls
from masking.providers.twilio_gate import Forged, Malformed, Signed, TwilioGate
from masking.providers.twilio_legs import CLICK, CODE, STATUS, VOICE, WHISPER
from masking.providers.twilio_texts import STATUS as TEXT_STATUS

log = logging.getLogger(__name__)

TEXT = "/twilio/sms"
EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response />'
ARRIVED = {"delivered": True, "read": True, "undelivered": False, "failed": False, "canceled": False}
"""MessageStatus that is final (twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks)."""
UNDER_WAY = frozenset({"accepted", "scheduled", "queued", "sending", "sent"})
VOICE_PATHS = (VOICE, CODE, WHISPER, CLICK, STATUS)
PATHS = (*VOICE_PATHS, TEXT, TEXT_STATUS)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer."""

    status: int
    """Of HTTP."""
    body: str = ""
    """XML, or one sentence."""

    @property
    def kind(self) -> str:
        """Content type."""
        return "text/xml; charset=utf-8" if self.body.startswith("<") else "text/plain; charset=utf-8"


class TwilioHooks:
    """Answers all webhooks. Who asks is proved by the signature alone."""

    def __init__(self, gate: TwilioGate, calls: TwilioCalls | None, relay: Relay | None, *, region: str = "US") -> None:
        """`calls`, `relay`: None where Twilio carries no calls, or no texts. `region`: country of numbers without
        country code."""
        self._gate = gate
        self._calls = calls
        self._relay = relay
        self._region = region

    async def answer(self, path: str, query: str, body: bytes, *, kind: str, signature: str) -> Answer:
        """403 for what Twilio did not sign or asks again, 400 for what is no form, 503 where it may come again."""
        try:
            asked = self._gate.read(path, query, body, kind=kind, signature=signature)
            return await self._step(path)(asked)
        except (Forged, Repeated) as error:
            log.warning("a webhook was refused: %s", error)
            return Answer(403, "not allowed")
        except Malformed as error:
            log.warning("a webhook was not understood: %s", error)
            return Answer(400, "not understood")
        except MaskingUnavailable as error:
            log.error("a webhook could not be answered: %s", error)
            return Answer(503, "try again")

    def _step(self, path: str) -> Callable[[Signed], Awaitable[Answer]]:
        if path in VOICE_PATHS and self._calls is not None:
            return self._call
        if path in {TEXT, TEXT_STATUS} and self._relay is not None:
            return self._text if path == TEXT else self._text_status
        raise Malformed("nothing is done at this address")

    async def _call(self, asked: Signed) -> Answer:
        assert self._calls is not None
        return Answer(200, await self._calls.answer(asked))

    async def _text(self, asked: Signed) -> Answer:
        """A repetition is taken in silence: the relay knows the id, and Twilio must not try its other addresses."""
        assert self._relay is not None
        fields = asked.fields
        others = sum(name.startswith("OtherRecipients") for name in fields)
        text = TextIn(
            provider="twilio",
            id=asked.sid("MessageSid", "SM", "MM"),
            number=fields.get("To", ""),
            sender=normalise(fields.get("From", ""), self._region),
            body=fields.get("Body", ""),
            media=asked.number("NumMedia"),
            others=others,
        )
        await self._relay.received(text)
        return Answer(200, EMPTY)

    async def _text_status(self, asked: Signed) -> Answer:
        assert self._relay is not None
        reference, status = asked.sid("MessageSid", "SM", "MM"), asked.fields.get("MessageStatus", "")
        if "text" not in asked.query or (status not in ARRIVED and status not in UNDER_WAY):
            raise Malformed("this is no status of a text of ours")
        code = asked.fields.get("ErrorCode", "")
        await self._relay.receipt(
            asked.query["text"],
            arrived=ARRIVED.get(status),
            reference=reference,
            code=f"twilio-{code}" if code.isdecimal() and len(code) < 8 else "",
        )
        return Answer(200, EMPTY)
