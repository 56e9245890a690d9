"""Who asks, and what a route demands of them."""

import re
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.security import HTTPBearer

from console.bodies import ErrorOut
from console.errors import Refused
from console.gate import route_of
from console.services import Services
from masking.port import Scope, Token, Use

_BEARER = HTTPBearer(auto_error=False, description="A service token: `triageline tokens create`.")
_ID = re.compile(r"[A-Za-z]{1,16}-[A-Za-z]{1,40}")
_ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorOut, "description": "Refused, and nothing was done: docs/api.md lists the codes."},
    503: {"model": ErrorOut, "description": "Try again later with the same key (unavailable); see Retry-After."},
}


def services_of(request: Request) -> Services:
    """What the application was made of."""
    found: Services = request.app.state.services
    return found


def token_of(request: Request) -> Token:
    """Who asks; the gate has looked."""
    found: Token = request.state.token
    return found


Made = Annotated[Services, Depends(services_of)]
Caller = Annotated[Token, Depends(token_of)]


def needs(scope: Scope) -> dict[str, Any]:
    """For a route's decorator: the scope, checked and documented."""

    async def check(request: Request, services: Made, token: Caller) -> None:
        if scope not in token.scopes:
            await note(request, "forbidden")
            raise Refused(403, "forbidden", f"this token lacks the scope {scope}", "scope")

    return {
        "dependencies": [Depends(check), Depends(_BEARER)],
        "responses": _ERRORS,
        "openapi_extra": {"x-scope": str(scope)},
    }


async def note(request: Request, outcome: str) -> None:
    """Write to the audit who asked for what. Raises MaskingUnavailable: then nothing is shown either."""
    services, token = services_of(request), token_of(request)
    subject = str(request.path_params.get("id", ""))
    use = Use(
        at=services.clock(),
        token=token.id,
        action=route_of(request.scope)[:64],
        subject=subject if _ID.fullmatch(subject) else "",
        outcome=outcome,
    )
    await services.tokens.note(use)


def key_of(
    made: Made,
    token: Caller,
    key: Annotated[
        str,
        Header(
            alias="Idempotency-Key",
            max_length=128,
            pattern=r"^[\x21-\x7e]*$",
            description="The same key again gives what it made before. Letters and digits of your own choice.",
        ),
    ] = "",
) -> str:
    """The idempotency key as it is kept."""
    return made.hide_key(token.owner, key)


Key = Annotated[str, Depends(key_of)]
