"""A real Redis on a Unix socket for one test, started and ended by its process id."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from routing.processes import RedisCommand, find_redis, redis_command


class PrivateRedis:
    """One server; `kill` and `start` may follow each other."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self.command: RedisCommand = redis_command(find_redis(), folder, megabytes=16)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """For clients."""
        return self.command.url

    def start(self) -> None:
        """Start and wait until it answers."""
        self.process = subprocess.Popen(self.command.argv, umask=self.command.umask, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while not self._answers():
            assert self.process.poll() is None, "redis did not start"
            assert time.monotonic() < until, "redis does not answer"
            time.sleep(0.02)

    def kill(self) -> None:
        """End it the hard way."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def pause(self, signal: int) -> None:
        """Send SIGSTOP or SIGCONT."""
        assert self.process is not None
        os.kill(self.process.pid, signal)

    def _answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(1)
                client.connect(str(self.command.socket))
                client.sendall(b"PING\r\n")
                return client.recv(7) == b"+PONG\r\n"
        except OSError:
            return False


@contextmanager
def private_redis(folder: Path) -> Iterator[PrivateRedis]:
    """A running server that ends with the block."""
    server = PrivateRedis(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
