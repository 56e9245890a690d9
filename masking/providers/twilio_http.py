"""The way to Twilio's REST API: the vendor's package over our own HTTP client, at an address of our choice."""

from typing import Any

import httpx
from twilio.base.exceptions import TwilioRestException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from masking.port import MaskingRefused, MaskingUnavailable, MaskingUnsure, Wrong

API = "https://api.twilio.com"
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
TOO_MANY = 429
REFUSED_US = (401, 403)


class TwilioHttp(AsyncHttpClient):  # type: ignore[misc]
    """Requests by httpx. It logs nothing: addresses and bodies hold numbers."""

    def __init__(self, *, base: str = API, seconds: float = 10.0) -> None:
        """`base`: address of the API instead of Twilio's, for tests. `seconds`: longest wait for an answer."""
        super().__init__(None, True, seconds)
        self._base = base.rstrip("/")
        self._client = httpx.AsyncClient(timeout=seconds)

    async def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the vendor's signature
        allow_redirects: bool = False,
    ) -> Response:
        """One request. Raises MaskingUnavailable where it surely did not arrive, else MaskingUnsure."""
        del timeout, allow_redirects
        fields: Any = {name: _text(value) for name, value in (data or {}).items()}
        asked: Any = {name: _text(value) for name, value in (params or {}).items() if value is not None}
        try:
            answer = await self._client.request(
                method, self._base + uri.removeprefix(API), params=asked, data=fields, headers=headers, auth=auth
            )
        except NEVER_SENT:
            raise MaskingUnavailable("Twilio cannot be reached") from None
        except httpx.HTTPError:
            raise MaskingUnsure("Twilio gave no answer") from None
        return Response(answer.status_code, answer.text, answer.headers)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()


def _text(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_text(one) for one in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def client(account: str, token: str, http: TwilioHttp) -> Client:
    """The vendor's client. `account` and `token`: Account SID and Auth Token."""
    return Client(account, token, http_client=http, environment={"TWILIO_REGION": ""})


def refusal(error: TwilioRestException) -> Exception:
    """What an error answer means; the vendor's text is left behind, for it may hold the number.

    See twilio.com/docs/api/errors and twilio.com/docs/usage/twilios-response.
    """
    status, code = int(error.status), int(error.code or 0)
    if status == TOO_MANY:
        return MaskingUnavailable("Twilio wants fewer requests")
    if status in REFUSED_US:
        return MaskingUnavailable(f"Twilio does not take our account id and token (status {status}, error {code})")
    if status >= 500:
        return MaskingUnsure(f"Twilio failed (status {status})")
    return MaskingRefused(Wrong.NUMBER_REFUSED, "to", f"Twilio refused it (status {status}, error {code})")
