"""A receiver of spans that is slow, broken or gone costs spans, never a call."""

import socket
import threading
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from ivr.watch import spans
from ivr.watch.moments import Moment, What

CALLS = spans.QUEUE + 500


class Stuck(SpanExporter):
    """Takes one parcel and never comes back, until let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.reached = threading.Event()
        self.taken = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """As in the interface."""
        self.reached.set()
        self.let_go.wait()
        self.taken += len(spans)
        return SpanExportResult.SUCCESS


def a_call(sink: spans.Spans, name: str) -> None:
    sink.tell(name, Moment(what=What.BEGAN, at=1.0))
    sink.tell(name, Moment(what=What.ENDED, at=2.0, word="advised"))


def test_a_stuck_receiver_stops_nobody_and_the_queue_has_an_end() -> None:
    stuck, made = Stuck(), spans.provider("worker-1", "1")
    spans.export(made, stuck)
    sink = spans.Spans(made.get_tracer("test"), 0.0)
    for number in range(spans.AT_ONCE):
        a_call(sink, f"first {number}")
    assert stuck.reached.wait(20)
    for number in range(CALLS):  # returns although nothing is taken any more
        a_call(sink, f"call {number}")
    stuck.let_go.set()
    spans.close(made, 20)
    assert spans.QUEUE <= stuck.taken <= spans.QUEUE + spans.AT_ONCE


def test_closing_waits_for_a_stuck_receiver_only_so_long() -> None:
    stuck, made = Stuck(), spans.provider("worker-1", "1")
    spans.export(made, stuck)
    a_call(spans.Spans(made.get_tracer("test"), 0.0), "b")
    spans.close(made, 0.1)  # returns
    stuck.let_go.set()


def test_a_receiver_that_is_gone_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as closed:  # bound and not listening: refused at once
        closed.bind(("127.0.0.1", 0))
        exporter = spans.otlp(f"http://127.0.0.1:{closed.getsockname()[1]}/v1/traces")
        timer = threading.Timer(0.2, exporter.shutdown)  # it would try again for seconds
        timer.start()
        assert exporter.export(()) is SpanExportResult.FAILURE
        timer.join()
        assert exporter.export(()) is SpanExportResult.FAILURE
    assert caplog.text.count("spans are dropped") == 1


def test_spans_say_nothing_of_the_machine() -> None:
    made = spans.provider("worker-1", "1.0")
    assert set(made.resource.attributes) == {"service.name", "service.instance.id", "service.version"}


@pytest.mark.parametrize("what", list(What))
def test_a_moment_of_a_call_that_is_not_known_means_nothing(what: What) -> None:
    made = spans.provider("worker-1", "1")
    sink = spans.Spans(made.get_tracer("test"), 0.0)
    if what is not What.BEGAN:
        sink.tell("b", Moment(what=what, at=1.0))
    a_call(sink, "b")
    sink.tell("b", Moment(what=what, at=1.0))
