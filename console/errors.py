"""Every error is {"error": {"code", "field", "message"}}: a stable code, one sentence, nothing of what was sent."""

from collections.abc import Sequence
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from masking.port import MaskingRefused, MaskingUnavailable, Wrong
from records.port import JournalUnavailable

STATUSES = {
    Wrong.FIELD: 422,
    Wrong.SAME_PARTY: 422,
    Wrong.NUMBER_REFUSED: 422,
    Wrong.NO_CAPACITY: 409,
    Wrong.CONFLICT: 409,
    Wrong.KEY_REUSED: 409,
    Wrong.NOT_FOUND: 404,
    Wrong.ENDED: 409,
    Wrong.NUMBER_UNKNOWN: 404,
    Wrong.NUMBER_IN_USE: 409,
    Wrong.ONE_WAY: 409,
}
UNAVAILABLE_SECONDS = 2
"""What Retry-After says when a database does not answer."""
_SENTENCES = {
    "missing": "this field is needed",
    "extra_forbidden": "there is no such field",
    "json_invalid": "the body is not valid JSON",
    "string_type": "this must be text",
    "string_too_long": "this text is too long",
    "string_too_short": "this text is too short",
    "bool_type": "this must be true or false",
    "float_type": "this must be a number",
    "float_parsing": "this must be a number",
    "int_type": "this must be a whole number",
    "int_parsing": "this must be a whole number",
    "list_type": "this must be a list",
    "too_long": "these are too many",
    "too_short": "at least one is needed",
    "model_attributes_type": "this must be a JSON object",
    "enum": "this is none of the values allowed here; docs/api.md lists them",
}


class Refused(Exception):
    """The request is refused before or beside the rooms."""

    def __init__(
        self, status: int, code: str, message: str, field: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.field = field
        self.headers = headers or {}


def answer(status: int, code: str, field: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """An error as clients see it."""
    body = {"error": {"code": code, "field": field, "message": message}}
    return JSONResponse(body, status_code=status, headers=headers)


def of_refused(refused: Refused) -> JSONResponse:
    """As it is."""
    return answer(refused.status, refused.code, refused.field, str(refused), refused.headers)


def of_masking(refused: MaskingRefused) -> JSONResponse:
    """The room's own code, field and sentence: the command line says the same."""
    status = STATUSES[refused.code]
    if refused.code == Wrong.NUMBER_UNKNOWN and refused.field != "number":
        status = 422
    return answer(status, str(refused.code), refused.field, str(refused))


def unavailable() -> JSONResponse:
    """A database does not answer. Nothing was done, or it is not known: the same idempotency key tells."""
    return answer(
        503, "unavailable", "", "the service cannot answer now; try again with the same idempotency key",
        {"Retry-After": str(UNAVAILABLE_SECONDS)},
    )  # fmt: skip


def broken() -> JSONResponse:
    """A fault of ours."""
    return answer(500, "internal", "", "something is wrong on our side; the operator's log says what")


def of_validation(wrong: RequestValidationError, names: frozenset[str]) -> JSONResponse:
    """The first mistake. FastAPI would send back what it was given: numbers, in our case."""
    first: dict[str, Any] = dict(wrong.errors()[0])
    kind = str(first["type"])
    message = _SENTENCES.get(kind, "this value is not valid here; docs/api.md says what is")
    return answer(422, str(Wrong.FIELD), _field(kind, first["loc"], names), message)


def _field(kind: str, place: Sequence[int | str], names: frozenset[str]) -> str:
    """Names that we know, and places in lists: a client's own field name may be anything, a number too."""
    if kind == "json_invalid":
        return "body"
    known = [str(part) for part in place[1:] if isinstance(part, int) or part in names]
    return ".".join(known) or "body"


def of_http(wrong: HTTPException) -> JSONResponse:
    """What the framework itself refuses."""
    found = {
        404: ("not_found", "there is nothing at this address"),
        405: ("method_not_allowed", "this address does not know this method"),
    }
    code, message = found.get(wrong.status_code, (str(Wrong.FIELD), "the request cannot be read"))
    return answer(wrong.status_code, code, "", message, dict(wrong.headers or {}))


async def on_refused(request: Request, error: Exception) -> JSONResponse:
    """Handler."""
    assert isinstance(error, Refused)
    return of_refused(error)


async def on_unavailable(request: Request, error: Exception) -> JSONResponse:
    """Handler."""
    return unavailable()


async def on_http(request: Request, error: Exception) -> JSONResponse:
    """Handler."""
    assert isinstance(error, HTTPException)
    return of_http(error)


UNAVAILABLE = (MaskingUnavailable, JournalUnavailable)
