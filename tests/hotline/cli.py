"""The command line with settings of the tests' own: a folder for each hotline, and `triageline WORDS`."""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

from ivr import cli

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT / "var"


def environment(var: Path, **more: str) -> dict[str, str]:
    """The tests' settings: own folder, the model and the rendered sentences shared with other runs."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("TRIAGELINE_")}
    return {
        **ours,
        "TRIAGELINE_PATHS__VAR": str(var),
        "TRIAGELINE_PATHS__AGENTS": str(var / "agents.toml"),
        "TRIAGELINE_PATHS__TRUNKS": str(var / "trunks.toml"),
        "TRIAGELINE_PATHS__MODELS": str(SHARED / "models"),
        "TRIAGELINE_PATHS__CACHE": str(SHARED / "cache"),
        "TRIAGELINE_SIP__BIND": "127.0.0.1",
        "TRIAGELINE_CONSOLE__ENABLED": "false",  # a process more for each hotline; tests of the API switch it on
        "TRIAGELINE_CONFIG": str(var / "none.toml"),
        **more,
    }


def write_agents(var: Path, ports: dict[str, int], registering: tuple[str, ...] = ()) -> None:
    """The roster; those who register are away until a test calls them in."""
    entries = [f'[[agent]]\nid = "{name}"\naddress = "sip:{name}@127.0.0.1:{port}"\n' for name, port in ports.items()]
    entries += [f'[[agent]]\nid = "{name}"\npresence = "away"\n' for name in registering]
    (var / "agents.toml").write_text("\n".join(entries), encoding="utf-8")


def run_cli(env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """`triageline WORDS`, whatever comes of it."""
    command = [sys.executable, "-m", "ivr", *words]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)


def cli_here(env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """The same in this process: a fresh one takes two seconds to start."""
    kept = dict(os.environ)
    os.environ.clear()
    os.environ.update(env)
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.main(words)
    finally:
        os.environ.clear()
        os.environ.update(kept)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())
