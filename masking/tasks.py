"""The task list of doctors: callbacks that the hotline promised, and live bindings through which they may call."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from masking.port import Binding, Bindings, Kind, MaskingRefused, Task, TaskKind, Wanted, Wish, Wishes, Wrong

HOTLINE = "hotline"
"""The owner to whom callbacks belong: the hotline itself."""
MOST_LOOKED_AT = 1000
CALLABLE = frozenset({Kind.PAIR, Kind.CODE})


class Owed(Protocol):
    """A promise to call somebody back, as the records keep it."""

    @property
    def id(self) -> str:
        """Opaque."""
        ...

    @property
    def party(self) -> str:
        """Party id."""
        ...

    @property
    def urgency(self) -> int:
        """Higher goes first."""
        ...

    @property
    def at(self) -> float:
        """Seconds since the epoch."""
        ...


class Promises(Protocol):
    """The list of such promises."""

    async def open(self) -> Sequence[Owed]:
        """Those not done, most urgent first, then oldest."""
        ...

    async def done(self, id: str) -> None:
        """Mark as called. Raises KeyError."""
        ...


class DoctorTasks:
    """Tasks over bindings, click-to-calls and promises."""

    def __init__(
        self, bindings: Bindings, wishes: Wishes | None, promises: Promises, clock: Callable[[], float] = time.time
    ) -> None:
        """`wishes`: None where no line takes click-to-calls. `clock`: seconds since the epoch."""
        self._bindings = bindings
        self._wishes = wishes
        self._promises = promises
        self._clock = clock

    async def list(self, owner: str, *, doctor: str = "") -> tuple[Task, ...]:
        """As the port says."""
        live = await self._live(owner, doctor)
        owed = tuple(await self._promises.open()) if owner == HOTLINE else ()
        by_patient = {made.patient: made for made in reversed(live)}
        called = {one.party for one in owed}
        tasks = [_callback(one, by_patient.get(one.party)) for one in owed]
        tasks += [_binding(made) for made in live if made.patient not in called]
        return tuple(sorted(tasks, key=lambda task: (-task.urgency, task.kind != TaskKind.CALLBACK, task.at, task.id)))

    async def call(self, id: str, owner: str, *, doctor: str = "", key: str = "") -> Wish:
        """As the port says."""
        if self._wishes is None:
            raise MaskingRefused(Wrong.FIELD, "id", "no line here takes click-to-calls")
        owed = await self._owed(id, owner)
        if owed is None:
            return await self._wishes.ask(id, owner, key=key)
        return await self._call_back(self._wishes, owed, owner, doctor, key)

    async def done(self, id: str, owner: str) -> None:
        """As the port says."""
        if await self._owed(id, owner) is None:
            await self._bindings.close(id, owner)
            return
        try:
            await self._promises.done(id)
        except KeyError:
            raise MaskingRefused(Wrong.NOT_FOUND, "id", "there is no such task") from None

    async def _owed(self, id: str, owner: str) -> Owed | None:
        """An open promise; None for anything else. Asked whoever asks, so that others learn nothing from the time."""
        found = next((one for one in await self._promises.open() if one.id == id), None)
        return found if owner == HOTLINE else None

    async def _call_back(self, wishes: Wishes, owed: Owed, owner: str, doctor: str, key: str) -> Wish:
        """By a live pair of patient and doctor: the one there is, unless only the patient may call in it, or a new one
        for a day. Two who ask at once get one."""
        pairs = await self._pairs(owed, owner, doctor)
        for made in pairs:
            if made.kind in CALLABLE and self._is_live(made):
                try:
                    return await wishes.ask(made.id, owner, key=key)
                except MaskingRefused as refused:
                    if refused.code != Wrong.ONE_WAY:
                        raise
        name = f"task {owed.id} {doctor} {len(pairs)}"[:128]
        wanted = Wanted(owner=owner, kind=Kind.PAIR, doctor=doctor, patient=owed.party, key=name)
        return await wishes.ask((await self._bindings.create(wanted)).id, owner, key=key)

    async def _pairs(self, owed: Owed, owner: str, doctor: str) -> Sequence[Binding]:
        """All of this patient and doctor, newest first. Raises MaskingRefused where no doctor is named."""
        if not doctor:
            raise MaskingRefused(Wrong.FIELD, "doctor", "name the doctor who calls back")
        known = await self._bindings.list(owner, party=owed.party, limit=MOST_LOOKED_AT)
        return [made for made in known if (made.doctor, made.patient) == (doctor, owed.party)]

    async def _live(self, owner: str, doctor: str) -> Sequence[Binding]:
        newest = await self._bindings.list(owner, party=doctor, limit=MOST_LOOKED_AT)
        return [
            made
            for made in newest
            if made.kind in CALLABLE and self._is_live(made) and doctor in {"", made.doctor}
        ]

    def _is_live(self, made: Binding) -> bool:
        return not made.closed and (made.ends is None or self._clock() < made.ends)


def _callback(one: Owed, made: Binding | None) -> Task:
    return Task(
        id=one.id,
        kind=TaskKind.CALLBACK,
        patient=one.party,
        doctor=made.doctor if made else "",
        urgency=int(one.urgency),
        at=one.at,
        binding=made.id if made else "",
    )


def _binding(made: Binding) -> Task:
    return Task(
        id=made.id,
        kind=TaskKind.BINDING,
        patient=made.patient,
        doctor=made.doctor,
        urgency=0,
        at=made.created,
        binding=made.id,
    )
