"""The web application, made anew by each call: it holds no globals."""

import time
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException

from console import errors
from console.access import note
from console.bodies import NAMES
from console.gate import GUARDED, HEALTH, Gate, Limits
from console.routes import bindings, calls, numbers, parties, tasks, webhooks
from console.services import Services
from masking.port import MaskingRefused, Wrong

ABOUT = """Masked calls between patients and doctors: nobody sees a real number.

Every request carries `Authorization: Bearer TOKEN`; a token has scopes (x-scope of each operation) and acts for one
owner: what is another's is not found. Numbers in requests go into a vault and are never given back."""
ROUTERS = (bindings.router, parties.router, numbers.router, calls.router, tasks.router, webhooks.router)


def create_app(
    services: Services, limits: Limits | None = None, clock: Callable[[], float] = time.monotonic
) -> FastAPI:
    """An application on these services. `clock`: seconds, for the limits."""
    app = _bare()
    app.state.services = services
    app.add_middleware(Gate, tokens=services.tokens, limits=limits, clock=clock)
    app.add_exception_handler(errors.Refused, errors.on_refused)
    app.add_exception_handler(MaskingRefused, _on_masking)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, errors.on_http)
    for kind in errors.UNAVAILABLE:
        app.add_exception_handler(kind, errors.on_unavailable)
    for router in services.more:
        app.include_router(router)
    return app


def document() -> dict[str, Any]:
    """The OpenAPI document."""
    return _bare().openapi()


def _bare() -> FastAPI:
    app = FastAPI(
        title="Triageline",
        version="1",
        description=ABOUT,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: f"{route.tags[0]}_{route.name}" if route.tags else route.name,
    )
    app.add_api_route(HEALTH, _health, include_in_schema=False)
    for router in ROUTERS:
        app.include_router(router, prefix=GUARDED)
    return app


async def _health() -> PlainTextResponse:
    return PlainTextResponse("ok")


async def _on_masking(request: Request, error: Exception) -> JSONResponse:
    """What is not there, or another's, is noted: both alike."""
    assert isinstance(error, MaskingRefused)
    if error.code == Wrong.NOT_FOUND:
        await note(request, "not_found")
    return errors.of_masking(error)


async def _on_validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return errors.of_validation(error, NAMES)
