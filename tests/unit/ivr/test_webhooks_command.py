"""`triageline masking webhooks`, `complain` and `records` from the outside."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ivr.cli import main
from masking.signing import Verifier
from tests.unit.masking.receiver import receiver

CSV = "number,side,area\n+12025550110,patient,202\n"
Command = Callable[..., Any]


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    config = tmp_path / "triageline.toml"
    config.write_text(f'[paths]\nvar = "{tmp_path}/var"\n[masking]\nwebhook_networks = ["127.0.0.0/8"]\n')

    def run(*words: str, code: int = 0) -> Any:
        assert main(["--config", str(config), "masking", *words, "--json"]) == code
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return json.loads(said.out)

    return run


def test_a_webhook_from_beginning_to_end(command: Command) -> None:
    with receiver() as server:
        made = command("webhooks", "add", server.url, "--kind", "call.ended")
        assert made["kinds"] == ["call.ended"]
        assert command("webhooks", "test", made["id"]) == {"id": made["id"], "delivered": True, "answer": "200"}
        Verifier((made["secret"],), time.time).check(server.got[0].headers["triageline-signature"], server.got[0].body)
        server.answer = lambda got: (404, b"")
        assert command("webhooks", "test", made["id"], code=1)["answer"] == "404"
    assert command("webhooks", "test", made["id"], code=1)["answer"] == "connection"
    assert command("webhooks", "rotate", made["id"])["secret"] != made["secret"]
    (listed,) = command("webhooks", "list")
    assert "secret" not in listed
    assert command("webhooks", "list", "--owner", "another") == []
    assert command("webhooks", "deliveries", made["id"]) == []
    assert command("webhooks", "retry", made["id"]) == {"retried": 0}
    assert command("webhooks", "off", made["id"])["active"] is False
    assert command("webhooks", "on", made["id"])["active"] is True
    assert command("webhooks", "remove", made["id"], "--owner", "another", code=2)["error"]["code"] == "not_found"
    assert command("webhooks", "remove", made["id"]) == {"removed": made["id"]}
    assert command("webhooks", "test", made["id"], code=2)["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("webhooks", "add", "ftp://receiver.example/"), "url"),
        (("webhooks", "add", "https://user:word@receiver.example/"), "url"),
        (("webhooks", "add", "https://receiver.example/", "--intercept", "--kind", "call.ended"), "intercept"),
        (("webhooks", "add", "https://receiver.example/", "--intercept", "--owner", "operator"), "intercept"),
        (("complain", "nonsense"), "number"),
        (("complain", "+12025550199"), "number"),
    ],
)
def test_mistakes_are_told_with_their_field(command: Command, words: tuple[str, ...], field: str) -> None:
    assert command(*words, code=2)["error"]["field"] == field


def test_complaints_are_counted_and_there_are_no_calls_yet(command: Command, tmp_path: Path) -> None:
    (tmp_path / "numbers.csv").write_text(CSV)
    command("import", str(tmp_path / "numbers.csv"))
    for count in (1, 2):
        assert command("complain", "+1 202 555 0110", "--reason", "at night")["complaints"] == count
    (worst,) = command("complaints")
    assert (worst["number"], worst["count"]) == ("+12025550110", 2)
    assert command("records", "--binding", "binding-a") == []


def test_the_operators_webhook_belongs_to_nobody_else(command: Command) -> None:
    made = command("webhooks", "add", "https://receiver.example/", "--owner", "operator")
    assert made["owner"] == ""
    assert [one["id"] for one in command("webhooks", "list", "--owner", "operator")] == [made["id"]]
    assert command("webhooks", "list") == []
