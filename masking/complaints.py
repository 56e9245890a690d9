"""Complaints about calls from our numbers: counted, and told to the operator before the carrier does something."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from masking.diary_sql import DAY
from masking.ledger import Ledger
from masking.port import Alert, MaskingRefused, Wrong
from masking.redact import redact
from masking.schema import complaints, numbers

WINDOW = 30 * DAY
"""Seconds in which complaints add up; older ones are forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """How often people complained about a virtual number lately."""

    number: str
    """With plus and country code."""
    count: int
    """Complaints of the last 30 days."""
    last: float
    """When the newest came, seconds since the epoch."""


class SqlComplaints:
    """Complaints over SQLite or PostgreSQL."""

    def __init__(self, ledger: Ledger, *, most: int = 3, alert: Callable[[Alert], None] = lambda alert: None) -> None:
        """`most`: complaints of 30 days from which on the operator is told. `alert` is called in the writer's
        thread."""
        self._ledger = ledger
        self._most = most
        self._alert = alert

    async def add(self, number: str, reason: str = "") -> int:
        """One more about a number of ours; how many it has now. Raises MaskingRefused, MaskingUnavailable."""
        return await self._ledger.write(lambda db: self._add(db, number, reason))

    async def list(self) -> tuple[Complaint, ...]:
        """Numbers with complaints, the worst first. Raises MaskingUnavailable."""
        since = self._ledger.clock() - WINDOW
        count = func.count().label("times")
        query = select(complaints.c.number, count, func.max(complaints.c.at)).where(complaints.c.at > since)
        worst = query.group_by(complaints.c.number).order_by(count.desc(), complaints.c.number)
        return await self._ledger.read(
            lambda db: tuple(Complaint(number=row[0], count=row[1], last=row[2]) for row in db.execute(worst))
        )

    def _add(self, db: Connection, number: str, reason: str) -> int:
        if db.execute(select(numbers.c.id).where(numbers.c.number == number)).first() is None:
            raise MaskingRefused(Wrong.NUMBER_UNKNOWN, "number", "this is no virtual number of ours")
        now = self._ledger.clock()
        db.execute(delete(complaints).where(complaints.c.at <= now - WINDOW))
        # People type what they have in mind, and that may be the number that called.
        db.execute(insert(complaints).values(number=number, at=now, reason=redact(reason)[:200]))
        query = select(func.count()).select_from(complaints).where(complaints.c.number == number)
        count = db.execute(query).scalar() or 0
        if count >= self._most:
            self._alert(Alert(code="complaints", what=number))
        return count
