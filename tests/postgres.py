"""A private PostgreSQL for tests: a folder, a Unix socket, no port."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

from sqlalchemy import Engine, text

from masking.database import prepare
from masking.schema import metadata, parties, reveals
from records.database import connect

SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",  # nobody pulls the plug in a test
    "max_connections": "60",
    "shared_buffers": "32MB",
    "log_min_messages": "fatal",
}

KEPT = {parties, reveals}


class Postgres:
    """Started on entry, gone on exit. The server refuses to run as root, so it runs as the package's own user there."""

    def __init__(self, **settings: str) -> None:
        """`settings`: of postgresql.conf, instead of those for tests."""
        self._settings = SETTINGS | settings
        self._folder = Path(tempfile.mkdtemp(prefix="pg-"))

    @property
    def url(self) -> str:
        """For SQLAlchemy."""
        return f"postgresql+psycopg://postgres@/postgres?host={self._folder}"

    @property
    def data(self) -> Path:
        """Its files."""
        return self._folder / "data"

    def engine(self) -> Engine:
        """With the tables of `masking`, empty."""
        engine = prepare(connect(self.url))
        with engine.begin() as db:
            db.execute(text("SET LOCAL session_replication_role = replica"))  # audits let nobody empty them
            names = ", ".join(table.name for table in metadata.sorted_tables if table not in KEPT)
            db.execute(text(f"TRUNCATE {names}"))
        return engine

    def __enter__(self) -> "Postgres":
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres", "postgres")
        self._run("initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N")
        lines = [f"{name} = '{value}'" for name, value in self._settings.items()]
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.write("\n".join([f"unix_socket_directories = '{self._folder}'", *lines, ""]))
        self._run("pg_ctl", "-D", str(self.data), "-w", "-l", str(self._folder / "log"), "start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run("pg_ctl", "-D", str(self.data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._folder)

    def _run(self, program: str, *options: str) -> None:
        as_whom = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        subprocess.run(  # type: ignore[call-overload]
            [_program(program), *options],
            check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd=self._folder, **as_whom,
        )  # fmt: skip


def _program(name: str) -> str:
    """Debian keeps most of them off the path."""
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    found = str(newest[-1]) if newest else shutil.which(name)
    if found is None:
        raise FileNotFoundError("PostgreSQL is not installed; run scripts/setup --dev")
    return found
