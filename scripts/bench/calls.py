"""Real calls over loopback with several caller voices: `python -m scripts.bench.calls [--noise DB] [--repeat N]`.

Runs `scripts/demo` for each voice and scenario (bounded: 5 voices x 2 scenarios x N), each on a hotline of its own, and
prints the latencies measured on the patient's phone, the outcomes, and the machine. A call takes about a minute.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

VOICES = ("piper", "flite:slt", "flite:rms", "flite:awb", "espeak:en-us")
SCENARIOS = ("emergency", "routine")
MOST = 3


def call(scenario: str, voice: str, more: list[str]) -> dict[str, Any] | None:
    """One demo call; None where it gave no result."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "call.json"
        words = [sys.executable, "-m", "scripts.demo_call", scenario, "--caller-voice", voice, "--json", str(file)]
        subprocess.run([*words, *more], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=400, check=False)
        if not file.exists():
            return None
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found


def percentile(values: list[int], share: float) -> int:
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


def spread(values: list[int]) -> str:
    """p50, p95, p99 and how many."""
    if not values:
        return "none measured"
    p50, p95, p99 = (percentile(values, share) for share in (0.5, 0.95, 0.99))
    return f"p50 {p50} ms, p95 {p95} ms, p99 {p99} ms, max {max(values)} ms (n = {len(values)})"


def machine() -> str:
    """What it ran on."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if "model name" in line), platform.machine())
    return f"{os.cpu_count()} cores {model}, Linux {platform.release()}, Python {platform.python_version()}"


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=1, choices=range(1, MOST + 1))
    parser.add_argument("--noise", metavar="DB")
    parser.add_argument("--loss", metavar="PERCENT")
    args = parser.parse_args()
    more = [*(("--noise", args.noise) if args.noise else ()), *(("--loss", args.loss) if args.loss else ())]
    gaps: list[int] = []
    rings: list[int] = []
    print(machine())
    for scenario in SCENARIOS:
        for voice in VOICES * args.repeat:
            found = call(scenario, voice, more)
            if found is None:
                print(f"{scenario:<10} {voice:<14} no result")
                continue
            gaps += found["response_gap_ms"]
            rings += [found["agent_ring_ms"]] if found["agent_ring_ms"] is not None else []
            print(
                f"{scenario:<10} {voice:<14} {found['outcome']:<10} level {found['level'] or '-':<10}"
                f" department {found['department'] or '-':<16} ring {found['agent_ring_ms']} ms"
                f"  leaks {found['leak_hits']}",
                flush=True,
            )
    print(f"response gap: {spread(gaps)}")
    print(f"end of the red-flag words -> agent's phone rings: {spread(rings)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
