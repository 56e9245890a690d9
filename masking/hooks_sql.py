"""Owners' web addresses in SQL; their secrets are sealed."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from masking.delivery_order import UNDONE, promote
from masking.diary_sql import MOST_LISTED
from masking.ledger import Ledger
from masking.parties import random_id
from masking.port import (
    Delivery,
    DeliveryState,
    Happened,
    Hook,
    HookUse,
    MaskingRefused,
    MaskingUnavailable,
    Sealer,
    Wrong,
)
from masking.poster import Poster, PostFailed, check_url
from masking.schema import deliveries, events, hooks
from masking.signing import HEADER, new_secret, sign

MOST = 10
"""Hooks of one owner."""
OVERLAP = 24 * 3600.0
"""Seconds for which a former secret signs as well."""
PATIENCE = 5.0
"""Seconds that a hook has for its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to send, and with what to sign."""

    hook: str
    """Id."""
    url: str
    """Address."""
    keys: tuple[str, ...] = field(repr=False)
    """Secrets: the present one, and the former while it still signs."""


class SqlHooks:
    """Hooks over SQLite or PostgreSQL."""

    def __init__(self, ledger: Ledger, sealer: Sealer) -> None:
        self._ledger = ledger
        self._sealer = sealer

    async def add(
        self, owner: str, url: str, *, kinds: tuple[Happened, ...] = (), use: HookUse = HookUse.EVENTS
    ) -> tuple[Hook, str]:
        """A new one and its secret. Raises MaskingRefused, MaskingUnavailable."""
        check_url(url)
        if len(owner) > 64:
            raise MaskingRefused(Wrong.FIELD, "owner", "an owner has at most 64 characters")
        secret, id = new_secret(), random_id("hook")
        row: dict[str, object] = {
            "id": id, "owner": owner, "use": use, "url": url, "kinds": " ".join(kinds),
            "secret": self._sealed(id, secret), "former": None, "former_until": 0.0,
            "active": True, "created": self._ledger.clock(), "fails": 0, "rest": 0.0,
        }  # fmt: skip

        def work(db: Connection) -> Hook:
            held = list(db.execute(select(hooks.c.use).where(hooks.c.owner == owner)).scalars())
            if len(held) >= MOST:
                raise MaskingRefused(Wrong.FIELD, "owner", f"an owner has at most {MOST} hooks; remove one first")
            if use == HookUse.INTERCEPT and HookUse.INTERCEPT in held:
                raise MaskingRefused(Wrong.CONFLICT, "use", "an owner has one intercept hook; remove the other first")
            db.execute(insert(hooks).values(row))
            return hook_of(_find(db, id, owner))

        return await self._ledger.write(work), secret

    async def list(self, owner: str) -> tuple[Hook, ...]:
        """The owner's, oldest first. Raises MaskingUnavailable."""
        query = select(hooks).where(hooks.c.owner == owner).order_by(hooks.c.created, hooks.c.id)
        return await self._ledger.read(lambda db: tuple(map(hook_of, db.execute(query))))

    async def remove(self, id: str, owner: str) -> None:
        """Forget it and its deliveries. Raises MaskingRefused, MaskingUnavailable."""

        def work(db: Connection) -> None:
            _find(db, id, owner)
            db.execute(delete(deliveries).where(deliveries.c.hook == id))
            db.execute(delete(hooks).where(hooks.c.id == id))

        await self._ledger.write(work)

    async def rotate(self, id: str, owner: str) -> str:
        """A new secret; the former signs for a day more. Raises MaskingRefused, MaskingUnavailable."""
        secret = new_secret()

        def work(db: Connection) -> None:
            former = _find(db, id, owner).secret
            changed = {"former": former, "former_until": self._ledger.clock() + OVERLAP}
            sealed = self._sealed(id, secret)
            db.execute(update(hooks).where(hooks.c.id == id).values(secret=sealed, **changed))

        await self._ledger.write(work)
        return secret

    async def activate(self, id: str, owner: str, *, active: bool) -> Hook:
        """Switch it on or off. Raises MaskingRefused, MaskingUnavailable."""

        def work(db: Connection) -> Hook:
            _find(db, id, owner)
            if active:
                db.execute(update(hooks).where(hooks.c.id == id).values(active=True, fails=0, rest=0.0))
            else:
                switch_off(db, id)
            return hook_of(_find(db, id, owner))

        return await self._ledger.write(work)

    async def intercept(self, owner: str) -> Target | None:
        """Whom to ask before a call of this owner's is connected. Raises MaskingUnavailable."""
        query = select(hooks).where(hooks.c.owner == owner, hooks.c.use == HookUse.INTERCEPT, hooks.c.active)
        row = await self._ledger.read(lambda db: db.execute(query).first())
        return None if row is None else self.target(row)

    async def find(self, id: str, owner: str) -> Target:
        """One of the owner's, to send to. Raises MaskingRefused, MaskingUnavailable."""
        return self.target(await self._ledger.read(lambda db: _find(db, id, owner)))

    def target(self, row: Row[Any]) -> Target:
        """From a row of `hooks`. Raises MaskingUnavailable."""
        sealed = [row.secret]
        if row.former is not None and self._ledger.clock() < row.former_until:
            sealed.append(row.former)
        try:
            keys = tuple(self._sealer.open(one, _context(row.id)).decode() for one in sealed)
        except ValueError:
            raise MaskingUnavailable("a hook's secret was changed or belongs to other keys") from None
        return Target(hook=row.id, url=row.url, keys=keys)

    def _sealed(self, id: str, secret: str) -> bytes:
        return self._sealer.seal(secret.encode(), _context(id))


class SqlDeliveries:
    """Deliveries over SQLite or PostgreSQL."""

    def __init__(self, ledger: Ledger, hooks: SqlHooks, poster: Poster) -> None:
        self._ledger = ledger
        self._hooks = hooks
        self._poster = poster

    async def list(self, id: str, owner: str, *, limit: int = 100) -> tuple[Delivery, ...]:
        """A hook's newest. Raises MaskingRefused, MaskingUnavailable."""
        both = select(deliveries, events.c.kind, events.c.at).join(events, deliveries.c.event == events.c.id)
        query = both.where(deliveries.c.hook == id).order_by(events.c.at.desc(), deliveries.c.place.desc())

        def work(db: Connection) -> tuple[Delivery, ...]:
            _find(db, id, owner)
            return tuple(map(_delivery, db.execute(query.limit(max(1, min(limit, MOST_LISTED))))))

        return await self._ledger.read(work)

    async def retry(self, id: str, owner: str, event: str = "") -> int:
        """Try again what was given up. Its order among what was delivered meanwhile is lost. Raises MaskingRefused,
        MaskingUnavailable."""

        def work(db: Connection) -> int:
            if not _find(db, id, owner).active:
                raise MaskingRefused(Wrong.CONFLICT, "id", "this hook is off; switch it on first")
            dead = (deliveries.c.hook == id) & (deliveries.c.state == DeliveryState.DEAD)
            dead = dead & (deliveries.c.event == event) if event else dead
            streams = set(db.execute(select(deliveries.c.stream).where(dead)).scalars())
            again = {"state": DeliveryState.BEHIND, "tries": 0, "due": 0.0, "lease": 0.0}
            count = db.execute(update(deliveries).where(dead).values(again)).rowcount
            for stream in streams:
                promote(db, id, stream)
            db.execute(update(hooks).where(hooks.c.id == id).values(rest=0.0))
            return count

        return await self._ledger.write(work)

    async def test(self, id: str, owner: str) -> str:
        """Send a signed test event at once. Raises MaskingRefused, MaskingUnavailable."""
        target, now = await self._hooks.find(id, owner), self._ledger.clock()
        body = b'{"id":"%s","kind":"webhook.test"}' % random_id("event").encode()
        try:
            answer = await self._poster.post(target.url, body, {HEADER: sign(body, target.keys, now)}, seconds=PATIENCE)
        except PostFailed as failed:
            return failed.code
        return str(answer.status)


def hook_of(row: Row[Any]) -> Hook:
    """From a row of `hooks`."""
    return Hook(
        id=row.id,
        owner=row.owner,
        use=HookUse(row.use),
        url=row.url,
        kinds=tuple(Happened(kind) for kind in row.kinds.split()),
        active=row.active,
        created=row.created,
        fails=row.fails,
    )


def switch_off(db: Connection, hook: str) -> None:
    """No more deliveries; those that wait are given up."""
    db.execute(update(hooks).where(hooks.c.id == hook).values(active=False))
    undone = (deliveries.c.hook == hook) & deliveries.c.state.in_(UNDONE)
    db.execute(update(deliveries).where(undone).values(state=DeliveryState.DEAD, last="off"))


def _find(db: Connection, id: str, owner: str) -> Row[Any]:
    row = db.execute(select(hooks).where(hooks.c.id == id)).first()
    if row is None or row.owner != owner:
        raise MaskingRefused(Wrong.NOT_FOUND, "id", "there is no such hook")
    return row


def _context(id: str) -> bytes:
    return b"hook " + id.encode()


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        event=row.event,
        hook=row.hook,
        kind=Happened(row.kind),
        binding="" if row.stream == row.event else row.stream,
        order=row.place,
        state=DeliveryState(row.state),
        tries=row.tries,
        due=row.due,
        last=row.last,
    )
