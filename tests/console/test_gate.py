"""No endpoint is open, no fault talks, nothing that was sent comes back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from console.app import create_app, document
from console.gate import Limits
from masking.port import Binding, MaskingUnavailable, Scope, Wanted
from tests.console.rig import ALL, DOCTOR, ORACLE, OTHER, PATIENT, STRANGER, Api, run
from tests.contract.desk_rigs import Clock

OPERATIONS = [
    (method.upper(), path, operation["x-scope"])
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
]


def test_every_operation_needs_a_token_and_its_scope(api: Api) -> None:
    assert len(OPERATIONS) > 20
    for method, path, scope in OPERATIONS:
        at = path.replace("{id}", "binding-q").replace("{number}", "+12025550110")
        stranger = api(method, at)
        assert (stranger.status_code, stranger.json()["error"]["code"]) == (401, "unauthorised"), path
        assert stranger.headers["www-authenticate"] == "Bearer"
        without = api(method, at, api.token(*(set(ALL) - {scope})), {})
        assert (without.status_code, without.json()["error"]) == (
            403, {"code": "forbidden", "field": "scope", "message": f"this token lacks the scope {scope}"},
        )  # fmt: skip
    assert {scope for _, _, scope in OPERATIONS} == set(ALL)
    assert [one.outcome for one in run(api.desk.tokens.uses(5))] == ["forbidden"] * 5


def test_only_health_is_open_and_it_says_nothing(api: Api) -> None:
    health = api("GET", "/healthz")
    assert (health.status_code, health.text) == (200, "ok")
    for path in ("/", "/docs", "/openapi.json", "/redoc", "/healthz/", "/v2"):
        assert api("GET", path).status_code == 404
    assert api("GET", "/v1/unknown").status_code == 401
    assert api("GET", "/v1/unknown", api.token()).json()["error"]["code"] == "not_found"
    assert api("PUT", "/v1/bindings", api.token()).json()["error"]["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer ", "Basic dGw6dGw=", "Bearer tl_short", "Bearer tl_" + "a" * 43, "Bearer \u00e4"]
)
def test_what_is_no_token_is_refused(api: Api, given: str) -> None:
    assert api("GET", "/v1/bindings", headers={"Authorization": given.encode()}).status_code == 401


def test_tokens_end_and_are_withdrawn_at_once(api: Api) -> None:
    short, long = api.token("masking:read", days=1), api.token("masking:read")
    assert {api("GET", "/v1/bindings", one).status_code for one in (short, long)} == {200}
    api.clock.now += 86400
    assert (api("GET", "/v1/bindings", short).status_code, api("GET", "/v1/bindings", long).status_code) == (401, 200)
    id = next(one.id for one in run(api.desk.tokens.list()) if one.ends is None)
    run(api.desk.tokens.revoke(id))
    assert api("GET", "/v1/bindings", long).status_code == 401


def test_too_many_requests_wait(api: Api) -> None:
    clock = Clock(now=0.0)
    api.app = create_app(api.services, Limits(rate=0.5, burst=3, strangers=2), clock)
    secret, other = api.token("masking:read"), api.token("masking:read")
    got = [api("GET", "/v1/bindings", secret) for _ in range(4)]
    assert [one.status_code for one in got] == [200, 200, 200, 429]
    assert got[3].json()["error"]["code"] == "rate_limited"
    assert got[3].headers["retry-after"] == "2"
    assert api("GET", "/v1/bindings", other).status_code == 200
    assert [api("GET", "/v1/bindings").status_code for _ in range(3)] == [401, 401, 429]
    assert api("GET", "/v1/bindings", other).status_code == 200, "who is known does not suffer from strangers"
    clock.now = 2.0
    assert (api("GET", "/v1/bindings", secret).status_code, api("GET", "/v1/bindings").status_code) == (200, 401)


def test_bodies_are_limited_before_they_are_read(api: Api) -> None:
    secret = api.token()

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 1024

    async def ask(content: Any, **headers: str) -> httpx.Response:
        return await api.ask("POST", "/v1/bindings", secret, raw=content, headers=headers)

    for found in (run(ask(b"x" * 70_000)), run(ask(endless())), run(ask(b"{}", **{"content-length": "9" * 12}))):
        assert (found.status_code, found.json()["error"]["code"]) == (413, "too_large")
    api.remake(Limits(body_seconds=0.05))

    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(60)

    late = run(ask(slow()))
    assert (late.status_code, late.json()["error"]["code"]) == (408, "too_slow")


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b'{"doctor": "' + DOCTOR.encode(), "body"),
        (b"[" * 60_000, ""),
        (b"\xff\xfe", "body"),
        (b'{"doctor": 12025550123}', "doctor"),
        (b'{"doctor": ["+12025550123"]}', "doctor"),
        (b'{"doctor": "x", "+12025550123": 1}', "body"),
        (b'{"doctor": "x", "members": [{"+12025550123": 1}]}', "members.0"),
        (b'{"doctor": "x", "kind": "+12025550123"}', "kind"),
        (b'{"doctor": "x", "life": "+12025550123"}', "life"),
        (b'{"doctor": "x", "life": NaN}', "patient"),
        (b'{"doctor": "x", "life": 1e400}', "patient"),
        (b'{"doctor": "+1202555\\u00000123"}', "doctor"),
        (b'{"doctor": "\\ud800+12025550123"}', "doctor"),
        (b'"+12025550123"', "body"),
        (b"12025550123", "body"),
    ],
)
def test_a_mistake_is_told_by_its_field_and_never_by_its_value(api: Api, raw: bytes, field: str) -> None:
    found = api("POST", "/v1/bindings", api.token(), raw=raw, headers={"content-type": "application/json"})
    error = found.json()["error"]
    assert 400 <= found.status_code < 500
    assert set(error) == {"code", "field", "message"}
    if field != "patient":
        assert error["field"] == field
    assert "\n" not in error["message"]


def test_numbers_in_addresses_and_methods_are_not_logged(api: Api) -> None:
    secret = api.token()
    api("GET", f"/v1/bindings/{DOCTOR}", secret)
    api("GET", "/v1/bindings", secret, params={"party": PATIENT, "after": STRANGER})
    api("DELETE", f"/v1/numbers/{STRANGER}", secret)
    api("GET", f"/{DOCTOR}", secret)
    api(DOCTOR, "/v1/bindings", secret)
    lines = [line.split("console.access ")[1] for line in api.log.getvalue().splitlines() if "console.access" in line]
    routes = [" ".join(line.split()[:3]) for line in lines]
    assert routes == [
        "GET /v1/bindings/{id} 404", "GET /v1/bindings 404", "DELETE /v1/numbers/{number} 404", "GET (none) 404",
        "(other) /v1/bindings 405",
    ]  # fmt: skip
    api.log.truncate(0)  # the test's own client logs what it asks for


class Broken:
    """Bindings whose store has gone, or that are wrong."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def create(self, wanted: Wanted) -> Binding:
        raise self._error

    async def renew(self, id: str, owner: str, life: float | None) -> Binding:
        raise self._error

    async def close(self, id: str, owner: str, *, kill: bool = False) -> Binding:
        raise self._error

    async def get(self, id: str, owner: str) -> Binding:
        raise self._error

    async def list(self, owner: str, *, party: str = "", limit: int = 100, after: str = "") -> tuple[Binding, ...]:
        raise self._error


def test_a_database_that_is_away_is_said_to_be(api: Api) -> None:
    api.remake(bindings=Broken(MaskingUnavailable("the bindings' database does not answer")))
    found = api("GET", "/v1/bindings", api.token())
    assert (found.status_code, found.json()["error"]["code"]) == (503, "unavailable")
    assert int(found.headers["retry-after"]) > 0


def test_a_fault_of_ours_tells_nothing(api: Api) -> None:
    api.remake(bindings=Broken(RuntimeError(f"{DOCTOR} one two three")))
    found = api("GET", "/v1/bindings", api.token())
    assert (found.status_code, found.json()["error"]["code"]) == (500, "internal")
    assert "RuntimeError" not in found.text
    assert "a request failed: RuntimeError at" in api.log.getvalue()
    assert "one two three" not in api.log.getvalue()


def test_answers_are_kept_nowhere_and_framed_nowhere(api: Api) -> None:
    for found in (api("GET", "/v1/bindings", api.token()), api("GET", "/v1/bindings"), api("GET", "/nothing")):
        assert found.headers["cache-control"] == "no-store"
        assert found.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in found.headers["content-security-policy"]
        assert not [name for name in found.headers if name.startswith("access-control")]
        assert "server" not in found.headers


def test_nothing_on_disk_holds_a_number(api: Api, tmp_path: Path) -> None:
    secret = api.token()
    made = api.bind(secret, phones=[STRANGER], with_code=True)
    api("POST", "/v1/bindings", secret, {"doctor": OTHER, "patient": PATIENT}, key=f"for-{PATIENT}")
    api("POST", f"/v1/bindings/{made['id']}/calls", secret, key=f"for-{DOCTOR}")
    api("POST", f"/v1/parties/{made['patient']}/reveal", secret, {"reason": f"is it {PATIENT}?"}, kept=False)
    api("GET", f"/v1/bindings/{DOCTOR}", secret)
    assert ORACLE.scan_folder(tmp_path) == ()


def test_scopes_are_what_the_command_line_offers() -> None:
    assert {scope for _, _, scope in OPERATIONS} <= {scope.value for scope in Scope}
