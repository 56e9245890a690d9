"""In front of every route: who asks, how often, how much; what is logged; and no fault that tells too much."""

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console import errors
from console.buckets import Buckets
from console.errors import Refused
from masking.port import Token, Tokens

log = logging.getLogger(__name__)
access = logging.getLogger("console.access")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
GUARDED = "/v1"
"""Below it, a token is needed."""
HEALTH = "/healthz"
LARGE = "/v1/numbers/import"
"""The one address that takes a large body."""
KNOWN_SECRETS = 1000
SAFE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a client may ask."""

    rate: float = 20.0
    """Requests of a token a second in the long run."""
    burst: float = 60.0
    """Requests of a token at once."""
    strangers: float = 30.0
    """Requests without a valid token at once, an address; one more every two seconds."""
    body: int = 64 * 1024
    """Bytes of a body."""
    large_body: int = 16 * 1024 * 1024
    """Bytes of an import."""
    body_seconds: float = 15.0
    """In which a body must have come."""


class Gate:
    """ASGI middleware; the token of an admitted request is in its state."""

    def __init__(
        self, app: ASGIApp, tokens: Tokens, limits: Limits | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock`: seconds."""
        self._app = app
        self._tokens = tokens
        self._limits = limits or Limits()
        self._clock = clock
        self._by_token = Buckets(rate=self._limits.rate, burst=self._limits.burst)
        self._strangers = Buckets(rate=0.5, burst=self._limits.strangers)
        self._good: OrderedDict[bytes, None] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._clock()
        outgoing = _Outgoing(send)
        try:
            await self._enter(scope, receive, outgoing)
        except Refused as refused:
            await errors.of_refused(refused)(scope, receive, outgoing)
        except errors.UNAVAILABLE as error:
            log.error("a request could not be answered: %s", error)
            await errors.unavailable()(scope, receive, outgoing)
        except Exception:  # a mistake of ours: logged here, and the caller is told so without a traceback
            log.exception("a request failed")
            if not outgoing.status:
                await errors.broken()(scope, receive, outgoing)
        finally:
            _note(scope, outgoing.status, self._clock() - began)

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope["path"])
        if path == GUARDED or path.startswith(GUARDED + "/"):
            token = await self._token(scope)
            scope.setdefault("state", {})["token"] = token
            if seconds := self._by_token.take(token.id, self._clock()):
                raise _too_many(seconds)
        limit = self._limits.large_body if path == LARGE else self._limits.body
        body = await self._body(scope, receive, limit)
        await self._app(scope, _again(body, receive), send)

    async def _token(self, scope: Scope) -> Token:
        """Whose request this is. Raises Refused; strangers who try too often are not looked up any more."""
        given = Headers(scope=scope).getlist("authorization")
        kind, _, secret = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        digest = hashlib.sha256(secret.encode()).digest()
        address = scope["client"][0] if scope.get("client") else ""
        if digest not in self._good and self._strangers.empty(address, self._clock()):
            raise _too_many(self._strangers.take(address, self._clock()))
        token = await self._tokens.known(secret) if kind.lower() == "bearer" else None
        if token is None:
            self._good.pop(digest, None)
            self._strangers.take(address, self._clock())
            headers = {"WWW-Authenticate": "Bearer"}
            raise Refused(401, "unauthorised", "a valid service token is needed", "authorization", headers)
        self._good[digest] = None
        if len(self._good) > KNOWN_SECRETS:
            self._good.popitem(last=False)
        return token

    async def _body(self, scope: Scope, receive: Receive, limit: int) -> bytes:
        """All of it, before anything else is done. Raises Refused."""
        told = Headers(scope=scope).get("content-length", "0")
        if not told.isascii() or not told.isdecimal() or len(told) > 15 or int(told) > limit:
            raise _too_large(limit)
        whole = bytearray()
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                more = True
                while more:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise Refused(400, "bad_field", "the body ended too early", "body")
                    whole += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(whole) > limit:
                        raise _too_large(limit)
        except TimeoutError:
            raise Refused(408, "too_slow", "the body did not come in time", "body", {"Connection": "close"}) from None
        return bytes(whole)


class _Outgoing:
    """Adds headers to the answer, and remembers its status."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in SAFE_HEADERS.items():
                headers[name] = value
        await self._send(message)


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more; then what the connection says."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _too_many(seconds: int) -> Refused:
    headers = {"Retry-After": str(seconds)}
    return Refused(429, "rate_limited", "these are too many requests; wait and try again", "", headers)


def _too_large(limit: int) -> Refused:
    message = f"the body may have {limit // 1024} KiB"
    return Refused(413, "too_large", message, "body", {"Connection": "close"})


def _note(scope: Scope, status: int, seconds: float) -> None:
    """Route, not address: addresses hold ids, and whatever somebody types into them."""
    token = scope.get("state", {}).get("token")
    access.info("%s %d %.0f ms %s", route_of(scope), status, seconds * 1000, token.id if token else "no token")


def route_of(scope: Scope) -> str:
    """Method and route with its placeholders, for example "GET /v1/bindings/{id}"."""
    method = scope["method"] if scope["method"] in METHODS else "(other)"
    route = getattr(scope.get("route"), "path", "(none)")
    guarded = str(scope["path"]).startswith(GUARDED + "/") and not route.startswith((GUARDED, "("))
    return f"{method} {GUARDED if guarded else ''}{route}"
