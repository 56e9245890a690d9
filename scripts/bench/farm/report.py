"""What the farm prints. Pure."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from scripts.bench.farm.plan import CALLERS, Case
from scripts.bench.farm.score import Scored, groups, interval, percentile

PARTS = ("heard", "turn", "said", "sound")
Key: TypeAlias = Callable[[Case], object]
"""A dimension of the matrix."""


def spread(values: Sequence[float]) -> str:
    """p50, p95, p99, most, and how many; milliseconds."""
    if not values:
        return "none measured"
    parts = [f"p{int(100 * share)} {1000 * percentile(values, share):.0f}" for share in (0.5, 0.95, 0.99)]
    return f"{' / '.join(parts)} / max {1000 * max(values):.0f} ms (n = {len(values)})"


def share(hits: int, of: int) -> str:
    """A share with its 95 % interval."""
    if not of:
        return "none"
    low, high = interval(hits, of)
    return f"{hits}/{of} = {100 * hits / of:.0f} % (95 %: {100 * low:.0f} to {100 * high:.0f})"


def lines(scored: Sequence[Scored]) -> list[str]:
    """The whole report."""
    emergencies = [one for one in scored if CALLERS[one.case.scenario]["expect"] == "emergency"]
    barges = [one for one in scored if one.barge_tried]
    stops = [one.barge for one in barges if one.barge is not None]
    cuts, cuttable = sum(one.cuts for one in scored), sum(one.utterances for one in scored)
    return [
        f"outcome as wanted          {share(sum(one.ok for one in scored), len(scored))}",
        f"calls that did not end     {sum(not one.completed for one in scored)}",
        f"response gap               {spread([gap for one in scored for gap in one.gaps])}",
        *_parts(scored),
        f"false cut-offs             {share(cuts, cuttable)} of utterances",
        f"barge-in, onset to silence {spread(stops)}; not stopped {len(barges) - len(stops)} of {len(barges)}",
        f"red flag recall            {share(sum(one.flagged for one in emergencies), len(emergencies))}",
        f"emergencies that reached emergency or a human  "
        f"{share(sum(one.level in ('emergency', 'urgent') for one in emergencies), len(emergencies))}",
        f"end of the words to ringing {spread([one.ring for one in emergencies if one.ring is not None])}",
        f"word error (calls without a flag) {_word_error(scored)}",
        "",
        *_table("voice", emergencies, scored, lambda case: case.voice),
        *_table("noise", emergencies, scored, lambda case: "quiet" if case.noise is None else f"{case.noise:.0f} dB"),
        *_table("loss", emergencies, scored, lambda case: f"{case.loss} %"),
        *_table("codec", emergencies, scored, lambda case: case.codec),
        *_table("codec and loss", emergencies, scored, lambda case: f"{case.codec} {case.loss} %"),
        *_table("rate", emergencies, scored, lambda case: case.rate),
        *_table("scenario", emergencies, scored, lambda case: case.scenario),
    ]


def _parts(scored: Sequence[Scored]) -> list[str]:
    """Where the gaps went."""
    parts = [part for one in scored for part in one.parts]
    return [f"  {name:<24} {spread([getattr(part, name) for part in parts])}" for name in PARTS if parts]


def _word_error(scored: Sequence[Scored]) -> str:
    words = sum(one.words for one in scored)
    return f"{100 * sum(one.errors for one in scored) / words:.0f} % of {words} words" if words else "none"


def _table(name: str, emergencies: Sequence[Scored], scored: Sequence[Scored], key: Key) -> list[str]:
    """One row a group; the worst group by recall is marked."""
    flags = groups(emergencies, key)
    recall = {one: sum(call.flagged for call in calls) / len(calls) for one, calls in flags.items()}
    worst = min(recall, key=lambda one: recall[one], default="")
    if recall and recall[worst] == max(recall.values()):
        worst = ""  # all the same
    rows = []
    for group, calls in groups(scored, key).items():
        gaps = [gap for call in calls for gap in call.gaps]
        rings = [call.ring for call in flags.get(group, ()) if call.ring is not None]
        rows.append(
            f"  {group:<16} calls {len(calls):>3}  as wanted {sum(call.ok for call in calls):>3}  recall "
            f"{100 * recall[group] if group in recall else float('nan'):>4.0f} %  ring p95 {_p95(rings):>6}  gap p95 "
            f"{_p95(gaps):>6}  word error {_word_error(calls)}{'   <- worst recall' if group == worst else ''}"
        )
    return [f"by {name}", *rows, ""]


def _p95(values: Sequence[float]) -> str:
    return f"{1000 * percentile(values, 0.95):.0f}" if values else "-"
