"""The command line and the API give the same answers and the same refusals."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from config.places import places, prepare
from config.settings import Paths, Settings
from console.app import create_app
from console.bootstrap import services
from ivr.bootstrap.doors import open_masking
from masking.leaks import LeakOracle
from records import database as records_database
from records.keys import keys_from_folder
from records.store import Store
from tests.console.rig import DOCTOR, PATIENT, PLENTY
from tests.hotline.cli import cli_here, environment

PAIR = {"doctor": DOCTOR, "patient": PATIENT}
AS_WORDS = ["--doctor", DOCTOR, "--patient", PATIENT]


class Both:
    """One installation, asked in two ways."""

    def __init__(self, var: Path) -> None:
        self._env = environment(var)
        settings = Settings().model_copy(update={"paths": Paths(var=var)})
        where = places(settings)
        prepare(where)
        self._desk = open_masking(settings, where, keys_from_folder(where.keys))
        self._store = Store(records_database.prepare(where.database))
        self._app = create_app(services(self._desk, self._store), PLENTY)
        self.secret = str(
            self.command("tokens", "create", "--name", "both", "--scopes", "masking:read,masking:write,masking:resolve,"
                         "numbers:read,numbers:write,tasks:read,tasks:write,parties:erase")["secret"]
        )  # fmt: skip

    def command(self, *words: str) -> Any:
        """What `triageline WORDS --json` says."""
        done = cli_here(self._env, *words, "--json")
        assert "Traceback" not in done.stderr
        assert LeakOracle([DOCTOR, PATIENT]).scan((done.stdout + done.stderr).encode()) == ()
        found = json.loads(done.stdout)
        if done.returncode:
            assert done.returncode == 2
            assert done.stderr.startswith(f"error: {found['error']['message']} ({found['error']['code']}, ")
        return found

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """What the API says."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://console") as client:
                more = {"Authorization": f"Bearer {self.secret}", **headers}
                return await client.request(method, path, json=body, headers=more)

        return asyncio.run(ask()).json()

    def close(self) -> None:
        """The end."""
        self._desk.close()
        self._store.close()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """With two numbers."""
    var = tmp_path_factory.mktemp("both")
    made = Both(var)
    (var / "numbers.csv").write_text("number,side\n+12025550110,patient\n+12025550111,doctor\n")
    assert made.command("masking", "import", str(var / "numbers.csv")) == {"added": 2}
    yield made
    made.close()


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        (["--life", "10"], {"life": 10}),
        (["--kind", "group"], {"kind": "group"}),
        (["--doctor", "911"], {"doctor": "911"}),
        (["--patient", "+1 900 555 0123"], {"patient": "+1 900 555 0123"}),
        (["--patient", DOCTOR], {"patient": DOCTOR}),
        (["--patient", "party-nobody"], {"patient": "party-nobody"}),
        (["--patient-number", "+12025550199"], {"patient_number": "+12025550199"}),
        (["--doctor-number", "x"], {"doctor_number": "x"}),
        (["--country", "gb"], {"country": "gb"}),
        (["--quarantine", "-1"], {"quarantine": -1}),
        (["--longest-call", "0"], {"longest_call": 0}),
    ],
)
def test_the_same_refusals(both: Both, words: list[str], changed: dict[str, Any]) -> None:
    said = both.command("masking", "bind", *AS_WORDS, *words)["error"]
    assert both.request("POST", "/v1/bindings", PAIR | changed)["error"] == said


def test_the_same_bindings(both: Both) -> None:
    made = both.command("masking", "bind", *AS_WORDS, "--key", "case-1")
    same = both.request("POST", "/v1/bindings", PAIR, **{"Idempotency-Key": "case-1"})
    owner = made.pop("owner")
    assert (same, owner) == (made, "hotline")
    assert both.request("GET", "/v1/bindings")["bindings"] == [made]
    verdict = both.command("masking", "resolve", made["patient_number"], "--caller", PATIENT)
    asked = both.request("POST", "/v1/resolve", {"number": made["patient_number"], "caller": PATIENT})
    assert asked == {name: verdict[name] for name in asked}
    assert both.request("GET", "/v1/numbers")["numbers"] == both.command("masking", "numbers")
    assert both.request("GET", "/v1/pools")["pools"] == both.command("masking", "pools")
    assert both.request("GET", "/v1/tasks")["tasks"] == both.command("tasks", "list")
    plan = both.request("GET", "/v1/plan?per_day=20&life_days=2")
    assert plan == both.command("masking", "plan", "--per-day", "20", "--life", "2")
    wish = both.command("masking", "call", made["id"], "--key", "click")
    asked = both.request("POST", f"/v1/bindings/{made['id']}/calls", **{"Idempotency-Key": "click"})
    assert asked == {name: wish[name] for name in asked}
    task = both.command("tasks", "call", made["id"], "--key", "click")
    assert task == wish
    assert both.request("GET", f"/v1/calls/{wish['id']}") == asked
    for words, method, path in (
        (["masking", "numbers", "+12025550199", "--set", "draining"], "PATCH", "/v1/numbers/+12025550199"),
        (["masking", "numbers", "+12025550110", "--remove"], "DELETE", "/v1/numbers/+12025550110"),
        (["masking", "release", "binding-nobody"], "DELETE", "/v1/bindings/binding-nobody"),
        (["masking", "renew", "binding-nobody", "--life", "600"], "POST", "/v1/bindings/binding-nobody/renew"),
        (["masking", "renew", made["id"], "--life", "1"], "POST", f"/v1/bindings/{made['id']}/renew"),
        (["masking", "call", "binding-nobody"], "POST", "/v1/bindings/binding-nobody/calls"),
        (["tasks", "done", "cb-nobody"], "POST", "/v1/tasks/cb-nobody/done"),
    ):
        bodies = {"PATCH": {"state": "draining"}, "POST": {"life": 1 if made["id"] in path else 600}}
        body = bodies.get(method) if "calls" not in path and "tasks" not in path else None
        assert both.request(method, path, body)["error"] == both.command(*words)["error"], words
    assert both.command("tasks", "done", made["id"]) == {"done": made["id"]}
    assert both.request("GET", f"/v1/bindings/{made['id']}")["closed"]


def test_tokens_on_the_command_line(both: Both) -> None:
    for words, field in (
        (["--name", "", "--scopes", "masking:read"], "name"),
        (["--name", "a\nb", "--scopes", "masking:read"], "name"),
        (["--name", "x", "--scopes", "everything"], "scopes"),
        (["--name", "x", "--scopes", ""], "scopes"),
        (["--name", "x", "--scopes", "masking:read", "--days", "-1"], "days"),
        (["--name", "x", "--scopes", "masking:read", "--owner", "x" * 65], "owner"),
    ):
        assert both.command("tokens", "create", *words)["error"]["field"] == field
    made = both.command("tokens", "create", "--name", "x", "--scopes", "tasks:read, masking:read", "--days", "0")
    assert (made["ends"], made["scopes"]) == (None, ["masking:read", "tasks:read"])
    listed = {one["id"]: one for one in both.command("tokens", "list")}
    assert "secret" not in listed[made["id"]]
    assert both.command("tokens", "revoke", made["id"])["revoked"]
    assert both.command("tokens", "revoke", "token-nobody")["error"]["code"] == "not_found"
    both.request("GET", "/v1/bindings/binding-unheard")
    newest = both.command("tokens", "audit", "--limit", "1")
    assert [(one["outcome"], one["subject"]) for one in newest] == [("not_found", "binding-unheard")]
