"""`triageline top` and `triageline logs` where nothing runs, and over files written by hand."""

import os
from pathlib import Path

import pytest

from ivr.watch import live
from tests.hotline.cli import cli_here, environment, write_agents
from tests.unit.ivr.watch.test_table import a_call, a_worker

BEGIN = "2026-11-23 10:00:00,100 INFO ivr.worker call bbbbbbbbbbbbbb begins\n"
WORSE = "2026-11-23 10:00:02,000 ERROR ivr.session [bbbbbbbbbbbbbb] a step failed\n    | Traceback\n    | KeyError\n"
OTHER = "2026-11-23 10:00:01,000 INFO ivr.worker call dddddddddddddd begins\n"
AS_JSON = '{"time": "2026-11-23T10:00:01.500Z", "call": "bbbbbbbbbbbbbb", "message": "x"}\n'


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    write_agents(tmp_path, {"nurse-1": 27999})
    return environment(tmp_path)


@pytest.mark.parametrize("words", [("top",), ("top", "--once"), ("top", "--json"), ("logs",)])
def test_where_nothing_runs_one_sentence_says_so(env: dict[str, str], words: tuple[str, ...]) -> None:
    done = cli_here(env, *words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1


def test_the_table_needs_neither_redis_nor_a_terminal(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    told = a_worker(a_call(), pid=os.getpid(), born=live.birth(os.getpid()))
    live.write(live.file_of(tmp_path / "run", "worker-1"), told)
    done = cli_here(env, "top")
    assert done.returncode == 0, done.stderr
    for part in ("worker-1", "b" * 14, "nurse-1", "unknown"):
        assert part in done.stdout


def test_log_lines_of_one_call_come_by_time_with_their_tracebacks(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log/worker-1.log").write_text(OTHER + WORSE, encoding="utf-8")
    (tmp_path / "log/worker-2.log").write_text(AS_JSON, encoding="utf-8")
    (tmp_path / "log/worker-1.log.1").write_text(BEGIN, encoding="utf-8")
    (tmp_path / "log/rasa.log").write_text("bbbbbbbbbbbbbb\n", encoding="utf-8")
    assert cli_here(env, "logs", "--call", "bbbbbbbbbbbbbb").stdout == BEGIN + AS_JSON + WORSE
    assert OTHER in cli_here(env, "logs").stdout


def test_log_lines_cannot_move_the_cursor(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log/worker-1.log").write_text("2026-11-23 10:00:00,000 INFO x \x1b[2J\n", encoding="utf-8")
    assert "\x1b" not in cli_here(env, "logs").stdout
