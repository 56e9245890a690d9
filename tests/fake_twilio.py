"""A Twilio of our own: takes REST requests as documented, refuses others, and signs webhooks as Twilio does.

Sources: twilio.com/docs/messaging/api/message-resource, /docs/voice/api/call-resource, /docs/usage/webhooks.
"""

import asyncio
import base64
import secrets
import socket
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from twilio.request_validator import RequestValidator

ACCOUNT, TOKEN = "AC" + "0a" * 16, "not-a-real-token"
BASE = f"/2010-04-01/Accounts/{ACCOUNT}"
BASIC = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()


def sid(kind: str) -> str:
    """A fresh id."""
    return kind + secrets.token_hex(16)


@dataclass(slots=True)
class FakeTwilio:
    """Its memory."""

    messages: list[dict[str, str]] = field(default_factory=list)
    """Created, oldest first."""
    calls: list[dict[str, str]] = field(default_factory=list)
    """Created, oldest first."""
    ended: list[str] = field(default_factory=list)
    """Ids of calls that were to be ended."""
    addresses: list[str] = field(default_factory=list)
    """Of every request, with query."""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set with everything that is created."""
    faults: deque[int | str] = field(default_factory=deque)
    """What the next creations end with: a status; an error code such as "21610"; "lost": taken, but not answered."""

    def forget(self) -> None:
        """As new."""
        for kept in (self.messages, self.calls, self.ended, self.addresses, self.faults):
            kept.clear()

    def app(self) -> FastAPI:
        """The REST API."""
        app = FastAPI(openapi_url=None)
        app.add_api_route(f"{BASE}/Messages.json", self._create_message, methods=["POST"])
        app.add_api_route(f"{BASE}/Messages.json", self._list, methods=["GET"])
        app.add_api_route(f"{BASE}/Calls.json", self._create_call, methods=["POST"])
        app.add_api_route(f"{BASE}/Calls/{{call}}.json", self._end_call, methods=["POST"])
        return app

    async def _create_message(self, request: Request) -> Response:
        known = {"To", "From", "Body", "StatusCallback", "ValidityPeriod"}
        return await self._create(request, self.messages, known, {"To", "From", "Body"}, "SM")

    async def _create_call(self, request: Request) -> Response:
        known = {"To", "From", "Url", "Timeout", "Record", "StatusCallback", "StatusCallbackEvent"}
        return await self._create(request, self.calls, known, {"To", "From", "Url"}, "CA")

    async def _end_call(self, call: str, request: Request) -> Response:
        """Ends it once; afterwards it is in progress no more."""
        fault = self.faults.popleft() if self.faults else 0
        if isinstance(fault, int) and fault:
            return _error(fault, 20500)
        if request.headers.get("authorization") != BASIC or await request.body() != b"Status=completed":
            return _error(400, 20001)
        if call in self.ended:
            return _error(400, 21220)
        self.ended.append(call)
        self.news.set()
        if fault == "lost":
            await asyncio.sleep(5)
        return JSONResponse({"sid": call, "status": "completed"})

    async def _create(
        self, request: Request, kept: list[dict[str, str]], known: set[str], needed: set[str], kind: str
    ) -> Response:
        self.addresses.append(str(request.url))
        if request.headers.get("authorization") != BASIC:
            return _error(401, 20003)
        fields = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True, strict_parsing=True))
        if not needed <= fields.keys() <= known or not fields["To"].startswith("+"):
            return _error(400, 20001)
        fault = self.faults.popleft() if self.faults else ""
        if isinstance(fault, int):
            return _error(fault, 20429 if fault == 429 else 20500)
        if fault and fault != "lost":
            return _error(400, int(fault))
        made = {**fields, "sid": sid(kind), "created": format_datetime(datetime.now(UTC))}
        kept.append(made)
        self.news.set()
        if fault == "lost":
            await asyncio.sleep(5)
        return JSONResponse(_message(made) if kind == "SM" else {"sid": made["sid"], "status": "queued"}, 201)

    async def _list(self, request: Request) -> Response:
        self.addresses.append(str(request.url))
        if request.headers.get("authorization") != BASIC:
            return _error(401, 20003)
        found = [one for one in self.messages if one["From"] == request.query_params.get("From", one["From"])]
        return JSONResponse({"messages": [_message(one) for one in reversed(found)], "next_page_uri": None})

    async def hook(
        self, client: httpx.AsyncClient, url: str, fields: Mapping[str, str], *, token: str = TOKEN
    ) -> httpx.Response:
        """Call a webhook, signed."""
        body = {"AccountSid": ACCOUNT, "ApiVersion": "2010-04-01"} | dict(fields)
        headers = {"X-Twilio-Signature": signature(url, body, token)}
        return await client.post(url, data=body, headers=headers)


def signature(url: str, fields: Mapping[str, str], token: str = TOKEN) -> str:
    """As the vendor's package makes it."""
    return str(RequestValidator(token).compute_signature(url, fields))


def form(fields: Mapping[str, str]) -> bytes:
    """The body of a webhook."""
    return urlencode({"AccountSid": ACCOUNT, "ApiVersion": "2010-04-01"} | dict(fields)).encode()


def parts(url: str) -> tuple[str, str]:
    """Path and query of an address that we wrote ourselves."""
    split = urlsplit(url)
    return split.path, split.query


@contextmanager
def in_background(app: FastAPI) -> Iterator[str]:
    """The same in a thread of its own, for many tests: starting and stopping takes a third of a second."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = server.force_exit = True
            thread.join(timeout=10)


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The application on a port of this machine, until the end of the block: its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", access_log=False))
        running = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = server.force_exit = True
            await running


def _message(made: Mapping[str, str]) -> dict[str, object]:
    return {
        "sid": made["sid"], "to": made["To"], "from": made["From"], "body": made["Body"], "status": "queued",
        "date_created": made["created"], "date_sent": None, "date_updated": made["created"], "num_segments": "1",
    }  # fmt: skip


def _error(status: int, code: int) -> JSONResponse:
    """Twilio's own text names the number; nothing of ours may repeat it."""
    told = {"code": code, "message": "The number +447700900123 cannot be used", "more_info": "", "status": status}
    return JSONResponse(told, status)
