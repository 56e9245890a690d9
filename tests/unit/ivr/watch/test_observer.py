"""The observer never fails a call, and forgets calls that are over."""

import pytest

from ivr.call import events as ev
from ivr.call.state import Call, State
from ivr.ports import Cause
from ivr.watch.moments import Moment, What
from ivr.watch.observer import Observer
from ivr.watch.watcher import Played, Step

STEP = Step(before=Call(), event=ev.HungUp(cause=Cause.NORMAL), after=Call(state=State.ENDED), commands=())


def test_a_listener_that_breaks_is_told_once_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    told: list[What] = []

    def broken(call: str, moment: Moment) -> None:
        raise RuntimeError("boom")

    observer = Observer([broken, lambda call, moment: told.append(moment.what)])
    for name in ("b", "c"):
        observer.begun(name)
        observer.step(name, STEP)
        observer.ended(name)
    assert told.count(What.ENDED) == 2
    assert caplog.text.count("watching failed") == 1


def test_what_is_told_of_a_call_that_is_over_means_nothing() -> None:
    told: list[What] = []
    observer = Observer([lambda call, moment: told.append(moment.what)])
    observer.begun("b")
    observer.ended("b")
    before = list(told)
    observer.fact("b", Played(say=1, lead=0.0))
    observer.step("b", STEP)
    observer.ended("b")
    assert told == before


def test_refusals_are_passed_on() -> None:
    reasons: list[str] = []
    Observer([], (reasons.append,)).refused("full")
    assert reasons == ["full"]
