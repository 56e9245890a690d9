"""Timers in a call's own time."""

from ivr.timers import Timers


def test_a_timer_fires_once_when_its_time_has_passed() -> None:
    timers = Timers()
    timers.start("a", 1.0)
    assert timers.pass_time(0.9) == ()
    assert timers.pass_time(0.1) == ("a",)
    assert timers.pass_time(5.0) == ()


def test_tenths_of_seconds_add_up() -> None:
    timers = Timers()
    timers.start("a", 1.5)
    assert [timers.pass_time(0.1) for _ in range(15)] == [()] * 14 + [("a",)]


def test_several_fire_in_the_order_in_which_they_ran_out() -> None:
    timers = Timers()
    for name, seconds in (("late", 0.3), ("early", 0.1), ("other", 9.0)):
        timers.start(name, seconds)
    assert timers.pass_time(1.0) == ("early", "late")


def test_starting_again_begins_anew() -> None:
    timers = Timers()
    timers.start("a", 1.0)
    timers.pass_time(0.9)
    timers.start("a", 1.0)
    assert timers.pass_time(0.9) == ()


def test_stopping_forgets_also_what_never_ran() -> None:
    timers = Timers()
    timers.start("a", 1.0)
    timers.stop("a")
    timers.stop("never started")
    assert timers.pass_time(9.0) == ()
