"""Command lines of the dialogue's processes: loopback only, no secret in argv, nothing inherited by accident."""

from pathlib import Path

import pytest

from dialogs.processes import (
    ProcessSpec,
    RasaPlace,
    actions_process,
    rasa_process,
    redis_process,
    train_process,
)

PLACE = RasaPlace(
    root=Path("/srv/hotline"),
    rasa_port=25005,
    actions_port=25055,
    redis_socket=Path("/run/hotline/redis.sock"),
    rasa_token="rasa-secret-rasa-secret",
    actions_token="actions-secret-actions-secret",
    main_python=Path("/srv/hotline/.venv/bin/python"),
    rasa_python=Path("/srv/hotline/.venv-rasa/bin/python"),
)
SPECS = (
    redis_process("redis-server", PLACE.redis_socket, Path("/run/hotline")),
    actions_process(PLACE),
    rasa_process(PLACE),
    train_process(PLACE.root, PLACE.rasa_python, Path("/srv/hotline/var/rasa/data")),
)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_no_secret_is_an_argument_and_no_proxy_goes_along(spec: ProcessSpec) -> None:
    assert not any("secret" in argument for argument in spec.argv)
    assert not any("proxy" in name.lower() for name in spec.env)
    assert "0.0.0.0" not in spec.argv


def test_rasa_listens_on_loopback_without_its_http_api() -> None:
    spec = rasa_process(PLACE)
    assert spec.argv[spec.argv.index("--interface") + 1] == "127.0.0.1"
    assert "--enable-api" not in spec.argv
    assert spec.env["RASA_TELEMETRY_ENABLED"] == "false"
    assert spec.env["LOG_LEVEL"] == "WARNING"
    assert spec.env["TRIAGELINE_REDIS_SOCKET"] == "/run/hotline/redis.sock"


def test_redis_keeps_nothing_and_has_no_port() -> None:
    argv = SPECS[0].argv
    assert argv[argv.index("--port") + 1] == "0"
    assert argv[argv.index("--save") + 1] == ""
    assert argv[argv.index("--appendonly") + 1] == "no"


def test_addresses_follow_the_ports() -> None:
    assert PLACE.rasa_url == "http://127.0.0.1:25005"
    assert PLACE.rasa_health == "http://127.0.0.1:25005/webhooks/triage/"
    assert PLACE.actions_health == "http://127.0.0.1:25055/health"
