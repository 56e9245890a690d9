"""OpenTelemetry spans of calls, made of moments.

    call
    ├── turn          the caller's last sound to our first
    │   ├── dialogue  question to the dialogue until its answer
    │   └── speak     Say to sound
    └── handover      a human is sought until caller and agent hear each other
        ├── ring      an agent's phone is dialled until it is picked up, or gone
        ├── accept    picked up until the key that takes the call
        └── bridge    the two are joined

A dialogue or a sentence outside a turn hangs below the call itself. Attributes are words of closed sets, figures, and
the opaque id of the call.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, StatusCode, Tracer

from ivr.watch.moments import Moment, What

log = logging.getLogger(__name__)

QUEUE = 2048
"""Spans that wait for a slow or absent receiver; more are dropped. A call has about forty."""
EXPORT_SECONDS = 5.0
"""Longest wait for the receiver, for one parcel."""
AT_ONCE = 512
"""Spans in one parcel."""


class Spans:
    """Spans of the calls of one process."""

    def __init__(self, tracer: Tracer, epoch: float) -> None:
        """`epoch`: seconds to add to the observer's clock to have seconds since 1970."""
        self._tracer = tracer
        self._epoch = epoch
        self._calls: dict[str, _Tree] = {}

    def tell(self, call: str, moment: Moment) -> None:
        """Take a moment."""
        if moment.what is What.BEGAN:
            self._calls[call] = _Tree(self._tracer, self._epoch, call, moment)
        tree = self._calls.get(call)
        if tree is None:
            return
        if moment.what is What.ENDED:
            del self._calls[call]
            tree.end(moment)
        elif take := TAKES.get(moment.what):
            take(tree, moment)


class _Tree:
    """The open spans of one call, by kind and key."""

    def __init__(self, tracer: Tracer, epoch: float, call: str, moment: Moment) -> None:
        self._tracer = tracer
        self._epoch = epoch
        self._open: dict[tuple[str, str], Span] = {}
        self._root = tracer.start_span(
            "call", context=trace.set_span_in_context(trace.INVALID_SPAN), start_time=self._ns(moment.at)
        )
        self._root.set_attribute("triageline.call", call)

    def _ns(self, at: float) -> int:
        return round((at + self._epoch) * 1e9)

    def start(self, name: str, at: float, *, key: str = "", below: str = "", **attributes: str | float | bool) -> None:
        """Open a span below another kind of span, if that is open, else below the call."""
        parent = self._open.get((below, ""), self._root)
        self.stop(name, at, key=key)
        span = self._tracer.start_span(name, context=trace.set_span_in_context(parent), start_time=self._ns(at))
        span.set_attributes({f"triageline.{name}": value for name, value in attributes.items()})
        self._open[name, key] = span

    def stop(self, name: str, at: float, *, key: str = "", good: bool = True, **attributes: str | float | bool) -> None:
        """Close a span; one that is not open is ignored."""
        span = self._open.pop((name, key), None)
        if span is None:
            return
        span.set_attributes({f"triageline.{name}": value for name, value in attributes.items()})
        if not good:
            span.set_status(StatusCode.ERROR)
        span.end(self._ns(at))

    def note(self, name: str, at: float, **attributes: str | float | bool) -> None:
        """An event of the call, on its span."""
        known = {f"triageline.{name}": value for name, value in attributes.items()}
        self._root.add_event(name, known, self._ns(at))

    def mark(self, **attributes: str | float | bool) -> None:
        """Attributes of the call."""
        self._root.set_attributes({f"triageline.{name}": value for name, value in attributes.items()})

    def end(self, moment: Moment) -> None:
        """Close everything."""
        for name, key in reversed(tuple(self._open)):
            self.stop(name, moment.at, key=key, unfinished=True)
        self.mark(outcome=moment.word)
        if moment.word == "failed":
            self._root.set_status(StatusCode.ERROR)
        self._root.end(self._ns(moment.at))

    # Moments ------------------------------------------------------------------------------------------------------

    def turn(self, moment: Moment) -> None:
        """The caller has finished."""
        self.start("turn", moment.since)

    def sought(self, moment: Moment) -> None:
        """A human is sought; a second search while one runs, after an upgrade, is the same handover."""
        if ("handover", "") in self._open:
            self._open["handover", ""].set_attribute("triageline.level", moment.word)
        else:
            self.start("handover", moment.at, level=moment.word)

    def flag(self, moment: Moment) -> None:
        """A red flag."""
        self.mark(red_flag=True)
        self.note("red flag", moment.at)

    def picked_up(self, moment: Moment) -> None:
        """Somebody answered."""
        self.stop("ring", moment.at, key=moment.key, result="answered")
        self.start("accept", moment.at, key=moment.key, below="handover")

    def gone(self, moment: Moment) -> None:
        """An agent's leg is over."""
        self.stop("ring", moment.at, key=moment.key, result=moment.word)
        self.stop("accept", moment.at, key=moment.key, result=moment.word)

    def joined(self, moment: Moment) -> None:
        """Caller and agent hear each other."""
        self.stop("bridge", moment.at, key=moment.key)
        self.stop("handover", moment.at)


def _notes(what: What) -> Callable[[_Tree, Moment], None]:
    return lambda tree, moment: tree.note(what.value.replace("_", " "), moment.at, **_word(moment))


def _word(moment: Moment) -> dict[str, Any]:
    return {"what": moment.word} if moment.word else {}


TAKES: dict[What, Callable[[_Tree, Moment], None]] = {
    What.STATE: _notes(What.STATE),
    What.LEVEL: lambda tree, moment: tree.mark(level=moment.word),
    What.TURN_BEGAN: _Tree.turn,
    What.TURN_GONE: lambda tree, moment: tree.stop("turn", moment.at, unfinished=True),
    What.GAP: lambda tree, moment: tree.stop("turn", moment.at, gap=moment.seconds),
    What.ASKED: lambda tree, moment: tree.start(
        "dialogue", moment.at, key=moment.key, below="turn", engine=moment.word
    ),
    What.ANSWERED: lambda tree, moment: tree.stop("dialogue", moment.at, key=moment.key, good=moment.good),
    What.SAY: lambda tree, moment: tree.start("speak", moment.at, below="turn"),
    What.PLAYED: lambda tree, moment: tree.stop("speak", moment.at),
    What.BARGED_IN: _notes(What.BARGED_IN),
    What.FLAG: _Tree.flag,
    What.SOUGHT: _Tree.sought,
    What.RUNG: lambda tree, moment: tree.start("ring", moment.at, key=moment.key, below="handover"),
    What.PICKED_UP: _Tree.picked_up,
    What.ACCEPTED: lambda tree, moment: tree.stop("accept", moment.at, key=moment.key, result="accepted"),
    What.LEG_GONE: _Tree.gone,
    What.JOINING: lambda tree, moment: tree.start("bridge", moment.at, key=moment.key, below="handover"),
    What.JOINED: _Tree.joined,
    What.KEYS: _notes(What.KEYS),
    What.DEAD_AIR: _notes(What.DEAD_AIR),
    What.TROUBLE: _notes(What.TROUBLE),
    What.JOURNAL_LOST: _notes(What.JOURNAL_LOST),
    What.OWED: _notes(What.OWED),
}


def provider(worker: str, version: str) -> TracerProvider:
    """Where spans are made: not the global one, and with nothing of the machine or its environment in it."""
    named = {"service.name": "triageline", "service.instance.id": worker, "service.version": version}
    return TracerProvider(resource=Resource(named), shutdown_on_exit=False)


def export(to: TracerProvider, exporter: SpanExporter) -> None:
    """Send spans in parcels from a thread of its own, through a bounded queue: a receiver that is slow, broken or gone
    costs spans, never a call."""
    to.add_span_processor(
        BatchSpanProcessor(
            exporter, max_queue_size=QUEUE, max_export_batch_size=AT_ONCE, schedule_delay_millis=2000,
            export_timeout_millis=round(EXPORT_SECONDS * 1000),
        )
    )  # fmt: skip


class Patient(SpanExporter):
    """Says once that a receiver does not take spans, and once that it does again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._lost = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """As in the interface; runs on the exporter's own thread."""
        result = self._exporter.export(spans)
        lost = result is not SpanExportResult.SUCCESS
        if lost != self._lost:
            log.warning("spans are dropped: their receiver does not take them" if lost else "spans are taken again")
        self._lost = lost
        return result

    def shutdown(self) -> None:
        """As in the interface."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """As in the interface."""
        return self._exporter.force_flush(timeout_millis)


def otlp(endpoint: str) -> SpanExporter:
    """An exporter to an OTLP receiver over HTTP. Proxies named in the environment are not used: spans go to the address
    of the settings or nowhere."""
    import requests  # both here: 20 MB that most hotlines need not pay
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    session = requests.Session()
    session.trust_env = False
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # it would tell every parcel that did not arrive
    return Patient(OTLPSpanExporter(endpoint=endpoint, timeout=EXPORT_SECONDS, session=session))


def close(made: TracerProvider, seconds: float = 3.0) -> None:
    """Send what waits, for so many seconds at most; blocking, never raises."""
    last = threading.Thread(target=made.shutdown, name="spans-close", daemon=True)
    last.start()
    last.join(seconds)
