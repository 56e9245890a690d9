"""What several routes need."""

from fastapi import Request

from console.access import note
from console.errors import Refused
from console.services import Services
from masking.port import MaskingRefused, Token, Wishes, Wrong

NOT_SET_UP = "this installation does not have it"


def wishes_of(services: Services) -> Wishes:
    """Click-to-calls. Raises Refused where no line takes any."""
    if services.wishes is None:
        raise Refused(503, "unavailable", NOT_SET_UP)
    return services.wishes


async def own_party(request: Request, services: Services, token: Token, id: str) -> None:
    """Whether the token may ask for this party, which is noted. Raises MaskingRefused: not found, whether it belongs to
    somebody else or to nobody."""
    seen = await services.bindings.list(token.owner, party=id, limit=1)
    if not seen and token.owner != services.operator:
        raise MaskingRefused(Wrong.NOT_FOUND, "id", "there is no such party")
    await note(request, "done")
