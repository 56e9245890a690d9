"""Click-to-calls in memory: the dull second implementation, for tests."""

from collections.abc import Callable
from dataclasses import replace

from masking.clicks import OVER, further, seen
from masking.parties import random_id
from masking.port import Exchange, LegEnd, MaskingRefused, Wish, WishState, Wrong


class MemoryWishes:
    """Wishes of this process."""

    def __init__(self, exchange: Exchange, clock: Callable[[], float]) -> None:
        """`exchange`: says whether a binding can be called. `clock`: seconds since the epoch."""
        self._exchange, self._clock = exchange, clock
        self._wishes: dict[str, Wish] = {}
        self._beats: dict[str, float] = {}
        self._keys: dict[tuple[str, str], str] = {}
        self._takers: dict[str, str] = {}

    async def ask(self, binding: str, owner: str, *, key: str = "") -> Wish:
        """As the port says."""
        if key and (known := self._keys.get((owner, key))):
            found = await self.get(known, owner)
            if found.binding != binding:
                raise MaskingRefused(Wrong.KEY_REUSED, "key", "this idempotency key was used for another request")
            return found
        await self._exchange.click(binding, owner)
        wish = Wish(
            id=random_id("wish"), binding=binding, owner=owner, state=WishState.WAITING, at=self._clock()
        )
        self._wishes[wish.id] = wish
        self._beats[wish.id] = wish.at
        if key:
            self._keys[owner, key] = wish.id
        return wish

    async def take(self, taker: str) -> Wish | None:
        """As the port says."""
        waiting = [self._now(one) for one in self._wishes.values() if self._now(one).state is WishState.WAITING]
        if not waiting:
            return None
        first = min(waiting, key=lambda one: (one.at, one.id))
        await self.note(first.id, WishState.TAKEN)
        self._takers[first.id] = taker
        return self._wishes[first.id]

    async def note(self, id: str, state: WishState, end: LegEnd | None = None) -> None:
        """As the port says."""
        wish = self._wishes.get(id)
        if wish is None or wish.state in OVER:
            return
        self._wishes[id] = replace(wish, state=further(wish.state, state), end=end)
        self._beats[id] = self._clock()

    async def forsaken(self, takers: frozenset[str]) -> int:
        """As the port says."""
        theirs = [id for id, taker in self._takers.items() if taker in takers and self._wishes[id].state not in OVER]
        for id in theirs:
            await self.note(id, WishState.FAILED, LegEnd.FAILED)
        return len(theirs)

    async def get(self, id: str, owner: str) -> Wish:
        """As the port says."""
        wish = self._wishes.get(id)
        if wish is None or wish.owner != owner:
            raise MaskingRefused(Wrong.NOT_FOUND, "id", "there is no such wish")
        return self._now(wish)

    def _now(self, wish: Wish) -> Wish:
        return seen(wish, self._beats[wish.id], self._clock())
