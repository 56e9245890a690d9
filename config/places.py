"""Where everything lies, from the settings."""

import hashlib
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from config.settings import ROOT, Settings, resolve

LONGEST_RUN = 90
"""Bytes; a Unix socket's path has at most 107 (sockaddr_un), so deep folders get a run folder elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Folders and files; made by `prepare`."""

    root: Path
    """The project."""
    var: Path
    """Everything that the hotline writes."""
    run: Path
    """Sockets and state of the running hotline."""
    log: Path
    """Logs, without personal data."""
    keys: Path
    """Master keys."""
    models: Path
    """Recognition models."""
    cache: Path
    """Rendered prompts."""
    agents: Path
    """Agents' phones."""
    trunks: Path
    """Carriers and PBXs."""
    masking: str = ""
    """Address of the database of masking, if it is not a file of ours."""

    @property
    def database(self) -> str:
        """Address of the database."""
        return f"sqlite:///{self.var / 'triageline.db'}"

    @property
    def vault(self) -> str:
        """Address of the vault of real numbers, with virtual numbers and bindings: a database of its own."""
        return self.masking or f"sqlite:///{self.var / 'vault.db'}"

    @property
    def tapes(self) -> Path:
        """Calls recorded for test, sealed."""
        return self.var / "tapes"

    @property
    def lives(self) -> Path:
        """Folder in which every worker that lives holds a lock."""
        return self.run / "lives"


def places(settings: Settings) -> Places:
    """From the settings; nothing is made."""
    var = resolve(settings.paths.var)
    run = var / "run"
    if len(bytes(run)) > LONGEST_RUN:
        run = Path(tempfile.gettempdir()) / f"triageline-{hashlib.sha256(bytes(var)).hexdigest()[:16]}"
    return Places(
        root=ROOT,
        var=var,
        run=run,
        log=var / "log",
        keys=var / "keys",
        models=resolve(settings.paths.models),
        cache=resolve(settings.paths.cache),
        agents=resolve(settings.paths.agents),
        trunks=resolve(settings.paths.trunks),
        # The driver that is installed; SQLAlchemy would take another for the short form.
        masking=re.sub("^postgresql://", "postgresql+psycopg://", settings.masking.database),
    )


def prepare(where: Places) -> None:
    """Make the folders, readable by the owner only. Raises OSError."""
    for folder in (where.var, where.run, where.log, where.keys, where.cache):
        folder.mkdir(parents=True, exist_ok=True)
    for private in (where.run, where.log, where.keys):
        private.chmod(0o700)
