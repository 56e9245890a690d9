"""A whole call as its observers see it: figures, spans, the live table. None of them holds anything of the caller."""

import json
from collections.abc import Sequence
from itertools import pairwise

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from ivr.audio.format import FRAME_SECONDS
from ivr.call.state import State
from ivr.session import Session
from ivr.watch import words
from ivr.watch.board import Board
from ivr.watch.figures import FIGURES, PREFIX
from ivr.watch.metrics import Metrics
from ivr.watch.observer import Observer
from ivr.watch.spans import Spans, provider
from ivr.watch.watcher import JournalLost, Notebook, Step
from masking.leaks import LeakOracle
from tests.calls.broken import BrokenJournal
from tests.calls.people import during, hangs_up, says
from tests.calls.runner import CALL, Held, hold
from tests.calls.world import CALLER, World

DANGER = "i have chest pain and my left arm hurts"
RASH = ("an itchy rash on my arm", "forty two", "none whatsoever")
EPOCH = 1_700_000_000.0
CLOSED = words.STATES | words.LEVELS | words.ENGINES | words.OUTCOMES | words.LEG_RESULTS | words.PARTS | words.AIR


class Watched:
    """One call with everything watching; time is the call's audio."""

    def __init__(self, **about: object) -> None:
        self.now = 0.0
        self.metrics, self.board = Metrics(), Board(lambda: self.now)
        self.exported = InMemorySpanExporter()
        self.tables: list[str] = []
        made = provider("worker-1", "1")
        made.add_span_processor(SimpleSpanProcessor(self.exported))
        spans = Spans(made.get_tracer("test"), EPOCH)
        observer = Observer([self.metrics.tell, self.board.tell, spans.tell], clock=lambda: self.now)
        world = World(watcher=observer, meanwhile=self._pass, **about)  # type: ignore[arg-type]
        self.held: Held = hold(world)
        made.shutdown()
        self.spans: Sequence[ReadableSpan] = self.exported.get_finished_spans()

    def _pass(self, session: Session) -> None:
        self.now += FRAME_SECONDS
        self.tables.append(json.dumps(self.board.snapshot()))

    def figure(self, name: str, **labels: str) -> float:
        """Value of a sample."""
        value = self.metrics.registry.get_sample_value(PREFIX + name, labels)
        assert value is not None, name
        return value

    def named(self, name: str) -> list[ReadableSpan]:
        """Spans of one kind."""
        return [span for span in self.spans if span.name == name]

    def everything(self) -> str:
        """All that observers would ever show of this call."""
        return "\n".join([self.metrics.text(), *self.tables, *(span.to_json() for span in self.spans)])


@pytest.fixture(scope="module")
def danger() -> Watched:
    return Watched(acts=(says(DANGER), hangs_up(during(State.BRIDGED, 2.0))))


@pytest.fixture(scope="module")
def rash() -> Watched:
    return Watched(acts=tuple(says(words) for words in RASH))


def test_a_red_flag_is_counted_and_timed(danger: Watched) -> None:
    assert danger.held.outcome == "bridged"
    assert danger.figure("calls_total", outcome="bridged") == danger.figure("calls_begun_total") == 1
    assert danger.figure("red_flags_total") == 1
    assert danger.figure("red_flag_ring_seconds_count") == danger.figure("red_flag_bridge_seconds_count") == 1
    assert danger.figure("red_flag_ring_seconds_bucket", le="2.0") == 1
    assert danger.figure("agent_answer_seconds_count") == danger.figure("agent_accept_seconds_count") == 1
    assert danger.figure("red_flag_bridge_seconds_sum") >= danger.figure("agent_accept_seconds_sum")


def test_answers_are_timed_from_the_callers_last_sound(rash: Watched) -> None:
    turns = rash.figure("response_gap_seconds_count")
    assert turns >= 3
    mean = rash.figure("response_gap_seconds_sum") / turns
    assert 0.3 <= mean <= 1.5, "without any work the gap is the silence that ends an utterance"
    assert rash.figure("dialogue_turn_seconds_count", engine="talk", result="ok") >= 3
    assert rash.figure("recogniser_delay_seconds_count") >= 3


def test_nothing_is_left_when_a_call_is_over(danger: Watched, rash: Watched) -> None:
    for one in (danger, rash):
        assert json.loads(one.tables[-1])["calls"] == [] or not one.board.states()
        assert not one.board.states()


def test_the_live_table_follows_the_call(danger: Watched) -> None:
    rows = [row for table in danger.tables for row in json.loads(table)["calls"]]
    assert {row["call"] for row in rows} == {CALL}
    states = [row["state"] for row in rows]
    assert [state for state, following in pairwise(states) if state != following][:1] == ["greeting"]
    assert {"seeking", "bridged"} <= {row["state"] for row in rows}
    assert rows[-1]["red_flag"] is True
    assert rows[-1]["level"] == "emergency"


def test_spans_hang_together(danger: Watched, rash: Watched) -> None:
    for one in (danger, rash):
        (root,) = one.named("call")
        assert root.parent is None
        assert root.attributes is not None
        assert root.attributes["triageline.call"] == CALL
        by_id = {span.context.span_id: span for span in one.spans}
        for span in one.spans:
            assert span.context.trace_id == root.context.trace_id
            assert span.start_time is not None
            assert span.end_time is not None
            assert span.end_time >= span.start_time >= EPOCH * 1e9 - 1
            if span is not root:
                assert span.parent is not None
                assert span.parent.span_id in by_id
        assert {by_id[span.parent.span_id].name for span in one.named("turn") if span.parent} <= {"call"}
    parents = {
        name: {_parent(danger, span) for span in danger.named(name)}
        for name in ("handover", "ring", "accept", "bridge")
    }
    assert parents == {"handover": {"call"}, "ring": {"handover"}, "accept": {"handover"}, "bridge": {"handover"}}
    assert {_parent(rash, span) for span in rash.named("dialogue")} == {"call", "turn"}
    assert "turn" in {_parent(rash, span) for span in rash.named("speak")}


def _parent(one: Watched, span: ReadableSpan) -> str:
    return next(other.name for other in one.spans if span.parent and other.context.span_id == span.parent.span_id)


def test_a_turn_ends_in_its_gap(rash: Watched) -> None:
    gaps = [span for span in rash.named("turn") if span.attributes and "triageline.gap" in span.attributes]
    assert len(gaps) == rash.figure("response_gap_seconds_count")
    for span in gaps:
        assert span.attributes is not None
        assert span.start_time is not None
        assert span.end_time is not None
        assert (span.end_time - span.start_time) / 1e9 == pytest.approx(span.attributes["triageline.gap"], abs=1e-3)


def test_nothing_shown_holds_the_caller(danger: Watched, rash: Watched) -> None:
    oracle = LeakOracle([CALLER])
    for one in (danger, rash):
        shown = one.everything()
        assert oracle.scan(shown.encode()) == ()
        spoken = [word for said in (DANGER, *RASH) for word in said.split() if len(word) > 3]
        assert [word for word in spoken if word in shown.lower()] == []


def test_the_leak_test_can_fail(danger: Watched) -> None:
    assert LeakOracle([CALLER]).scan((danger.everything() + CALLER).encode())


def test_labels_and_attributes_are_of_closed_sets(danger: Watched, rash: Watched) -> None:
    sets = {PREFIX + one.name: one.labels for one in FIGURES}
    for one in (danger, rash):
        for family in text_string_to_metric_families(one.metrics.text()):
            for sample in family.samples:
                for label, value in sample.labels.items():
                    if label != "le" and family.name in sets:
                        assert value in sets[family.name][label] | {words.OTHER}, (family.name, label)
        for span in one.spans:
            for attributes in (span.attributes, *(event.attributes for event in span.events)):
                shown = {value for value in (attributes or {}).values() if isinstance(value, str)}
                assert shown <= CLOSED | {"accepted", CALL}


def test_a_journal_that_fails_is_counted() -> None:
    watched = Watched(acts=(hangs_up(),), journal=BrokenJournal())
    assert watched.figure("journal_failures_total") > 0


def test_the_engine_tells_a_notebook_the_same() -> None:
    notebook = Notebook()
    held = hold(World(acts=(says(DANGER), hangs_up(during(State.BRIDGED, 1.0))), watcher=notebook))
    told = [one for call, one in notebook.told if call == CALL]
    assert (told[0], told[-1]) == ("begun", "ended")
    steps = [one for one in told if isinstance(one, Step)]
    assert [type(one.event).__name__ for one in steps] == [kind for kind in held.kinds if kind not in NOTES]
    assert all(one.after == following.before for one, following in pairwise(steps))
    assert not any(isinstance(one, JournalLost) for one in told)


NOTES = ("Said", "Briefed", "Bridged")
"""Entries of the journal that are no events of the machine."""
