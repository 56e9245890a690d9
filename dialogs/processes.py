"""Command lines and environments of the dialogue's processes, as plain data: the supervisor, the demo and the tests
start the same things. Nothing is started here.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
PROJECT: Final = Path("dialogs/rasa_project")
MODEL: Final = Path("var/rasa/models/triage.tar.gz")
_KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "TZ")
"""Variables passed on: proxies and everything else of the parent stay out, and so does the parent's PYTHONPATH."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """One process to start."""

    name: str
    """Short stable name."""
    argv: tuple[str, ...]
    """Program and arguments; never a secret, for everybody can read them."""
    env: Mapping[str, str]
    """The whole environment, secrets included."""
    cwd: Path
    """Working folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RasaPlace:
    """Where the dialogue's processes meet."""

    root: Path
    """The checkout: holds dialogs/, .venv, .venv-rasa and var/."""
    rasa_port: int
    """TCP port of Rasa on loopback."""
    actions_port: int
    """TCP port of the action server on loopback."""
    redis_socket: Path
    """Unix socket of the private Redis; at most about 100 characters."""
    rasa_token: str
    """Secret of Rasa's webhook, 16 characters or more."""
    actions_token: str
    """Secret of the action server, 16 characters or more."""
    main_python: Path
    """Interpreter of the main environment."""
    rasa_python: Path
    """Interpreter of Rasa's environment."""

    @property
    def rasa_url(self) -> str:
        """Base address for `RasaDialogue`."""
        return f"http://{HOST}:{self.rasa_port}"

    @property
    def rasa_health(self) -> str:
        """Answers 200 once the model is loaded."""
        return f"{self.rasa_url}/webhooks/triage/"

    @property
    def actions_health(self) -> str:
        """Answers 200 once the action server serves."""
        return f"http://{HOST}:{self.actions_port}/health"


def redis_process(program: str, socket: Path, folder: Path) -> ProcessSpec:
    """A private Redis on a Unix socket only, without any persistence: it holds conversations."""
    argv = (
        *(program, "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "600"),
        *("--save", "", "--appendonly", "no", "--dir", str(folder), "--daemonize", "no", "--loglevel", "warning"),
    )
    return ProcessSpec(name="redis", argv=argv, env=_base(), cwd=folder)


def actions_process(place: RasaPlace) -> ProcessSpec:
    """The action server, in the main environment."""
    argv = (str(place.main_python), "-m", "dialogs.actions", "--port", str(place.actions_port))
    env = {**_base(), "TRIAGELINE_ACTIONS_TOKEN": place.actions_token, "RASA_TELEMETRY_ENABLED": "false"}
    return ProcessSpec(name="actions", argv=argv, env=env, cwd=place.root)


def rasa_process(place: RasaPlace) -> ProcessSpec:
    """Rasa with the trained model, no HTTP API, one door: the channel with the token."""
    project = place.root / PROJECT
    argv = (
        *(str(place.rasa_python), "-m", "rasa", "run", "--model", str(place.root / MODEL)),
        *("--endpoints", str(project / "endpoints.yml"), "--credentials", str(project / "credentials.yml")),
        *("--interface", HOST, "--port", str(place.rasa_port), "--quiet"),
    )
    env = {
        **rasa_env(place.root),
        "TRIAGELINE_RASA_TOKEN": place.rasa_token,
        "TRIAGELINE_ACTIONS_TOKEN": place.actions_token,
        "TRIAGELINE_ACTIONS_URL": f"http://{HOST}:{place.actions_port}/webhook",
        "TRIAGELINE_REDIS_SOCKET": str(place.redis_socket),
    }
    return ProcessSpec(name="rasa", argv=argv, env=env, cwd=place.root / "var/rasa")


def train_process(root: Path, rasa_python: Path, data: Path) -> ProcessSpec:
    """Training of the model from the project's data and the generated data in `data`."""
    project = root / PROJECT
    argv = (
        *(str(rasa_python), "-m", "rasa", "train", "--quiet", "--config", str(project / "config.yml")),
        *("--domain", str(project / "domain.yml"), "--data", str(project / "data"), str(data)),
        *("--out", str((root / MODEL).parent), "--fixed-model-name", MODEL.name.removesuffix(".tar.gz")),
    )
    return ProcessSpec(name="train", argv=argv, env=rasa_env(root), cwd=data.parent)


def rasa_env(root: Path) -> Mapping[str, str]:
    """Environment of everything Rasa: no telemetry, one thread a library, quiet, channel and stores importable."""
    return {
        **_base(),
        "PYTHONPATH": str(root / PROJECT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONWARNINGS": "ignore",
        "RASA_TELEMETRY_ENABLED": "false",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
        "LOG_LEVEL": "WARNING",
        "LOG_LEVEL_LIBRARIES": "ERROR",
        "SANIC_WORKERS": "1",
    }


def _base() -> dict[str, str]:
    return {name: os.environ[name] for name in _KEPT if name in os.environ}
