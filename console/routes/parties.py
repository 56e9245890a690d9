"""Parties: real numbers go in; they come out for a reason, with a trace."""

from fastapi import APIRouter, Request

from console.access import Caller, Made, needs
from console.bodies import Id, PartyIn, PartyOut, ReasonIn, RevealOut
from console.errors import Refused
from console.routes.common import own_party
from masking.port import MaskingRefused, Scope, Wrong

router = APIRouter(tags=["parties"])
NOBODY = "there is no such party"


@router.post("/parties", status_code=201, **needs(Scope.WRITE))
async def keep(body: PartyIn, made: Made) -> PartyOut:
    """Put a number into the vault; the same number has the same id."""
    if not body.number or body.number.startswith("party-"):
        raise Refused(422, "bad_field", "a telephone number is needed", "number")
    return PartyOut(party=await made.front.party(body.number, "number"))


@router.post("/parties/{id}/reveal", **needs(Scope.REVEAL))
async def reveal(id: Id, body: ReasonIn, request: Request, made: Made, token: Caller) -> RevealOut:
    """The real number of a party of your bindings. Token and reason are in the audit before it is even decrypted."""
    await own_party(request, made, token, id)
    try:
        number = await made.vault.reveal(id, reason=body.reason, actor=token.id)
    except (KeyError, ValueError):
        raise MaskingRefused(Wrong.NOT_FOUND, "id", NOBODY) from None
    return RevealOut(number=number.reveal())


@router.post("/parties/{id}/erase", status_code=204, **needs(Scope.ERASE))
async def erase(id: Id, body: ReasonIn, request: Request, made: Made, token: Caller) -> None:
    """Destroy the key of a party's number, for ever; the id stays, empty."""
    await own_party(request, made, token, id)
    try:
        await made.vault.erase(id, reason=body.reason, actor=token.id)
    except (KeyError, ValueError):
        raise MaskingRefused(Wrong.NOT_FOUND, "id", NOBODY) from None
