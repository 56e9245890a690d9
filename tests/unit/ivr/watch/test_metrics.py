"""The figures of a process: closed labels, a scrape over HTTP, nothing lost and nothing let in."""

import socket
import urllib.error
import urllib.request

import pytest

from ivr.watch.figures import FIGURES, PREFIX
from ivr.watch.metrics import TAKES, Metrics
from ivr.watch.moments import Moment, What
from masking.leaks import LeakOracle

NUMBER = "+12025550142"


def ours(metrics: Metrics) -> list[str]:
    """The figures without the process's own, which move by themselves, and without times of creation."""
    return [line for line in metrics.text().splitlines() if line.startswith("triageline_") and "_created" not in line]


@pytest.mark.parametrize("what", list(What))
def test_every_kind_of_moment_can_be_taken(what: What) -> None:
    metrics = Metrics()
    before = ours(metrics)
    metrics.tell("call", Moment(what=what, at=1.0, seconds=0.5, word="talk", key="a1"))
    assert (ours(metrics) != before) == (what in TAKES)


@pytest.mark.parametrize("what", list(What))
@pytest.mark.parametrize("good", [True, False])
def test_no_word_but_those_of_the_sets_becomes_a_label(what: What, good: bool) -> None:
    metrics = Metrics()
    metrics.tell(NUMBER, Moment(what=what, at=1.0, word=f"my number is {NUMBER}", key=NUMBER, good=good))
    metrics.refused(NUMBER)
    assert LeakOracle([NUMBER]).scan(metrics.text().encode()) == ()
    assert "my number" not in metrics.text()
    assert metrics.registry.get_sample_value("triageline_refusals_total", {"reason": "other"}) == 1


def test_counts_are_there_before_anything_happens() -> None:
    metrics = Metrics()
    assert metrics.registry.get_sample_value("triageline_calls_total", {"outcome": "bridged"}) == 0
    assert metrics.registry.get_sample_value("triageline_journal_failures_total") == 0


def test_masked_calls_are_counted_by_why_they_ended() -> None:
    metrics = Metrics()
    for end in ("completed", "completed", "no_answer", "+12025550142"):
        metrics.tell("call", Moment(what=What.MASKED_ENDED, at=1.0, word=end))
    values = {
        end: metrics.registry.get_sample_value("triageline_masked_calls_total", {"end": end})
        for end in ("completed", "no_answer", "other", "killed")
    }
    assert values == {"completed": 2, "no_answer": 1, "other": 1, "killed": 0}


def test_gauges_are_read_when_asked() -> None:
    metrics = Metrics()
    state = {"seeking": 1.0}
    metrics.read_each("live_calls", lambda: state)
    metrics.read("legs", lambda: 7)
    assert metrics.registry.get_sample_value("triageline_live_calls", {"state": "seeking"}) == 1
    state["seeking"], state["a caller"] = 2.0, 5.0
    assert metrics.registry.get_sample_value("triageline_live_calls", {"state": "seeking"}) == 2
    assert metrics.registry.get_sample_value("triageline_live_calls", {"state": "new"}) == 0
    assert metrics.registry.get_sample_value("triageline_legs") == 7
    assert "a caller" not in metrics.text()


def test_two_processes_share_no_figures() -> None:
    worker, up = Metrics("worker"), Metrics("up")
    worker.add("barge_ins")
    assert "triageline_barge_ins" not in up.text()
    assert "triageline_restarts" not in worker.text()
    assert worker.text() != Metrics("worker").text()


def test_prometheus_can_ask_and_the_port_is_given_back() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    metrics = Metrics()
    metrics.name_worker("worker-3")
    stop = metrics.serve("127.0.0.1", port)
    assert stop is not None
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    assert 'triageline_worker_info{worker="worker-3"} 1.0' in text
    assert "process_resident_memory_bytes" in text
    stop()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5)


def test_a_taken_port_costs_the_figures_only(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert Metrics().serve("127.0.0.1", int(taken.getsockname()[1])) is None
    assert "no figures" in caplog.text


def test_names_are_as_prometheus_wants_them() -> None:
    names = [one.full_name for one in FIGURES]
    assert len(set(names)) == len(names)
    for one in FIGURES:
        assert one.full_name.startswith(PREFIX)
        assert len(one.labels) <= 2
        assert all(len(values) <= 16 for values in one.labels.values()), "every value is a series of its own"
