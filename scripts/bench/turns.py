"""Turn-taking, measured: false cut-offs against delay, and what stops a prompt.

    .venv/bin/python -m scripts.bench.turns [ends] [over] [--others] [--each N] [--factors 0.7,1] [--json F] [--svg F]

`ends`: synthetic callers with pauses inside sentences and numbers, through the real ears, for a sweep of patience;
beside them an end-pointer that waits for a fixed silence. `over`: voices, signs of listening, coughs and noises over a
long prompt, in whole calls. Time is counted in audio: nothing depends on the machine's speed but how long it takes.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asr_models.pool import DecodePool
from asr_models.vosk_engine import load_now
from dialogs.red_flags import load_rule_books
from dialogs.safety_net import RuleSafetyNet
from dialogs.words import load_languages
from ivr.bootstrap.doors import always_heard, make_affirms
from scripts.bench import turns_ears as ears
from scripts.bench import turns_others
from scripts.bench import turns_over as over
from scripts.bench import turns_speech as speech
from scripts.bench.calls import machine
from scripts.bench.farm.score import interval
from scripts.bench.svg import COLOURS, Axis, Line, chart

ROOT = Path(__file__).resolve().parents[2]
MODELS = tuple(ROOT / "var/models" / name for name in ("vosk-model-en-us-demo-adapted", "vosk-model-en-us-demo"))
FACTORS = (0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0)
SILENCES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.2, 1.4, 1.7)
GROUPS = ("open", "yes_no", "number", "digits", "duration", "slow", "unbroken")
SLOW = ("slow", "unbroken")
SPOKEN = ("quick", "slow", "unbroken")
MOST_EACH = 4


def share(values: Sequence[float], part: float) -> float:
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(part * len(ordered) + 0.5) - 1))]


def summary(decided: Sequence[ears.Decided]) -> dict[str, dict[str, float]]:
    """Figures by group, "quick" for all answers of quick callers, "first" for their first ones, and "all"."""
    found = {}
    quick = [one for one in decided if one.kind not in SLOW]
    more = {"quick": quick, "first": [one for one in quick if one.first], "all": decided}
    for group in (*GROUPS, *more):
        some = more.get(group) or [one for one in decided if one.kind == group]
        delays = [one.delay for one in some if one.delay is not None]
        found[group] = {
            "n": len(some),
            "cut": round(100 * statistics.mean(one.cut for one in some), 1),
            "p50": round(1000 * share(delays, 0.5)),
            "p95": round(1000 * share(delays, 0.95)),
            "missed": len(some) - len(delays),
        }
    return found


def among(hits: float, of: float) -> str:
    """A share with its 95 % interval."""
    low, high = interval(round(hits), round(of))
    return f"{hits:.0f} of {of:.0f} ({100 * low:.1f} to {100 * high:.1f} %)"


def table(name: str, rows: Sequence[tuple[float, dict[str, dict[str, float]]]]) -> str:
    """One line a setting."""
    groups = (*GROUPS, "quick", "first", "all")
    lines = [f"{name:>9} " + "".join(f"{group:>18}" for group in groups)]
    for value, found in rows:
        cells = (f"{found[one]['cut']:5.1f}% {found[one]['p50']:4.0f} {found[one]['p95']:5.0f}" for one in groups)
        lines.append(f"{value:>9} " + "".join(f"{cell:>18}" for cell in cells))
    return "\n".join(lines)


def ends(
    bench: ears.Bench, each: int, factors: Sequence[float], seed: int, svg: Path | None, others: bool
) -> dict[str, Any]:
    """The curve."""
    sayings = speech.OTHER_SAYINGS if others else speech.SAYINGS
    everybody = speech.callers(speech.Speakers(others=others), each=each, seed=seed, sayings=sayings)
    heard = ears.voices(everybody)
    plain = [(one, summary(ears.measure_plain(heard, one))) for one in SILENCES]
    ours = []
    for factor in factors:
        ours.append((factor, summary(ears.measure(bench, everybody, factor))))
        print(f"  patience x {factor}: done", file=sys.stderr, flush=True)
    counts = ", ".join(f"{group} {ours[0][1][group]['n']:.0f}" for group in GROUPS)
    print(f"\n{len(everybody)} callers, answers: {counts}. False cut-offs, delay p50 and p95 in ms.\n")
    print(table("patience x", ours), "\n")
    for factor, one in ours:
        cuts = ", ".join(f"{name} {among(one[name]['cut'] * one[name]['n'] / 100, one[name]['n'])}" for name in SPOKEN)
        print(f"patience x {factor}, cut off: {cuts}")
    print()
    print(table("silence s", plain))
    if svg is not None:
        svg.write_text(curve(ours, plain), encoding="utf-8")
    return {"ours": ours, "plain": plain}


def curve(ours: Sequence[tuple[float, Any]], plain: Sequence[tuple[float, Any]]) -> str:
    """The chart: ours whole, the peer dashed."""
    lines = []
    for colour, group in zip(COLOURS, ("slow", "quick"), strict=False):
        for name, rows, dashed in (("Triageline", ours, False), ("fixed silence", plain, True)):
            points = tuple((found[group]["p50"], found[group]["cut"]) for _, found in rows)
            lines.append(Line(name=f"{name}, {group} callers", points=points, colour=colour, dashed=dashed))
    delay = Axis(name="delay p50: last word to decision, ms", most=1600, step=200)
    return chart("False cut-offs against delay", delay, Axis(name="false cut-offs, %", most=100, step=20), lines)


def open_bench(model: Path) -> ears.Bench:
    """The real ears. Raises ValueError where the model cannot be read."""
    return ears.Bench(
        recogniser=ears.Remembering(load_now(model, DecodePool(threads=1))),
        net=RuleSafetyNet(load_rule_books(ROOT / "dialogs")),
        affirms=make_affirms(ROOT, "en"),
        always=always_heard(ROOT / "dialogs/always", "en"),
        words=load_languages(ROOT / "dialogs/words")["en"],
    )


def main(argv: Sequence[str]) -> int:
    """The exit code: 0, or 2 after one sentence."""
    asked = _parser().parse_args(argv)
    model = asked.model or next((one for one in MODELS if one.is_dir()), None)
    if model is None:
        print("error: no recognition model is installed: run scripts/setup first")
        return 2
    began, bench, found = time.monotonic(), open_bench(model), dict[str, Any]()
    print(f"{machine()}; {bench.recogniser.name}; seed {asked.seed}")
    what = asked.what or ["ends", "over"]
    if "ends" in what:
        factors = [float(one) for one in asked.factors.split(",")]
        found["ends"] = ends(bench, min(asked.each, MOST_EACH), factors, asked.seed, asked.svg, asked.others)
    if "over" in what:
        words = {"asides": turns_others.ASIDES, "turns": turns_others.TURNS} if asked.others else {}
        speakers = speech.Speakers(others=asked.others)
        results = over.measure(bench, speakers, seed=asked.seed, rounds=min(asked.each, MOST_EACH), **words)
        found["over"] = over.figures(results)
        print("\n" + over.report(results))
    if asked.json is not None:
        asked.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    print(f"\ntook {time.monotonic() - began:.0f} s")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts.bench.turns", description=__doc__.partition("\n")[0])
    parser.add_argument("what", nargs="*", choices=("ends", "over", []), help="both where left out")
    parser.add_argument("--each", type=int, default=2, help=f"callers for each voice and habit, at most {MOST_EACH}")
    parser.add_argument("--factors", default=",".join(map(str, FACTORS)), help="of the usual patience")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--others", action="store_true", help="voices and words that no setting was chosen by")
    parser.add_argument("--model", type=Path, help="folder of a Vosk model")
    parser.add_argument("--svg", type=Path, help="draw the curve into this file")
    parser.add_argument("--json", type=Path, help="all figures into this file")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
