"""Every figure that the hotline shows to Prometheus: name, meaning, labels and the closed sets they are from.

docs/observability.md repeats this table, and a test compares the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ivr.watch import words

PREFIX = "triageline_"

GAPS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Around the budgets of the response gap: half of the answers within 0.7 s, 95 of 100 within 1.2 s."""
QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.5, 5.0)
"""Work of our own, up to the longest wait that is allowed."""
RINGS = (0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0)
"""Around the budget of a red flag: a phone rings within 2 s."""
HUMANS = (2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 300.0)
"""What people need."""
CALLS = (10.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 1200.0, 3600.0)
"""Lengths of calls."""


class Kind(StrEnum):
    """Prometheus' types."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure."""

    name: str
    """Without the prefix; a counter's without "_total"."""
    kind: Kind
    """Type."""
    help: str
    """Meaning, one sentence."""
    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Label names and the closed set of each."""
    buckets: tuple[float, ...] = ()
    """Upper bounds of a histogram, seconds."""
    by: str = "worker"
    """Which process shows it: "worker" or "up"."""

    @property
    def full_name(self) -> str:
        """As Prometheus queries it; a histogram's without "_bucket", "_sum", "_count"."""
        return f"{PREFIX}{self.name}{'_total' if self.kind is Kind.COUNTER else ''}"


def _count(name: str, text: str, **labels: frozenset[str]) -> Figure:
    return Figure(name=name, kind=Kind.COUNTER, help=text, labels=labels)


def _gauge(name: str, text: str, by: str = "worker", **labels: frozenset[str]) -> Figure:
    return Figure(name=name, kind=Kind.GAUGE, help=text, labels=labels, by=by)


def _spread(name: str, text: str, buckets: tuple[float, ...], **labels: frozenset[str]) -> Figure:
    return Figure(name=f"{name}_seconds", kind=Kind.HISTOGRAM, help=text, labels=labels, buckets=buckets)


FIGURES: tuple[Figure, ...] = (
    _count("calls", "Calls that ended, by outcome.", outcome=words.OUTCOMES),
    _count("calls_begun", "Calls that were taken."),
    _count("refusals", "Calls that were not taken, by reason.", reason=words.REFUSALS),
    _spread("call", "Length of calls.", CALLS),
    _gauge("live_calls", "Calls in progress, by state of the call machine.", state=words.STATES),
    _gauge("waiting_calls", "Calls that wait for a human, by level of care.", level=words.LEVELS),
    _gauge("call_places", "Callers that this worker takes at once."),
    _gauge("draining", "1 while the worker takes no more calls."),
    _gauge("legs", "Call legs in use, callers' and agents'."),
    _gauge("leg_limit", "Call legs that the SIP build can hold."),
    _spread("response_gap", "Caller's last sound to our first, as given to the line.", GAPS),
    _spread("dialogue_turn", "The dialogue's answer to what was heard, by engine and result.", QUICK,
            engine=words.ENGINES, result=words.RESULTS),
    _spread("recogniser_delay", "End of an utterance to its final words.", QUICK),
    _count("lost_frames", "Frames of 20 ms of callers' audio that the recogniser was too slow for."),
    _gauge("decode_waiting", "Pieces of audio that wait for a decoder."),
    _spread("voice_rendering", "Rendering one sentence, by voice engine and result.", QUICK,
            engine=words.VOICES, result=words.RESULTS),
    _count("sentences", "Sentences spoken, by where their sound came from.", source=words.SOURCES),
    _count("barge_ins", "Sentences that the caller's voice stopped."),
    _count("dead_air", "Silences that nobody asked for, by what filled them.", filling=words.AIR),
    _count("keypad_fallbacks", "Conversations that the keypad menu took over."),
    _count("red_flags", "Calls in which a red flag was raised."),
    _spread("red_flag_ring", "Red flag to the first agent's phone ringing.", RINGS),
    _spread("red_flag_bridge", "Red flag to caller and agent hearing each other.", HUMANS),
    _spread("agent_answer", "An agent's phone being dialled to its being picked up.", HUMANS),
    _spread("agent_accept", "An agent's picking up to the key that takes the call.", HUMANS),
    _count("agent_legs", "Agents' phones dialled, by what became of it.", result=words.LEG_RESULTS),
    _count("troubles", "Parts of ours that broke in a call, by part.", part=words.PARTS),
    _count("journal_failures", "Entries of the journal that were not written in time: late, or lost."),
    _count("masked_calls", "Masked calls that ended, by why; those of a worker that died are not in it.",
           end=words.ENDS),
    _count("callbacks_promised", "Callbacks that were written down in calls."),
    _gauge("loop_lag_seconds", "How late the worker's event loop was when last looked at."),
    _gauge("worker_info", "1; the label names the worker.", worker=frozenset()),
    Figure(name="restarts", kind=Kind.COUNTER, help="Processes that died and were started again, by process.",
           labels={"process": words.PROCESSES}, by="up"),
    _gauge("workers", "Workers that take calls.", by="up"),
    _gauge("callbacks_owed", "Callbacks that nobody has made yet, by urgency.", by="up", urgency=words.URGENCIES),
    _gauge("callback_oldest_seconds", "Age of the oldest callback owed.", by="up"),
    _gauge("agents", "Agents by presence; a busy one has a call.", by="up", presence=words.PRESENCES),
    _gauge("registered_phones", "Phones registered at the edge.", by="up"),
)  # fmt: skip
"""In the order in which they are documented. `worker_info` alone has a set that is known at start only."""


def table() -> str:
    """The figures as a Markdown table."""
    lines = ["| figure | type | labels | shown by | meaning |", "|---|---|---|---|---|"]
    for one in FIGURES:
        labels = ", ".join(f"`{name}`" for name in one.labels)
        lines.append(f"| `{one.full_name}` | {one.kind} | {labels} | {one.by} | {one.help} |")
    return "\n".join(lines)


def described_sets() -> str:
    """The closed sets as a Markdown table."""
    merged: dict[str, set[str]] = {}
    for name, values in ((name, values) for one in FIGURES for name, values in one.labels.items() if values):
        merged.setdefault(name, set()).update(values)
    lines = ["| label | values |", "|---|---|"]
    lines += [f"| `{name}` | {', '.join(sorted(values))}, other |" for name, values in sorted(merged.items())]
    return "\n".join(lines)
