"""Click-to-calls on their way, and records of calls that were."""

from typing import Annotated

from fastapi import APIRouter, Query

from console.access import Caller, Made, needs
from console.bodies import Id, RecordOut, RecordsOut, WishOut
from console.errors import Refused
from console.routes.common import NOT_SET_UP, wishes_of
from masking.port import Scope

router = APIRouter(tags=["calls"])


@router.get("/calls", **needs(Scope.READ))
async def page(
    made: Made,
    token: Caller,
    binding: Annotated[Id, Query(description="Only of this binding.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> RecordsOut:
    """Legs of your masked calls, newest first: who, through which number, how long, how it ended."""
    if made.diary is None:
        raise Refused(503, "unavailable", NOT_SET_UP)
    found = await made.diary.calls(token.owner, binding=binding, limit=limit)
    return RecordsOut(legs=[RecordOut.of(one) for one in found])


@router.get("/calls/{id}", **needs(Scope.READ))
async def get(id: Id, made: Made, token: Caller) -> WishOut:
    """Where a click-to-call of yours stands."""
    return WishOut.model_validate(await wishes_of(made).get(id, token.owner))
