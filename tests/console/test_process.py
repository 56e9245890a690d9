"""The console's process without a hotline around it: a port in use, TLS, addresses that are refused."""

import json
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from config.places import places
from config.settings import Console, Paths, Settings
from console.bootstrap import ConsoleError, listen
from ivr.bootstrap import checks
from tests.edge.certificates import make
from tests.hotline.cli import ROOT, environment


@contextmanager
def process(var: Path, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """`python -m console`; it must end by itself when told to."""
    env = environment(var, **{f"TRIAGELINE_CONSOLE__{name}": value for name, value in settings.items()})
    with (var / "out").open("wb") as out:
        running = subprocess.Popen([sys.executable, "-m", "console"], cwd=ROOT, env=env, stdout=out, stderr=out)
        try:
            yield running
        finally:
            running.send_signal(signal.SIGTERM)
            assert running.wait(30) == 0, (var / "out").read_text()


def await_sign(var: Path, name: str, part: str = "") -> dict[str, str]:
    """Wait until the process has said this."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        file = var / "run/console.json"
        said: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
        if name in said and part in str(said[name]):
            return said
        time.sleep(0.05)
    raise AssertionError((var / "out").read_text())


def test_what_is_in_the_way_is_said_and_tried_again(tmp_path: Path) -> None:
    """A port, then keys, with TLS: one process shows all."""
    authority = make(tmp_path, "authority", authority=True)
    ours = make(tmp_path, "127.0.0.1", by=authority)
    holder = socket.create_server(("127.0.0.1", 0))
    port = holder.getsockname()[1]
    files = {"TLS_CERTIFICATE": str(ours.certificate), "TLS_KEY": str(ours.key)}
    key = tmp_path / "keys/master.keys"
    key.parent.mkdir(mode=0o700)
    key.write_text("nonsense")
    key.chmod(0o600)
    where = places(Settings().model_copy(update={"paths": Paths(var=tmp_path)}))
    with process(tmp_path, PORT=str(port), **files) as running:
        said = await_sign(tmp_path, "problem")
        assert said["problem"].startswith(f"the API's port {port} on 127.0.0.1 cannot be opened (address already in")
        assert "set console.port to another one" in said["problem"]
        assert checks.api(settings(), where) == checks.bad(said["problem"])
        holder.close()
        await_sign(tmp_path, "problem", "is not of the form")
        key.unlink()
        await_sign(tmp_path, "host")
        trusted = ssl.create_default_context(cafile=str(authority.certificate))
        assert httpx.get(f"https://127.0.0.1:{port}/healthz", trust_env=False, verify=trusted).text == "ok"
        assert checks.api(settings(), where) == checks.good(f"served on https://127.0.0.1:{port}")
        assert running.poll() is None
    assert not (tmp_path / "run/console.json").exists()
    assert checks.api(settings(port=port), where) == checks.good(f"port {port} on 127.0.0.1 is free")
    assert checks.api(settings(enabled=False), where).ok


def settings(**console: str | int | bool) -> Settings:
    """With these of the console."""
    return Settings().model_copy(update={"console": Console.model_validate(console)})


def test_other_addresses_need_tls(tmp_path: Path) -> None:
    ours, other = make(tmp_path, "127.0.0.1"), make(tmp_path, "127.0.0.2")
    with pytest.raises(ConsoleError, match="only with TLS"):
        listen(settings(bind="0.0.0.0", port=0))
    for certificate, key, why in (
        (ours.certificate, tmp_path / "none", "no such file"), (ours.certificate, other.key, "it does not fit"),
        (ours.key, ours.key, "it does not fit"),
    ):  # fmt: skip
        with pytest.raises(ConsoleError, match=why):
            listen(settings(bind="0.0.0.0", port=0, tls_certificate=str(certificate), tls_key=str(key)))
    for bind in ("127.0.0.1", "::1", "127.0.0.9"):
        listen(settings(bind=bind, port=0)).close()
    files = {"tls_certificate": str(ours.certificate), "tls_key": str(ours.key)}
    listen(settings(bind="0.0.0.0", port=0, **files)).close()
