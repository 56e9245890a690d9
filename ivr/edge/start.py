"""Starts the proxy in place of this process, after what is left of an earlier one: `python -m ivr.edge.start COMMAND`.

The proxy's children outlive a parent that was killed. They would keep its sockets, so that half of all packets went to
processes that nobody feeds, and the new one could not start.
"""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

_GONE_SECONDS = 2.0


def leftovers(command: tuple[str, ...], proc: Path = Path("/proc")) -> tuple[int, ...]:
    """Other processes with exactly this command line, which names the folder of this hotline."""
    wanted = b"\0".join(word.encode() for word in command) + b"\0"
    found = []
    for folder in proc.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "cmdline").read_bytes() == wanted and int(folder.name) != os.getpid():
                found.append(int(folder.name))
    return tuple(found)


def clear(command: tuple[str, ...]) -> None:
    """End them, and wait until they are gone."""
    until = time.monotonic() + _GONE_SECONDS
    while (left := leftovers(command)) and time.monotonic() < until:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


if __name__ == "__main__":
    # An order to end that comes meanwhile waits: it would leave the leftovers behind.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    clear(tuple(sys.argv[1:]))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    os.execv(sys.argv[1], sys.argv[1:])
