"""The task list of doctors: whom they should call, and the call by a click."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from console.access import Caller, Key, Made, needs
from console.bodies import Id, TaskCallIn, TaskOut, TasksOut, WishOut
from console.errors import Refused
from console.routes.common import NOT_SET_UP
from console.services import Services
from masking.port import Scope, Tasks

router = APIRouter(tags=["tasks"])


def _tasks(services: Services) -> Tasks:
    if services.tasks is None:
        raise Refused(503, "unavailable", NOT_SET_UP)
    return services.tasks


@router.get("/tasks", **needs(Scope.TASKS_READ))
async def page(
    made: Made,
    token: Caller,
    doctor: Annotated[Id, Query(description="Only of this doctor (party id), and callbacks nobody has taken.")] = "",
) -> TasksOut:
    """Callbacks owed and live bindings, most urgent first. Callbacks belong to the hotline's own owner."""
    found = await _tasks(made).list(token.owner, doctor=doctor)
    return TasksOut(tasks=[TaskOut.model_validate(one) for one in found])


@router.post("/tasks/{id}/call", status_code=202, **needs(Scope.TASKS_WRITE))
async def call(id: Id, body: TaskCallIn, made: Made, token: Caller, key: Key, response: Response) -> WishOut:
    """Ring the doctor, then the patient. A callback is bound to the doctor first."""
    doctor = await made.front.party(body.doctor, "doctor")
    wish = await _tasks(made).call(id, token.owner, doctor=doctor, key=key)
    response.headers["Location"] = f"/v1/calls/{wish.id}"
    return WishOut.model_validate(wish)


@router.post("/tasks/{id}/done", status_code=204, **needs(Scope.TASKS_WRITE))
async def done(id: Id, made: Made, token: Caller) -> None:
    """A callback was made; a binding is closed."""
    await _tasks(made).done(id, token.owner)
