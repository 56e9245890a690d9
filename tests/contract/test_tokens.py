"""Service tokens on SQLite and PostgreSQL."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from masking.database import prepare
from masking.ledger import Ledger
from masking.port import MaskingRefused, Use
from masking.tokens_sql import SqlTokens
from records.database import connect
from records.keys import KeyRing
from tests.contract.desk_rigs import Clock
from tests.postgres import Postgres

T = TypeVar("T")
Make = Callable[..., SqlTokens]
SEALER = KeyRing({1: b"k" * 32}).sealer("service tokens")


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """With the tables."""
    if request.param == "sqlite":
        return prepare(connect(f"sqlite:///{tmp_path}/masking.db"))
    server: Postgres = request.getfixturevalue("postgres")
    return server.engine()


@pytest.fixture
def clock() -> Clock:
    """Goes when told to."""
    return Clock()


@pytest.fixture
def tokens(engine: Engine, clock: Clock) -> Iterator[SqlTokens]:
    """A store."""
    ledger = Ledger(engine, patience=60, clock=clock)
    yield SqlTokens(ledger, SEALER)
    ledger.close()


def run(work: Coroutine[Any, Any, T]) -> T:
    """To its end."""
    return asyncio.run(work)


def test_a_secret_proves_its_token_until_the_end(tokens: SqlTokens, clock: Clock) -> None:
    token, secret = run(tokens.issue("clinic", "one", {"masking:write", "masking:read"}, 2))
    assert (token.scopes, token.ends, token.used) == (("masking:read", "masking:write"), clock.now + 2 * 86400, None)
    assert run(tokens.known(secret)) == token
    assert run(tokens.known(secret[:-1] + ("a" if secret[-1] != "a" else "b"))) is None
    assert run(tokens.known("")) is None
    clock.now += 2 * 86400
    assert run(tokens.known(secret)) is None


def test_the_last_use_is_noted_once_a_minute(tokens: SqlTokens, clock: Clock) -> None:
    token, secret = run(tokens.issue("clinic", "one", ["masking:read"], None))
    began = clock.now
    for _ in range(3):
        clock.now += 20
        run(tokens.known(secret))
    assert next(one for one in run(tokens.list()) if one.id == token.id).used == began + 20
    clock.now += 60
    run(tokens.known(secret))
    assert next(one for one in run(tokens.list()) if one.id == token.id).used == clock.now


def test_a_withdrawn_token_is_none(tokens: SqlTokens) -> None:
    token, secret = run(tokens.issue("clinic", "one", ["masking:read"], None))
    assert run(tokens.revoke(token.id)).revoked
    assert run(tokens.revoke(token.id)).revoked
    assert run(tokens.known(secret)) is None
    with pytest.raises(MaskingRefused, match="no such token"):
        run(tokens.revoke("token-nobody"))


def test_the_secret_is_not_in_the_database(tokens: SqlTokens, engine: Engine) -> None:
    secret = run(tokens.issue("clinic", "one", ["masking:read"], None))[1]
    with engine.connect() as db:
        rows = db.execute(text("SELECT * FROM masking_tokens")).all()
    assert rows
    assert not [row for row in rows if secret in repr(row) or secret.removeprefix("tl_").encode() in repr(row).encode()]


def test_the_audit_only_grows(tokens: SqlTokens, engine: Engine, clock: Clock) -> None:
    token = run(tokens.issue("clinic", "one", ["masking:read"], None))[0]
    use = Use(at=clock.now, token=token.id, action="GET /v1/bindings/{id}", subject="binding-q", outcome="not_found")
    run(tokens.note(use))
    assert run(tokens.uses(1)) == (use,)
    for statement in ("DELETE FROM masking_token_uses", "UPDATE masking_token_uses SET outcome = 'done'"):
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as db:
            db.execute(text(statement))
