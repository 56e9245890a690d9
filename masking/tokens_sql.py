"""Service tokens in SQL: the secret is shown once and kept as a keyed hash; what is done with it leaves a trace."""

import re
import secrets
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from masking.ledger import Ledger
from masking.parties import random_id
from masking.port import MaskingRefused, Scope, Sealer, Token, Use, Wrong
from masking.schema import tokens, uses

PREFIX = "tl_"
"""Lets scanners of repositories and logs find a token that got lost."""
_SECRET = re.compile(r"tl_[A-Za-z0-9_-]{43}")
_NAME = re.compile(r"[\w.@ -]{1,64}")
LONGEST_DAYS = 3650.0
DAY = 24 * 3600.0
NOTED_EVERY = 60.0
"""Seconds: a last use is noted to the minute, or every request would be a write."""
MOST_LISTED = 1000


class SqlTokens:
    """Tokens over SQLite or PostgreSQL."""

    def __init__(self, ledger: Ledger, sealer: Sealer) -> None:
        """`sealer`: for the tokens alone."""
        self._ledger = ledger
        self._sealer = sealer

    async def issue(self, name: str, owner: str, scopes: Collection[str], days: float | None) -> tuple[Token, str]:
        """A new one and its secret, 256 random bits. Raises MaskingRefused, MaskingUnavailable."""
        _check(name, owner, scopes, days)
        now = self._ledger.clock()
        secret = PREFIX + secrets.token_urlsafe(32)
        row = {
            "id": random_id("token"),
            "name": name,
            "owner": owner,
            "scopes": " ".join(sorted(set(scopes))),
            "hash": self._hash(secret),
            "created": now,
            "ends": None if days is None else now + days * DAY,
            "used": None,
            "revoked": False,
        }

        def work(db: Connection) -> Token:
            db.execute(insert(tokens).values(row))
            return _read(db, str(row["id"]))

        return await self._ledger.write(work), secret

    async def known(self, secret: str) -> Token | None:
        """Whose secret it is. Raises MaskingUnavailable."""
        if not _SECRET.fullmatch(secret):
            return None
        now = self._ledger.clock()
        query = select(tokens).where(tokens.c.hash == self._hash(secret))
        row = await self._ledger.read(lambda db: db.execute(query).first())
        token = _token(row) if row is not None else None
        if token is None or token.revoked or (token.ends is not None and now >= token.ends):
            return None
        if token.used is None or abs(now - token.used) >= NOTED_EVERY:
            used = update(tokens).where(tokens.c.id == token.id).values(used=now)
            await self._ledger.write(lambda db: db.execute(used))
        return token

    async def list(self) -> tuple[Token, ...]:
        """All, newest first. Raises MaskingUnavailable."""
        query = select(tokens).order_by(tokens.c.created.desc(), tokens.c.id)
        rows = await self._ledger.read(lambda db: db.execute(query).all())
        return tuple(map(_token, rows))

    async def revoke(self, id: str) -> Token:
        """Valid no more, at once. Raises MaskingRefused, MaskingUnavailable."""

        def work(db: Connection) -> Token:
            db.execute(update(tokens).where(tokens.c.id == id).values(revoked=True))
            return _read(db, id)

        return await self._ledger.write(work)

    async def note(self, use: Use) -> None:
        """Add to the audit. Raises MaskingUnavailable."""
        row = {name: getattr(use, name) for name in Use.__dataclass_fields__}
        await self._ledger.write(lambda db: db.execute(insert(uses).values(row)))

    async def uses(self, limit: int = 100) -> tuple[Use, ...]:
        """The newest of the audit. Raises MaskingUnavailable."""
        newest = select(uses).order_by(uses.c.id.desc()).limit(max(1, min(limit, MOST_LISTED)))
        rows = await self._ledger.read(lambda db: db.execute(newest).all())
        return tuple(Use(**{name: getattr(row, name) for name in Use.__dataclass_fields__}) for row in rows)

    def _hash(self, secret: str) -> bytes:
        return self._sealer.tag(secret.encode(), b"token")


def _check(name: str, owner: str, scopes: Collection[str], days: float | None) -> None:
    unknown = sorted(set(scopes) - {scope.value for scope in Scope})
    for field, wrong, message in (
        ("name", not _NAME.fullmatch(name), "a name of 1 to 64 letters, digits, spaces or . @ - _ is needed"),
        ("owner", not _NAME.fullmatch(owner), "an owner of 1 to 64 letters, digits, spaces or . @ - _ is needed"),
        ("scopes", not scopes or bool(unknown), "the scopes must be some of " + ", ".join(Scope)),
        ("days", days is not None and not 0 < days <= LONGEST_DAYS, "a token is valid for 1 to 3650 days"),
    ):
        if wrong:
            raise MaskingRefused(Wrong.FIELD, field, message)


def _read(db: Connection, id: str) -> Token:
    row = db.execute(select(tokens).where(tokens.c.id == id)).first()
    if row is None:
        raise MaskingRefused(Wrong.NOT_FOUND, "id", "there is no such token")
    return _token(row)


def _token(row: "Row[Any]") -> Token:
    return Token(
        id=row.id,
        name=row.name,
        owner=row.owner,
        scopes=tuple(Scope(word) for word in row.scopes.split() if word in _SCOPES),
        created=row.created,
        ends=row.ends,
        used=row.used,
        revoked=bool(row.revoked),
    )


_SCOPES = frozenset(scope.value for scope in Scope)
