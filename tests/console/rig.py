"""The API over a real desk on SQLite, without a network; every answer and log line goes through the leak oracle."""

import asyncio
import io
import logging
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import httpx
from fastapi import FastAPI
from sqlalchemy import Engine

from console.app import create_app
from console.bootstrap import services
from console.gate import Limits
from console.logs import Bare, OneLine
from console.services import Services
from masking.desk import Desk, open_desk
from masking.leaks import LeakOracle
from masking.port import Scope, Side, VirtualNumber
from masking.redact import Redactor
from records import database as records_database
from records.callbacks_sql import SqlCallbacks
from records.keys import KeyRing
from records.store import Store
from tests.contract.desk_rigs import Clock

T = TypeVar("T")
DOCTOR, PATIENT, OTHER, STRANGER = "+12025550123", "+447700900123", "+447700900456", "+12025550187"
REAL = (DOCTOR, PATIENT, OTHER, STRANGER)
FOR_PATIENTS, FOR_DOCTORS = "+12025550110", "+12025550111"
KEYS = KeyRing({1: b"k" * 32})
ALL = tuple(scope.value for scope in Scope)


ORACLE = LeakOracle(REAL)


def run(work: Coroutine[Any, Any, T]) -> T:
    """To its end."""
    return asyncio.run(work)


@dataclass(slots=True, kw_only=True)
class Api:
    """What tests hold."""

    desk: Desk
    store: Store
    services: Services
    app: FastAPI
    clock: Clock
    log: io.StringIO
    said: list[bytes] = field(default_factory=list)

    def token(self, *scopes: str, owner: str = "clinic", days: float | None = None) -> str:
        """The secret of a new one; all scopes unless some are named."""
        return run(self.desk.tokens.issue("a test", owner, scopes or ALL, days))[1]

    def remake(self, limits: Limits | None = None, **changed: Any) -> None:
        """The application again, with other services or limits."""
        self.services = replace(self.services, **changed)
        self.app = create_app(self.services, limits)

    async def ask(
        self,
        method: str,
        path: str,
        secret: str = "",
        body: Any = None,
        *,
        key: str = "",
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        kept: bool = True,
    ) -> httpx.Response:
        """One request; `kept`: whether the oracle reads the answer."""
        more = {"Authorization": f"Bearer {secret}"} if secret else {}
        more |= {"Idempotency-Key": key} if key else {}
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://console") as client:
            given: dict[str, Any] = {"content": raw} if raw is not None else {"json": body} if body is not None else {}
            found = await client.request(method, path, params=params, headers={**more, **(headers or {})}, **given)
        if kept:
            self.said.append(str(found.headers).encode() + found.content)
        return found

    def __call__(self, method: str, path: str, secret: str = "", body: Any = None, **more: Any) -> httpx.Response:
        """The same, without a loop."""
        return run(self.ask(method, path, secret, body, **more))

    def bind(self, secret: str, **changed: Any) -> dict[str, Any]:
        """A pair that must come about."""
        made = self("POST", "/v1/bindings", secret, {"doctor": DOCTOR, "patient": PATIENT} | changed)
        assert made.status_code == 201, made.text
        found: dict[str, Any] = made.json()
        return found


@contextmanager
def open_api(folder: Path, engine: Engine | None = None) -> Iterator[Api]:
    """An installation of its own, on SQLite unless there is an engine; at the end no answer and no log line holds a
    real number."""
    clock, log = Clock(now=1_700_000_000.0), io.StringIO()
    desk = open_desk(
        engine or records_database.connect(f"sqlite:///{folder}/vault.db"), KEYS.sealer, region="US",
        countries=("US", "GB"), hotline=("+12025550100",), patience=60, clock=clock,
    )  # fmt: skip
    store = Store(records_database.prepare(f"sqlite:///{folder}/triageline.db"), patience=30)
    made = replace(services(desk, store), clock=clock)
    api = Api(
        desk=desk, store=store, services=made, app=create_app(made, PLENTY), clock=clock, log=log
    )
    with _logged(log):
        try:
            yield api
        finally:
            store.close()
            desk.close()
    assert ORACLE.scan(b"\n".join([*api.said, log.getvalue().encode()])) == ()


PLENTY = Limits(rate=1e6, burst=1e6, strangers=1e6)


@contextmanager
def _logged(stream: io.StringIO) -> Iterator[None]:
    """Everything that is logged, at top level, as the process writes it."""
    handler = logging.StreamHandler(stream)
    handler.addFilter(Bare())
    handler.addFilter(Redactor())
    handler.setFormatter(OneLine(as_json=False))
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


async def fill(desk: Desk, *numbers: VirtualNumber) -> None:
    """Virtual numbers."""
    await desk.numbers.add(numbers or TWO)


TWO = (
    VirtualNumber(number=FOR_PATIENTS, side=Side.PATIENT, country="US"),
    VirtualNumber(number=FOR_DOCTORS, side=Side.DOCTOR, country="US"),
)


def callbacks(store: Store) -> SqlCallbacks:
    """What the hotline promised."""
    return SqlCallbacks(store)
