"""The command line as an operator meets it: what is wrong is told in one sentence, with exit code 2."""

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hotline.cli import cli_here, environment, run_cli, write_agents

AGENT = '[[agent]]\nid = "nurse-1"\naddress = "{}"\n'


@pytest.fixture
def var() -> Iterator[Path]:
    """A hotline's folder, short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="tl-"))
    write_agents(folder, {"nurse-1": 5071})
    yield folder
    shutil.rmtree(folder)


def setting(text: str) -> Callable[[Path], list[str]]:
    """A settings file of one's own."""

    def make(var: Path) -> list[str]:
        (var / "own.toml").write_text(text, encoding="utf-8")
        return ["--config", str(var / "own.toml"), "calls", "list"]

    return make


def roster(address: str) -> Callable[[Path], list[str]]:
    """A roster with this address."""

    def make(var: Path) -> list[str]:
        (var / "agents.toml").write_text(AGENT.format(address), encoding="utf-8")
        return ["agents", "list"]

    return make


def no_keys(var: Path) -> list[str]:
    """A file that holds no keys where the keys should be."""
    (var / "keys").mkdir()
    (var / "keys/master.keys").write_text("nonsense", encoding="utf-8")
    return ["calls", "list"]


def no_database(var: Path) -> list[str]:
    """Something else where the database should be."""
    (var / "triageline.db").write_bytes(b"this is no database" * 400)
    return ["calls", "list"]


WRONG: dict[str, tuple[Callable[[Path], list[str]], str]] = {
    "a value of the wrong kind": (setting("[sip]\nport = 70000\n"), "sip.port"),
    "a misspelt setting": (setting("[hotline]\ncallerz = 2\n"), "hotline.callerz"),
    "a broken settings file": (setting("[hotline\n"), "own.toml"),
    "a missing settings file": (lambda var: ["--config", str(var / "none"), "check"], "there is no settings file"),
    "a wrong address of an agent": (roster("nurse at home"), "nurse-1"),
    "an unknown call": (lambda var: ["calls", "show", "nosuchcall"], "calls list"),
    "an unknown callback": (lambda var: ["callbacks", "done", "cb-x"], "callbacks list"),
    "an unknown agent": (lambda var: ["agents", "set", "nobody", "away"], "nobody"),
    "presence without a running hotline": (lambda var: ["agents", "set", "nurse-1", "away"], "runs"),
    "keys that are none": (no_keys, "key"),
    "a database that is none": (no_database, "database"),
}


def one_sentence(stderr: str, telling: str) -> None:
    """One line that says what it should."""
    assert "Traceback" not in stderr
    lines = stderr.strip().splitlines()
    assert len(lines) == 1, stderr
    assert telling in lines[0]


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_in_one_sentence(var: Path, case: str) -> None:
    make, telling = WRONG[case]
    done = cli_here(environment(var), *make(var))
    one_sentence(done.stderr, telling)
    assert (done.returncode, done.stdout) == (2, "")


def test_a_file_in_place_of_the_folder(var: Path) -> None:
    (var / "file").write_text("x", encoding="utf-8")
    done = cli_here(environment(var / "file"), "calls", "list")
    one_sentence(done.stderr, str(var / "file"))
    assert done.returncode == 2


def test_a_process_of_its_own_ends_the_same_way(var: Path) -> None:
    done = run_cli(environment(var), "--config", str(var / "none.toml"), "check")
    one_sentence(done.stderr, "there is no settings file")
    assert (done.returncode, done.stdout) == (2, "")


def test_an_unknown_model(var: Path) -> None:
    done = cli_here(environment(var), "models", "install", "xx-yy")
    assert done.returncode == 2
    assert "xx-yy" in done.stdout + done.stderr


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_port_in_use(var: Path, kind: int) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        done = run_cli(environment(var, TRIAGELINE_SIP__PORT=str(port)), "up")
    one_sentence(done.stderr, str(port))
    assert (done.returncode, done.stdout) == (2, "")


def test_wrong_words_show_how_it_is_done(var: Path) -> None:
    done = run_cli(environment(var), "agents", "set", "nurse-1", "asleep")  # argparse leaves the process
    assert done.returncode == 2
    assert "available" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_says_what_to_do_about_each_part(var: Path) -> None:
    (var / "model").mkdir()
    (var / "model/README").write_text("no model", encoding="utf-8")
    (var / "agents.toml").write_text(AGENT.format("nurse at home"), encoding="utf-8")
    done = run_cli(environment(var, TRIAGELINE_SPEECH__MODEL=str(var / "model"), TRIAGELINE_SIP__PORT="0"), "check")
    lines = {line[4:16].strip(): line[:4] for line in done.stdout.splitlines()[:-1]}
    assert done.returncode == 1
    assert done.stderr == ""
    assert {name for name, mark in lines.items() if mark == "DO  "} == {"recognition", "agents"}
    assert lines.keys() >= {"telephony", "voices", "dialogue", "redis", "keys", "disk", "SIP port", "sentences"}


def test_a_fresh_folder_has_nothing_to_list(var: Path) -> None:
    env = environment(var)
    for words, telling in (
        (("calls", "list"), "no calls"),
        (("callbacks", "list"), "No callback is owed."),
        (("agents", "list"), "nurse-1          available"),
        (("models", "list"), "demo"),
    ):
        done = cli_here(env, *words)
        assert done.returncode == 0
        assert telling in done.stdout
    for private in ("keys", "log", "run", "triageline.db", "keys/master.keys"):
        assert os.stat(var / private).st_mode & 0o077 == 0, private
