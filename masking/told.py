"""Bindings that are told of: created, renewed, closed."""

import logging
from collections.abc import Callable
from typing import Protocol

from masking.port import Binding, Bindings, Event, Happened, MaskingUnavailable, Wanted

log = logging.getLogger(__name__)


class OnceTeller(Protocol):
    """A diary that knows what it told."""

    async def tell(self, event: Event, *, once: str = "") -> None:
        """As Diary.tell; of events with the same `once` the first counts. Raises MaskingUnavailable."""
        ...


class ToldBindings:
    """Bindings around others.

    An event is a transaction of its own, after the binding's: a binding is never lost for the sake of its event. Where
    the process dies between the two, the event is missing until the same request (by its idempotency key) or the same
    closing is made again; a renewal's is missing for good.
    """

    def __init__(self, inner: Bindings, diary: OnceTeller, clock: Callable[[], float]) -> None:
        """`clock`: seconds since the epoch."""
        self._inner = inner
        self._diary = diary
        self._clock = clock

    async def create(self, wanted: Wanted) -> Binding:
        """As the port says."""
        made = await self._inner.create(wanted)
        await self._tell(Happened.BINDING_CREATED, made, made.created, f"created {made.id}")
        return made

    async def renew(self, id: str, owner: str, life: float | None) -> Binding:
        """As the port says."""
        made = await self._inner.renew(id, owner, life)
        await self._tell(Happened.BINDING_RENEWED, made, self._clock(), "")
        return made

    async def close(self, id: str, owner: str, *, kill: bool = False) -> Binding:
        """As the port says."""
        made = await self._inner.close(id, owner, kill=kill)
        once = f"killed {made.id}" if kill else f"closed {made.id}"
        await self._tell(Happened.BINDING_CLOSED, made, self._clock(), once)
        return made

    async def get(self, id: str, owner: str) -> Binding:
        """As the port says."""
        return await self._inner.get(id, owner)

    async def list(self, owner: str, *, party: str = "", limit: int = 100, after: str = "") -> tuple[Binding, ...]:
        """As the port says."""
        return await self._inner.list(owner, party=party, limit=limit, after=after)

    async def _tell(self, kind: Happened, made: Binding, at: float, once: str) -> None:
        data: dict[str, str | float | None] = {
            "kind": made.kind,
            "doctor": made.doctor,
            "patient": made.patient,
            "patient_number": made.patient_number,
            "doctor_number": made.doctor_number,
            "ends": made.ends,
            "killed": float(made.killed),
        }
        event = Event(kind=kind, owner=made.owner, binding=made.id, at=at, data=data)
        try:
            await self._diary.tell(event, once=once)
        except MaskingUnavailable as error:
            log.error("an event of %s was lost: %s", made.id, error)
