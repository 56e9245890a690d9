"""Events of one binding reach a hook one after the other: the first is "waiting", the others are "behind" it."""

from sqlalchemy import Connection, func, select, update

from masking.port import DeliveryState
from masking.schema import deliveries

UNDONE = (DeliveryState.WAITING, DeliveryState.BEHIND)


def promote(db: Connection, hook: str, stream: str) -> None:
    """The next event of a binding is to be told, if none is being told."""
    mine = (deliveries.c.hook == hook) & (deliveries.c.stream == stream)
    busy = select(deliveries.c.event).where(mine, deliveries.c.state == DeliveryState.WAITING)
    if db.execute(busy.limit(1)).first() is not None:
        return
    first = select(func.min(deliveries.c.place)).where(mine, deliveries.c.state == DeliveryState.BEHIND)
    place = db.execute(first).scalar()
    if place is not None:
        db.execute(update(deliveries).where(mine, deliveries.c.place == place).values(state=DeliveryState.WAITING))
