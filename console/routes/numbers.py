"""Virtual numbers and their pools."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from console.access import Caller, Made, needs
from console.bodies import (
    AddedOut,
    NeedOut,
    NumberOut,
    NumbersIn,
    NumbersOut,
    PoolOut,
    PoolsOut,
    StateIn,
    Who,
)
from console.errors import Refused
from masking.port import Scope, Side

router = APIRouter(tags=["numbers"])


@router.get("/numbers", **needs(Scope.NUMBERS_READ))
async def page(
    made: Made,
    side: Annotated[Side | None, Query(description="Only those that this side dials.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[Who, Query(description="`next` of the page before.")] = "",
) -> NumbersOut:
    """All virtual numbers, sorted."""
    every = [one for one in await made.numbers.list() if one.number > after and side in {None, one.side}]
    found = [NumberOut.model_validate(one) for one in every[:limit]]
    return NumbersOut(numbers=found, next=found[-1].number if len(every) > limit else None)


@router.post("/numbers", status_code=201, **needs(Scope.NUMBERS_WRITE))
async def add(body: NumbersIn, made: Made) -> AddedOut:
    """Take in numbers, all or none; those that are there already count as old."""
    return AddedOut(added=await made.numbers.add(tuple(one.virtual() for one in body.numbers)))


@router.post(
    "/numbers/import",
    status_code=201,
    **needs(Scope.NUMBERS_WRITE)
    | {
        "openapi_extra": {
            "x-scope": str(Scope.NUMBERS_WRITE),
            "requestBody": {
                "required": True,
                "content": {
                    "text/csv": {
                        "schema": {"type": "string"},
                        "example": "number,side,country,area,state\n+12025550110,patient,US,202,active\n",
                    }
                },
            },
        }
    },
)
async def load(request: Request, made: Made) -> AddedOut:
    """Take in a CSV text with a header (number,side[,country,area,state]), all or nothing, up to 16 MiB."""
    try:
        text = (await request.body()).decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(422, "bad_field", "the text is not UTF-8", "file") from None
    return AddedOut(added=await made.numbers.add(made.front.read(text)))


@router.patch("/numbers/{number}", **needs(Scope.NUMBERS_WRITE))
async def change(number: Who, body: StateIn, made: Made) -> NumberOut:
    """Set the state: active, draining (no new bindings), suspended, quarantined."""
    return NumberOut.model_validate(await made.numbers.change(made.front.virtual(number, "number"), body.state))


@router.delete("/numbers/{number}", status_code=204, **needs(Scope.NUMBERS_WRITE))
async def remove(number: Who, made: Made) -> None:
    """Give it up; refused while a binding or a quarantine holds it."""
    await made.numbers.remove(made.front.virtual(number, "number"))


@router.get("/pools", **needs(Scope.NUMBERS_READ))
async def pools(made: Made, token: Caller) -> PoolsOut:
    """How full the pools are, and when they run out."""
    found = [PoolOut.model_validate(one) for one in await made.numbers.report()]
    if token.owner != made.operator:
        found = [one.model_copy(update={"fullest": ""}) for one in found]
    return PoolsOut(pools=found)


@router.get("/plan", **needs(Scope.NUMBERS_READ))
async def plan(
    made: Made,
    per_day: Annotated[float, Query(description="New partners of one person a day.", examples=[20])],
    life_days: Annotated[float, Query(examples=[2])],
    quarantine_days: Annotated[float, Query()] = 7.0,
    odds: Annotated[float, Query(description="Of having too few.")] = 0.001,
) -> NeedOut:
    """How many numbers a load needs."""
    need = made.front.plan(per_day=per_day, life_days=life_days, quarantine_days=quarantine_days, odds=odds)
    return NeedOut.model_validate(need)
