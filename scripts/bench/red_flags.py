"""How many spoken dangers raise a flag, voice by voice, and how many harmless sentences do so too.

    python -m scripts.bench.red_flags [--model DIR ...] [--readings 0,10] [--second-pass] [--every N]

What is spoken is set aside (scripts/bench/sentences/en-danger.txt and en-harmless.txt). Each sentence goes through the
telephone's coding, noise suppression excepted, the recogniser in free speech, and the safety net on every partial and
the final, as in a call; `--readings` says how many readings of the final are looked through (0: the first alone).
`--second-pass` lets Whisper listen too. Intervals are Wilson's, 95 %, over sentences as if each were independent.
"""

import argparse
import asyncio
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from asr_models import whisper_engine
from asr_models.adapt_texts import lines
from asr_models.errors import ModelError
from asr_models.pool import DecodePool
from asr_models.port import SAMPLE_RATE, AsrUnavailable, Recogniser
from asr_models.second_pass import SecondPass
from asr_models.vosk_engine import load_now
from dialogs.port import Heard
from dialogs.red_flags import load_rule_books
from dialogs.safety_net import RuleSafetyNet
from scripts.bench.spoken import GROUPS, machine, utterances

SENTENCES = Path("scripts/bench/sentences")
MODELS = Path("var/models")
PIECE_BYTES = SAMPLE_RATE // 10 * 2
Z = 1.96

Judge = Callable[[str, bool], bool]
"""Whether words, final or not, raise a flag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """So many of so many."""

    hits: int
    """Raised a flag."""
    count: int
    """Were spoken."""

    def __str__(self) -> str:
        low, high = wilson(self.hits, self.count)
        rate = 100 * self.hits / self.count
        return f"{self.hits:4} of {self.count:4} = {rate:5.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Wilson's interval of a share, 95 % (J. Am. Stat. Assoc. 22, 1927)."""
    share, extra = hits / count, Z * Z / count
    middle = (share + extra / 2) / (1 + extra)
    half = Z * math.sqrt(share * (1 - share) / count + extra / count / 4) / (1 + extra)
    return max(0.0, middle - half), min(1.0, middle + half)


async def raises(recogniser: Recogniser, pcm: bytes, judge: Judge, readings: int) -> bool:
    """Whether an utterance raises a flag at any moment."""
    stream, raised = recogniser.stream(), False
    for start in range(0, len(pcm), PIECE_BYTES):
        so_far = await stream.feed(pcm[start : start + PIECE_BYTES])
        raised = raised or (so_far is not None and judge(so_far.text, False))
    final = await stream.finish()
    others = final.alternatives[: max(0, readings - 1)]
    return raised or judge(final.text, True) or any(judge(text, False) for text in others)


def _raises_now(recogniser: Recogniser, judge: Judge, readings: int, pcm: bytes) -> bool:
    return asyncio.run(raises(recogniser, pcm, judge, readings))


def main(argv: Sequence[str]) -> int:
    """The exit code: 0, or 2 after one sentence."""
    asked = _parser().parse_args(argv)
    net = RuleSafetyNet(load_rule_books(Path("dialogs")))

    def judge(text: str, final: bool) -> bool:
        return net.check(Heard(text=text, confidence=1.0, final=final), None, "en") is not None

    print(machine())
    spoken = {}
    for name in ("danger", "harmless"):
        said = list(lines(SENTENCES / f"en-{name}.txt"))[:: asked.every]
        written = sum(judge(text, True) for text in said)
        print(f"{name}: {len(said)} sentences, {written} raise a flag as they are written", flush=True)
        spoken[name] = {voice: utterances(said, voice) for voice in asked.voices.split(",")}
    pool = DecodePool(threads=1)
    try:
        for model in asked.model or sorted(path for path in MODELS.glob("vosk-model-*") if path.is_dir()):
            recogniser = load_now(model, pool)
            for readings in [int(one) for one in asked.readings.split(",")]:
                title = f"{recogniser.name}, {readings or 1} readings"
                _table(title, spoken, partial(_raises_now, recogniser, judge, readings))
        if asked.second_pass:
            _with_whisper(spoken, recogniser, readings, judge, pool)
    except (ModelError, AsrUnavailable) as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        pool.close()
    return 0


def _with_whisper(
    spoken: dict[str, dict[str, list[bytes]]], recogniser: Recogniser, readings: int, judge: Judge, pool: DecodePool
) -> None:
    """The union of the last model and a second pass, with what the pass costs."""
    path = whisper_engine.find("en", MODELS)
    if path is None:
        raise AsrUnavailable("Whisper is not installed: see requirements/whisper.in.")
    second = SecondPass(whisper_engine.load_now(path, pool, every=0.0), on_failure=print)
    times: list[tuple[float, float]] = []

    def both(pcm: bytes) -> bool:
        first = asyncio.run(raises(recogniser, pcm, judge, readings))
        wall, work = time.perf_counter(), time.process_time()
        text = asyncio.run(second(pcm)).text
        times.append((time.perf_counter() - wall, time.process_time() - work))
        return first or judge(text, True)

    _table(f"{recogniser.name}, {readings or 1} readings, and {second.name}", spoken, both)
    wall, work = (sum(one[side] for one in times) / len(times) for side in (0, 1))
    print(f"second pass: {wall:.2f} s and {work:.2f} core-seconds an utterance")


def _table(title: str, spoken: dict[str, dict[str, list[bytes]]], hears: Callable[[bytes], bool]) -> None:
    """Shares by voice, the worst named."""
    print(title)
    found = {name: {voice: [hears(pcm) for pcm in heard] for voice, heard in by.items()} for name, by in spoken.items()}
    for voice in found["danger"]:
        danger, harmless = (Share(hits=sum(by[voice]), count=len(by[voice])) for by in found.values())
        print(f"  {voice:18} {GROUPS.get(voice, ''):26} recall {danger}   false {harmless}", flush=True)
    for name, by in found.items():
        whole = Share(hits=sum(map(sum, by.values())), count=sum(map(len, by.values())))
        pick = min if name == "danger" else max
        worst = pick(by, key=lambda voice: sum(by[voice]) / len(by[voice]))
        print(f"  {'recall' if name == 'danger' else 'false alarms'} of all {whole}; worst: {worst}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", nargs="+", type=Path, help="model folders; all of var/models where left out")
    parser.add_argument("--readings", default="0,10", help="how many readings of a final are looked through")
    parser.add_argument("--second-pass", action="store_true", help="the last model with Whisper besides")
    parser.add_argument("--voices", default=",".join(GROUPS))
    parser.add_argument("--every", type=int, default=1, help="take every so many sentences, for a quick look")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
