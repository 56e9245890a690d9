"""The figures for Prometheus, filled from moments. A registry of its own for each process, no global one.

Every worker shows its own, and Prometheus adds them up: counters that begin at zero after a restart are what its
`rate` expects, a worker that is gone shows as a target that is down, and there is no merging that could lose either.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
    start_http_server,
)

from ivr.watch import words
from ivr.watch.figures import FIGURES, PREFIX, Figure, Kind
from ivr.watch.moments import Moment, What

log = logging.getLogger(__name__)

Reading = Callable[[], float]
"""Read when Prometheus asks, on its server's thread."""
Readings = Callable[[], Mapping[str, float]]
"""The same, for each value of the only label."""


class Metrics:
    """The figures of one process. `tell` and the other takers may be called from any thread."""

    def __init__(self, by: str = "worker") -> None:
        """`by`: "worker" or "up", whose figures these are."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._by_name: dict[str, Any] = {one.name: self._make(one) for one in FIGURES if one.by == by}
        self._labels = {one.name: one.labels for one in FIGURES if one.by == by}
        self._counted = {one.name: _counter_values(one) for one in FIGURES if one.by == by and one.kind is Kind.COUNTER}
        for name, values in self._counted.items():  # shown from the start: an alert cannot tell "none" from "absent"
            for value in values:
                self._by_name[name].labels(value)

    def _make(self, one: Figure) -> Any:
        given = (f"{PREFIX}{one.name}", one.help, tuple(one.labels))
        if one.kind is Kind.HISTOGRAM:
            return Histogram(*given, registry=self.registry, buckets=one.buckets)
        return (Counter if one.kind is Kind.COUNTER else Gauge)(*given, registry=self.registry)

    def add(self, name: str, *values: str, count: float = 1) -> None:
        """Count. Raises KeyError for a figure that this process does not show."""
        self._of(name, values).inc(count)

    def measure(self, name: str, seconds: float, *values: str) -> None:
        """Take a measurement; `name` without "_seconds". Raises KeyError."""
        self._of(f"{name}_seconds", values).observe(max(0.0, seconds))

    def put(self, name: str, value: float, *values: str) -> None:
        """Set a gauge. Raises KeyError."""
        self._of(name, values).set(value)

    def name_worker(self, worker: str) -> None:
        """Show which worker this is, by its name from `up`."""
        self._by_name["worker_info"].labels(worker).set(1)

    def read(self, name: str, reading: Reading) -> None:
        """Ask for a gauge's value whenever Prometheus does. Raises KeyError."""
        self._by_name[name].set_function(reading)

    def read_each(self, name: str, readings: Readings) -> None:
        """The same for a gauge with one label. Raises KeyError."""
        (values,) = self._labels[name].values()
        for value in sorted(values):
            self._by_name[name].labels(value).set_function(lambda value=value: readings().get(value, 0))

    def _of(self, name: str, values: Sequence[str]) -> Any:
        figure, sets = self._by_name[name], self._labels[name].values()
        if not values:
            return figure
        return figure.labels(*(words.closed(value, known) for value, known in zip(values, sets, strict=True)))

    def refused(self, reason: str) -> None:
        """A call was not taken."""
        self.add("refusals", reason)

    def tell(self, call: str, moment: Moment) -> None:
        """Take a moment of a call."""
        if take := TAKES.get(moment.what):
            take(self, moment)

    def text(self) -> str:
        """As Prometheus reads it."""
        return generate_latest(self.registry).decode()

    def serve(self, bind: str, port: int) -> Callable[[], None] | None:
        """Show them at http://BIND:PORT/metrics from a thread; how to stop, or None where the port cannot be opened:
        a hotline without figures is better than none."""
        try:
            server, thread = start_http_server(port, addr=bind, registry=self.registry)
        except OSError as error:
            log.error("no figures: port %d on %s cannot be opened (%s)", port, bind, error.strerror)
            return None

        def stop() -> None:
            server.shutdown()
            server.server_close()
            thread.join(timeout=2)

        return stop


def _counter_values(one: Figure) -> tuple[str, ...]:
    return tuple(sorted(next(iter(one.labels.values())))) if len(one.labels) == 1 else ()


def _result(moment: Moment) -> str:
    return "ok" if moment.good else "failed"


def _leg(metrics: Metrics, moment: Moment) -> None:
    metrics.add("agent_legs", "answered" if moment.good else moment.word)


def _ended(metrics: Metrics, moment: Moment) -> None:
    metrics.add("calls", moment.word)
    metrics.measure("call", moment.seconds)


def _counts(name: str) -> Callable[[Metrics, Moment], None]:
    return lambda metrics, moment: metrics.add(name, count=moment.count)


def _measures(name: str) -> Callable[[Metrics, Moment], None]:
    return lambda metrics, moment: metrics.measure(name, moment.seconds)


def _sorts(name: str) -> Callable[[Metrics, Moment], None]:
    return lambda metrics, moment: metrics.add(name, moment.word)


TAKES: dict[What, Callable[[Metrics, Moment], None]] = {
    What.BEGAN: _counts("calls_begun"),
    What.ENDED: _ended,
    What.MASKED_ENDED: _sorts("masked_calls"),
    What.GAP: _measures("response_gap"),
    What.ANSWERED: lambda metrics, moment: metrics.measure(
        "dialogue_turn", moment.seconds, moment.word, _result(moment)
    ),
    What.LISTENED: _measures("recogniser_delay"),
    What.LOST: _counts("lost_frames"),
    What.BARGED_IN: _counts("barge_ins"),
    What.DEAD_AIR: _sorts("dead_air"),
    What.KEYS: _counts("keypad_fallbacks"),
    What.FLAG: _counts("red_flags"),
    What.FLAG_RANG: _measures("red_flag_ring"),
    What.FLAG_BRIDGED: _measures("red_flag_bridge"),
    What.PICKED_UP: _measures("agent_answer"),
    What.ACCEPTED: _measures("agent_accept"),
    What.LEG_GONE: _leg,
    What.TROUBLE: _sorts("troubles"),
    What.JOURNAL_LOST: _counts("journal_failures"),
    What.OWED: _counts("callbacks_promised"),
}
