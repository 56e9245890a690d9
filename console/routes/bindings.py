"""Bindings: who may call whom, and click-to-call."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from console.access import Caller, Key, Made, needs
from console.bodies import (
    BindIn,
    BindingOut,
    BindingsOut,
    Id,
    RenewIn,
    ResolveIn,
    VerdictOut,
    WishOut,
)
from console.errors import Refused
from console.routes.common import wishes_of
from masking.port import Dialled, Scope, Token

router = APIRouter(tags=["bindings"])
PAGE = 100


def _sees_code(token: Token) -> bool:
    return Scope.WRITE in token.scopes


@router.post("/bindings", status_code=201, **needs(Scope.WRITE))
async def bind(body: BindIn, made: Made, token: Caller, key: Key, response: Response) -> BindingOut:
    """Let two sides call each other through numbers of ours.

    Numbers become party ids and are not given back. The same Idempotency-Key with the same body gives the binding that
    it made before; with another body, idempotency_conflict."""
    wanted = await made.front.settle(body.wanted(token.owner, key))
    new = await made.bindings.create(wanted)
    response.headers["Location"] = f"/v1/bindings/{new.id}"
    return BindingOut.of(new, code=True)


@router.get("/bindings", **needs(Scope.READ))
async def page(
    made: Made,
    token: Caller,
    party: Annotated[Id, Query(description="Only of this patient or doctor (party id).")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = PAGE,
    after: Annotated[Id, Query(description="`next` of the page before.")] = "",
) -> BindingsOut:
    """Your bindings, newest first."""
    found = await made.bindings.list(token.owner, party=party, limit=limit, after=after)
    more = found[-1].id if len(found) == limit else None
    return BindingsOut(bindings=[BindingOut.of(one, code=False) for one in found], next=more)


@router.get("/bindings/{id}", **needs(Scope.READ))
async def get(id: Id, made: Made, token: Caller) -> BindingOut:
    """One of yours."""
    return BindingOut.of(await made.bindings.get(id, token.owner), code=_sees_code(token))


@router.post("/bindings/{id}/renew", **needs(Scope.WRITE))
async def renew(id: Id, body: RenewIn, made: Made, token: Caller) -> BindingOut:
    """Move the end of a live binding."""
    return BindingOut.of(await made.bindings.renew(id, token.owner, body.life), code=True)


@router.delete("/bindings/{id}", **needs(Scope.WRITE))
async def end(
    id: Id,
    made: Made,
    token: Caller,
    kill: Annotated[bool, Query(description="Cut calls in progress as well.")] = False,
) -> BindingOut:
    """No new calls from now on; twice is once."""
    return BindingOut.of(await made.bindings.close(id, token.owner, kill=kill), code=True)


@router.post("/bindings/{id}/calls", status_code=202, **needs(Scope.WRITE))
async def call(id: Id, made: Made, token: Caller, key: Key, response: Response) -> WishOut:
    """Click-to-call: the doctor's phone rings, then the patient's; each sees a virtual number."""
    wish = await wishes_of(made).ask(id, token.owner, key=key)
    response.headers["Location"] = f"/v1/calls/{wish.id}"
    return WishOut.model_validate(wish)


@router.post("/resolve", **needs(Scope.RESOLVE))
async def resolve(body: ResolveIn, made: Made, token: Caller) -> VerdictOut:
    """What a call would lead to. A wrong code counts, as it does on the phone."""
    if not body.number:
        raise Refused(422, "bad_field", "the number that is dialled is needed", "number")
    caller = await made.front.party(body.caller, "caller")
    verdict = await made.exchange.resolve(Dialled(number=body.number, caller=caller, code=body.code))
    found = VerdictOut.model_validate(verdict)
    if verdict.owner == token.owner:
        return found
    return found.model_copy(update={"binding": "", "callee": "", "shown": "", "seconds": 0.0})
