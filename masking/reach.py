# Size: open_reach names every part once, and which of them stands on which.
"""What of the room reaches beyond it: webhooks, hooks before calls, limits in Redis. Opened once a process."""

import random
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from masking.buckets import Rates
from masking.claims_redis import RedisClaims
from masking.deliverer import Deliverer, Keep
from masking.desk import Desk
from masking.hooks_sql import SqlDeliveries
from masking.intercept import SECONDS, HookIntercept
from masking.limits_redis import TIMEOUT_SECONDS, RedisLimits
from masking.outbox import Outbox
from masking.port import Alert, MaskingUnavailable, Sealer
from masking.poster import Poster


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """All of it, open."""

    desk: Desk
    """The desk that was given, with intercept and limits."""
    deliveries: SqlDeliveries
    """What hooks were told."""
    deliverer: Deliverer
    """To be run; in any number of processes."""
    poster: Poster
    """For webhooks; to be closed."""
    asker: Poster
    """For hooks before calls; to be closed."""
    intercept: HookIntercept
    """To be closed."""
    limits: RedisLimits | None
    """To be closed; None without Redis."""
    claims: RedisClaims | None
    """Pairs that are being connected; to be closed; None without Redis."""

    async def close(self) -> None:
        """Let what is being told be told, and give connections back. The desk stays open."""
        await self.intercept.close()
        if self.limits is not None:
            await self.limits.close()
        if self.claims is not None:
            await self.claims.close()
        await self.poster.close()
        await self.asker.close()


def open_reach(
    desk: Desk,
    sealer: Callable[[str], Sealer],
    *,
    taker: str,
    redis_url: str = "",
    redis_patience: float = TIMEOUT_SECONDS,
    hook_patience: float = SECONDS,
    networks: Sequence[str] = (),
    authorities: Path | None = None,
    rates: Rates | None = None,
    keep: Keep | None = None,
    alert: Callable[[Alert], None] | None = None,
) -> Reach:
    """Open it on a desk. `taker`: name of this process, like no other's. `redis_url`: "" for no limits; after
    `redis_patience` seconds without an answer it counts as lost. `hook_patience`: seconds that a hook before a
    call has for its answer. `networks`: private ones in which hooks may lie.
    `authorities`: certificates to trust beside the usual ones, PEM. `alert` is called in the writer's thread; None: the
    desk's. Raises MaskingUnavailable for what cannot be used."""
    try:
        context = ssl.create_default_context()
        if authorities is not None:
            context.load_verify_locations(authorities)
        # Two: a name server that hangs for webhooks must not make callers wait.
        poster, asker = (Poster(networks=networks, context=context) for _ in range(2))
    except (ValueError, OSError) as error:
        raise MaskingUnavailable(
            f"webhooks cannot be set up: {type(error).__name__} in networks or authorities"
        ) from None
    clock, diary, hooks = desk.ledger.clock, desk.diary, desk.hooks
    intercept = HookIntercept(hooks, asker, diary, clock=clock, now=time.monotonic, seconds=hook_patience)
    limits = None
    if redis_url:
        limits = RedisLimits(
            redis_url, sealer("masking limits"), rates or Rates(), diary, clock=clock, patience=redis_patience
        )
    outbox = Outbox(desk.ledger, hooks, taker=taker, jitter=random.random, alert=alert or desk.alerts.note)
    return Reach(
        desk=replace(desk, intercept=intercept, limits=limits),
        deliveries=SqlDeliveries(desk.ledger, hooks, poster),
        deliverer=Deliverer(diary, outbox, poster, clock=clock, keep=keep),
        poster=poster,
        asker=asker,
        intercept=intercept,
        limits=limits,
        claims=RedisClaims(redis_url, sealer("masking pairs")) if redis_url else None,
    )
