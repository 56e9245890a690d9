"""Where Twilio's webhooks arrive. No token: each request proves itself by its signature."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from fastapi import APIRouter, Request, Response


class Answer(Protocol):
    """What is answered."""

    @property
    def status(self) -> int:
        """Of HTTP."""
        ...

    @property
    def body(self) -> str:
        """XML, or one sentence."""
        ...

    @property
    def kind(self) -> str:
        """Content type."""
        ...


class Hooks(Protocol):
    """Who answers."""

    def answer(self, path: str, query: str, body: bytes, *, kind: str, signature: str) -> Awaitable[Answer]:
        """Never raises for what a stranger may send."""
        ...


def router(hooks: Hooks, paths: Iterable[str]) -> APIRouter:
    """Routes for all of these addresses."""
    made = APIRouter(include_in_schema=False)
    for path in paths:
        made.add_api_route(path, _route(hooks, path), methods=["POST"])
    return made


def _route(hooks: Hooks, path: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        told = await hooks.answer(
            path,
            request.scope["query_string"].decode("latin-1"),
            await request.body(),
            kind=request.headers.get("content-type", ""),
            signature=request.headers.get("x-twilio-signature", ""),
        )
        return Response(told.body, status_code=told.status, media_type=told.kind)

    return answer
