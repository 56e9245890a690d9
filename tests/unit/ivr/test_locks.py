"""Who lives, who died, and who takes calls: by locks of the kernel."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from ivr import locks
from ivr.locks import Life

OTHER = """
import sys, time
from pathlib import Path
from ivr.locks import Life, take_slot
life = Life(Path(sys.argv[1]) / "lives", "other")
slot = take_slot(Path(sys.argv[1]), 1)
print(life.id, slot is not None, flush=True)
time.sleep(60)
"""


def test_a_killed_process_is_dead_at_once_and_its_slot_free(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", OTHER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        name, has_slot = other.stdout.readline().split()
        assert has_slot == "True"
        assert locks.census(tmp_path / "lives") == (frozenset({name}), {})
        assert locks.take_slot(tmp_path, 1) is None
        os.kill(other.pid, signal.SIGKILL)
    living, dead = locks.census(tmp_path / "lives")
    assert (living, set(dead)) == (frozenset(), {name})
    assert locks.take_slot(tmp_path, 1) is not None
    locks.bury(tmp_path / "lives", name)
    locks.bury(tmp_path / "lives", name)
    assert locks.census(tmp_path / "lives") == (frozenset(), {})


def test_an_orderly_end_leaves_nothing(tmp_path: Path) -> None:
    life = Life(tmp_path, "worker-1")
    life.touch()
    assert locks.census(tmp_path)[0] == {life.id}
    life.close()
    assert list(tmp_path.iterdir()) == []


def test_names_are_never_used_twice(tmp_path: Path) -> None:
    lives = [Life(tmp_path, "worker-1") for _ in range(3)]
    assert len({one.id for one in lives}) == 3
    for one in lives:
        one.close()


def test_as_many_slots_as_there_are(tmp_path: Path) -> None:
    first, second = locks.take_slot(tmp_path, 2), locks.take_slot(tmp_path, 2)
    assert first is not None
    assert second is not None
    assert locks.take_slot(tmp_path, 2) is None
    first.free()
    first.free()
    third = locks.take_slot(tmp_path, 2)
    assert third is not None
    second.free()
    third.free()
