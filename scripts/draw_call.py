"""Draws the call machine from its table as a Mermaid state diagram: `python -m scripts.draw_call [--write]`.

The pairs come from the table; where a step can lead is found by walking the machine with a fixed seed through
everything that the world can send. `--write` puts the picture into ivr/README.md and README.md between their markers.
"""

import random
import re
import sys
from collections import defaultdict
from pathlib import Path

from ivr.call.events import HungUp
from ivr.call.machine import TABLE, advance
from ivr.call.state import State
from ivr.ports import Cause
from scripts.call_world import World

FILES = (Path("ivr/README.md"), Path("README.md"))
BLOCK = re.compile(r"(<!-- call machine: begin -->\n).*?(<!-- call machine: end -->)", re.DOTALL)
LAST_LINES = (
    "    closing --> ended: HungUp",
    "    ended --> [*]",
    "    note right of ended",
    "        HungUp leads here from every state",
    "    end note",
    "```",
)
HANG_UP = HungUp(cause=Cause.NORMAL)
WALKS = 3000
STEPS = 60


def transitions() -> dict[tuple[State, State], set[str]]:
    """(from, to) -> names of the events that lead there; steps that stay are left out."""
    found: dict[tuple[State, State], set[str]] = defaultdict(set)
    dice = random.Random(1)
    for _ in range(WALKS):
        world = World(reachable=dice.random() < 0.7)
        for _ in range(STEPS):
            if world.call.finished:
                break
            if (world.call.state, State.ENDED) not in found:  # rare states may be left by chance in no walk
                found[world.call.state, advance(world.call, HANG_UP)[0].state].add("HungUp")
            event = dice.choice(world.possible())
            if not isinstance(event, HungUp) or dice.random() < 0.05:
                world.send(event)
        if not world.call.finished:
            world.send(HANG_UP)
        for before, kind, after in world.trace:
            if before is not after:
                assert (before, kind) in TABLE
                found[before, after].add(kind.__name__)
    return found


def diagram() -> str:
    """The picture as Mermaid text; hanging up, which every state handles, is drawn once."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> new"]
    edges = transitions()
    for before, after in sorted(edges, key=lambda pair: (list(State).index(pair[0]), list(State).index(pair[1]))):
        if after is State.ENDED:
            continue
        lines.append(f"    {before} --> {after}: {', '.join(sorted(edges[before, after]))}")
    everywhere = all((state, State.ENDED) in edges for state in State if state is not State.ENDED)
    assert everywhere, "a state does not handle HungUp"
    return "\n".join([*lines, *LAST_LINES, ""])


def main() -> int:
    """Print, or write into the README files."""
    picture = diagram()
    if "--write" not in sys.argv:
        print(picture)
        return 0
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        path.write_text(BLOCK.sub(lambda found: found[1] + picture + found[2], text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
