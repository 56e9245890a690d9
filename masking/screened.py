"""Bindings whose parties are looked at first: what may not be dialled is not bound either."""

from collections.abc import Awaitable, Callable, Mapping

from masking.port import Binding, Bindings, Wanted
from masking.wishes import check


class ScreenedBindings:
    """Bindings around others."""

    def __init__(self, inner: Bindings, screen: Callable[[Mapping[str, str]], Awaitable[None]]) -> None:
        """`screen`: given party ids by field, raises MaskingRefused for those that may not be bound."""
        self._inner = inner
        self._screen = screen

    async def create(self, wanted: Wanted) -> Binding:
        """As the port says."""
        check(wanted)
        named = {"doctor": wanted.doctor} | ({"patient": wanted.patient} if wanted.patient else {})
        for field, several in (("members", wanted.members), ("phones", wanted.phones)):
            named |= {f"{field}.{place}": party for place, party in enumerate(several)}
        await self._screen(named)
        return await self._inner.create(wanted)

    async def renew(self, id: str, owner: str, life: float | None) -> Binding:
        """As the port says."""
        return await self._inner.renew(id, owner, life)

    async def close(self, id: str, owner: str, *, kill: bool = False) -> Binding:
        """As the port says."""
        return await self._inner.close(id, owner, kill=kill)

    async def get(self, id: str, owner: str) -> Binding:
        """As the port says."""
        return await self._inner.get(id, owner)

    async def list(self, owner: str, *, party: str = "", limit: int = 100, after: str = "") -> tuple[Binding, ...]:
        """As the port says."""
        return await self._inner.list(owner, party=party, limit=limit, after=after)
