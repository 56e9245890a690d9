"""Signs of life, and who is frozen."""

import os
from dataclasses import replace
from pathlib import Path

from ivr import signs
from ivr.frozen import Frozen
from ivr.signs import Sign

SIGN = Sign(
    name="worker-1", pid=os.getpid(), host="127.0.0.1", port=5080, callers=20, calls=3, draining=False, standby=False,
    beat=100.0,
)  # fmt: skip
GONE = replace(SIGN, name="worker-2", pid=2**22 + 5)  # above the kernel's largest process id


def test_a_sign_is_read_as_it_was_written_but_for_the_time_of_the_file(tmp_path: Path) -> None:
    signs.write(tmp_path, SIGN)
    os.utime(tmp_path / "worker-1.json", (7.0, 7.0))
    assert signs.read_all(tmp_path) == (replace(SIGN, beat=7.0),)


def test_the_order_is_that_of_the_numbers(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        signs.write(tmp_path, replace(SIGN, name=f"worker-{number}"))
    assert [one.name for one in signs.read_all(tmp_path)] == ["worker-1", "worker-2", "worker-10"]


def test_what_is_no_sign_is_passed_over(tmp_path: Path) -> None:
    for name, text in (("worker-1.json", "{"), ("worker-2.json", "[]"), ("worker-3.json", '{"name": "x"}')):
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert signs.read_all(tmp_path) == ()


def test_signs_of_the_dead_are_taken_away(tmp_path: Path) -> None:
    signs.write(tmp_path, SIGN)
    signs.write(tmp_path, GONE)
    signs.remove_dead(tmp_path)
    assert [one.name for one in signs.read_all(tmp_path)] == ["worker-1"]


def test_new_calls_go_to_those_that_take_them() -> None:
    standby, draining = replace(SIGN, port=0, draining=True, standby=True), replace(SIGN, draining=True)
    assert signs.taking_calls((standby, draining, SIGN)) == (SIGN,)


def later(beat: float, pid: int = 1) -> tuple[Sign, ...]:
    return (replace(SIGN, beat=beat, pid=pid),)


def watch(frozen: Frozen, start: float, count: int, sign: tuple[Sign, ...]) -> list[float]:
    """Times, half a second apart, at which the worker counts as frozen."""
    times = [start + number / 2 for number in range(count)]
    return [now for now in times if frozen.look(now, sign)]


def test_the_same_sign_for_more_than_three_seconds_is_a_frozen_worker() -> None:
    assert watch(Frozen(3.0), 0.0, 9, later(1.0)) == [3.5, 4.0]


def test_every_new_sign_counts_and_so_does_another_process() -> None:
    frozen = Frozen(3.0)
    assert watch(frozen, 0.0, 6, later(1.0)) == []
    assert watch(frozen, 3.0, 6, later(2.0)) == []
    assert watch(frozen, 6.0, 6, later(2.0, pid=2)) == []


def test_nobody_is_judged_after_the_whole_machine_stood_still() -> None:
    frozen = Frozen(3.0)
    assert watch(frozen, 0.0, 4, later(1.0)) == []
    assert frozen.look(60.0, later(1.0)) == ()
    assert watch(frozen, 60.5, 6, later(1.0)) == []
    assert frozen.look(63.5, later(1.0)) != ()
