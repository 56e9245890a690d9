"""Texts by Twilio's Programmable Messaging (twilio.com/docs/messaging/api/message-resource).

Twilio has no idempotency key for messages, so an attempt that it did not answer is looked for among the messages that
it lists: sender, recipient, words and time must fit. They are listed by our own number alone, so that no address holds
a patient's. What it does not list twenty seconds later it never took, and is sent again; a status callback, which
carries our own id of the text, is proof as well.
"""

import logging
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from twilio.base.exceptions import TwilioRestException

from masking.port import PhoneNumber, TextOut
from masking.providers.twilio_http import refusal

log = logging.getLogger(__name__)

STATUS = "/twilio/sms/status"
LISTED = 200
"""Messages of one number that are looked through: as many as it can send in minutes."""
SLACK = 5.0
"""Seconds by which clocks may differ."""
LIFE = 3600
"""Seconds that Twilio may keep a text in its queue."""


class TwilioTexts:
    """Carrier."""

    def __init__(self, api: Any, public: str) -> None:
        """`api`: of `twilio_http.client`. `public`: our address as Twilio sees it, without a slash at the end."""
        self._api = api
        self._public = public

    @property
    def name(self) -> str:
        """Name of the carrier."""
        return "twilio"

    async def send(self, text: TextOut, to: PhoneNumber) -> str:
        """Twilio's id of it. Raises what the port says."""
        try:
            made = await self._api.messages.create_async(
                to=to.reveal(),
                from_=text.shown,
                body=text.body,
                status_callback=f"{self._public}{STATUS}?{urlencode({'text': text.id})}",
                validity_period=LIFE,
            )
        except TwilioRestException as error:
            raise self._logged(error) from None
        return str(made.sid)

    async def found(self, text: TextOut, to: PhoneNumber, since: float) -> str:
        """Twilio's id of an earlier attempt, or "". Raises what the port says."""
        first = datetime.fromtimestamp(since - SLACK, UTC)
        try:
            listed = await self._api.messages.list_async(from_=text.shown, limit=LISTED, page_size=100)
        except TwilioRestException as error:
            raise self._logged(error) from None
        for one in listed:
            same = one.to == to.reveal() and one.body == text.body
            if same and (one.date_created is None or one.date_created >= first):
                return str(one.sid)
        return ""

    def _logged(self, error: TwilioRestException) -> Exception:
        told = refusal(error)
        log.warning("a text could not be sent: %s", told)
        return told
