"""The limit of open files is raised as far as it may be, and what does not fit is not promised."""

import subprocess
import sys
from pathlib import Path

import pytest

_CHILD = """
import resource, sys
from ivr.lines.sip_sockets import calls_with_sockets
soft, hard, wanted = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print(calls_with_sockets(wanted), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "calls", "limit"),
    [
        (200, 500, 4, 4, 264),
        (200, 500, 512, 122, 500),
        (500, 500, 4, 4, 500),
        (200, 210, 512, 1, 210),
    ],
)
def test_calls_that_fit(soft: int, hard: int, wanted: int, calls: int, limit: int) -> None:
    # In a process of its own: a limit once lowered cannot be raised again.
    command = [sys.executable, "-c", _CHILD, str(soft), str(hard), str(wanted)]
    ended = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True, timeout=60)
    assert ended.stdout.split() == [str(calls), str(limit)], ended.stderr
