"""Draws the machine of masked calls as a Mermaid state diagram: `python -m scripts.draw_masked [--write]`.

From the beginning everything that can happen is let happen, step by step, in many calls at once. `--write` puts the
picture into ivr/README.md between its markers.
"""

import re
import sys
from collections import defaultdict, deque
from pathlib import Path

from ivr.masked import events as ev
from ivr.masked.machine import advance
from ivr.masked.state import Call, Leg, State
from ivr.ports import Cause
from masking.port import Admission, ClickPlan, Decision, LegEnd, Outcome, Verdict

FILE = Path("ivr/README.md")
BLOCK = re.compile(r"(<!-- masked machine: begin -->\n).*?(<!-- masked machine: end -->)", re.DOTALL)
MOST = 150
"""Calls that are looked at in one state."""
FOUND = Verdict(outcome=Outcome.CONNECT, binding="b", owner="o", callee="p", shown="x", seconds=600)
PLAN = ClickPlan(binding="b", first="d", first_sees="x", second="p", second_sees="y", seconds=600)
BEGINNINGS: tuple[ev.Event, ...] = (
    ev.Arrived(caller="c", reachable=True, to_doctor=True),
    ev.Arrived(caller="c", reachable=False, to_doctor=True),
    ev.Arrived(caller="", reachable=False, to_doctor=True, loop=True),
    ev.Arrived(caller="", reachable=False, to_doctor=True, unavailable=True),
    ev.Clicked(plan=PLAN, owner="o"),
)
HAPPENS: tuple[ev.Event, ...] = (
    ev.Resolved(verdict=FOUND),
    *(ev.Resolved(verdict=Verdict(outcome=one)) for one in Outcome if one is not Outcome.CONNECT),
    ev.Resolved(verdict=FOUND, admission=Admission.CALLER),
    ev.ResolveFailed(),
    *(ev.HookSaid(decision=one) for one in Decision),
    ev.LegUp(leg=Leg.A),
    ev.LegUp(leg=Leg.B),
    ev.LegDown(leg=Leg.B, cause=Cause.NORMAL),
    *(ev.DialFailed(leg=leg, end=end) for leg in Leg for end in (LegEnd.BUSY, LegEnd.REFUSED)),
    *(ev.KeyPressed(leg=leg, digit=digit) for leg in Leg for digit in "012#*"),
    *(ev.TimerFired(name=name) for name in ("ring", "confirm", "last_minute", "time_up", "code", "offer")),
    *(ev.FaxHeard(leg=leg) for leg in Leg),
    ev.Killed(), ev.BridgeFailed(), ev.Promised(noted=True), ev.Broken(),
)  # fmt: skip
LAST_LINES = ("    ended --> [*]", "    handed --> [*]", "    note right of ended",
              "        LegDown of leg a leads here from every state", "    end note", "```")  # fmt: skip


def keyed() -> Call:
    """A caller who lacks one key of a code: too far away to be found by trying."""
    call = Call()
    for event in (BEGINNINGS[0], ev.Resolved(verdict=Verdict(outcome=Outcome.ASK_CODE)), ev.LegUp(leg=Leg.A)):
        call, _commands = advance(call, event)
    for digit in "71717":
        call, _commands = advance(call, ev.KeyPressed(leg=Leg.A, digit=digit))
    return call


def transitions() -> dict[tuple[State, State], set[str]]:
    """(from, to) -> names of the events that lead there; steps that stay, and leg a hanging up, are left out."""
    found: dict[tuple[State, State], set[str]] = defaultdict(set)
    calls: dict[State, int] = defaultdict(int)
    waiting = deque([(Call(), event) for event in BEGINNINGS] + [(keyed(), event) for event in HAPPENS])
    while waiting:
        before, event = waiting.popleft()
        call, _commands = advance(before, event)
        if call.state is not before.state:
            found[before.state, call.state].add(type(event).__name__)
        if call.finished or call == before or calls[call.state] >= MOST:
            continue
        calls[call.state] += 1
        waiting.extend((call, one) for one in (*HAPPENS, ev.SayEnded(say=call.saying)))
    return found


def diagram() -> str:
    """The picture as Mermaid text."""
    order = list(State)
    edges = transitions()
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> new"]
    for before, after in sorted(edges, key=lambda pair: (order.index(pair[0]), order.index(pair[1]))):
        lines.append(f"    {before} --> {after}: {', '.join(sorted(edges[before, after]))}")
    return "\n".join([*lines, *LAST_LINES, ""])


def main() -> int:
    """Print, or write into the README."""
    picture = diagram()
    if "--write" not in sys.argv:
        print(picture)
        return 0
    text = FILE.read_text(encoding="utf-8")
    FILE.write_text(BLOCK.sub(lambda found: found[1] + picture + found[2], text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
