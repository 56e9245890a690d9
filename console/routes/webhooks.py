"""Webhooks: where events are told, and what is asked before a call is connected."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from console.access import Caller, Made, needs
from console.bodies import (
    ActiveIn,
    DeliveriesOut,
    DeliveryOut,
    HookIn,
    HookOut,
    HooksOut,
    Id,
    NewHookOut,
    RetriedOut,
    RetryIn,
    SecretOut,
    TestedOut,
)
from console.errors import Refused
from console.routes.common import NOT_SET_UP
from console.services import Services
from masking.port import Deliveries, Hooks, Scope

router = APIRouter(tags=["webhooks"])


def _hooks(services: Services) -> Hooks:
    if services.hooks is None:
        raise Refused(503, "unavailable", NOT_SET_UP)
    return services.hooks


def _deliveries(services: Services) -> Deliveries:
    if services.deliveries is None:
        raise Refused(503, "unavailable", NOT_SET_UP)
    return services.deliveries


@router.post("/webhooks", status_code=201, **needs(Scope.WEBHOOKS_WRITE))
async def add(body: HookIn, made: Made, token: Caller, response: Response) -> NewHookOut:
    """Subscribe an address of yours. The secret that signs is shown this once."""
    hook, secret = await _hooks(made).add(token.owner, body.url, kinds=tuple(body.kinds), use=body.use)
    response.headers["Location"] = f"/v1/webhooks/{hook.id}"
    return NewHookOut(webhook=HookOut.model_validate(hook), secret=secret)


@router.get("/webhooks", **needs(Scope.WEBHOOKS_READ))
async def listing(made: Made, token: Caller) -> HooksOut:
    """Your subscriptions."""
    return HooksOut(webhooks=[HookOut.model_validate(one) for one in await _hooks(made).list(token.owner)])


@router.patch("/webhooks/{id}", **needs(Scope.WEBHOOKS_WRITE))
async def activate(id: Id, body: ActiveIn, made: Made, token: Caller) -> HookOut:
    """Switch it on or off; off, what it was still to be told is given up."""
    return HookOut.model_validate(await _hooks(made).activate(id, token.owner, active=body.active))


@router.delete("/webhooks/{id}", status_code=204, **needs(Scope.WEBHOOKS_WRITE))
async def remove(id: Id, made: Made, token: Caller) -> None:
    """Forget it and what it was still to be told."""
    await _hooks(made).remove(id, token.owner)


@router.post("/webhooks/{id}/rotate", **needs(Scope.WEBHOOKS_WRITE))
async def rotate(id: Id, made: Made, token: Caller) -> SecretOut:
    """A new secret; for a day both sign."""
    return SecretOut(secret=await _hooks(made).rotate(id, token.owner))


@router.get("/webhooks/{id}/deliveries", **needs(Scope.WEBHOOKS_READ))
async def deliveries(
    id: Id, made: Made, token: Caller, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> DeliveriesOut:
    """What it was told, and was not; newest first."""
    found = await _deliveries(made).list(id, token.owner, limit=limit)
    return DeliveriesOut(deliveries=[DeliveryOut.model_validate(one) for one in found])


@router.post("/webhooks/{id}/retry", **needs(Scope.WEBHOOKS_WRITE))
async def retry(id: Id, body: RetryIn, made: Made, token: Caller) -> RetriedOut:
    """Try again what was given up, or one event."""
    return RetriedOut(retried=await _deliveries(made).retry(id, token.owner, body.event))


@router.post("/webhooks/{id}/test", **needs(Scope.WEBHOOKS_WRITE))
async def test(id: Id, made: Made, token: Caller) -> TestedOut:
    """Send a signed test event at once."""
    return TestedOut(result=await _deliveries(made).test(id, token.owner))
