"""How long a masked call takes from the caller's INVITE to the INVITE to the other side, over loopback.

    .venv/bin/python -m scripts.bench.masked_calls [--calls 100] [--bindings 1000] [--json FILE]

A worker's line with the real vault, bindings and records on SQLite (synced to disk at commit: the audit of the revealed
number is durable before it is dialled), one call after the other from a telephone of plain sockets to another, which is
busy. Without the proxy in front. The time on the wire and in the telephones' own threads is counted in.
"""

import argparse
import asyncio
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from config.settings import Masking, Settings
from ivr.bootstrap.masked import MaskedCalls
from ivr.lines.sip import SipLine
from ivr.lines.sip_settings import SipSettings
from ivr.lines.wav import WavLine
from ivr.worker import Limits, Worker
from masking.bindings_sql import SqlBindings
from masking.codes import Codes
from masking.desk import open_desk
from masking.parties import letters
from masking.port import Kind, PhoneNumber, Side, VirtualNumber, Wanted
from records.database import connect
from records.keys import KeyRing
from tests.calls.world import World, make_doors
from tests.hotline.softphone import Softphone

PATIENT, DOCTOR = "+12025550142", "+12025550143"
X, Y = "+12025550101", "+12025550102"
KEYS = KeyRing({1: b"m" * 32})
BUDGET_MS = 50.0
WARM = 5
"""Calls that are not counted: the first opens what later ones find open."""


async def line(folder: str, trunk: int, bindings: int) -> None:
    """The process under test: until the end of its input."""
    desk = open_desk(connect(f"sqlite:///{folder}/masking.db"), KEYS.sealer, region="US")
    numbers = tuple(
        VirtualNumber(number=number, side=side, country="US") for number, side in ((X, Side.PATIENT), (Y, Side.DOCTOR))
    )
    await desk.numbers.add(numbers)
    doctor, patient = [(await desk.vault.party(PhoneNumber(one))).id for one in (DOCTOR, PATIENT)]
    wanted = Wanted(owner="bench", kind=Kind.PAIR, doctor=doctor, patient=patient, patient_number=X, doctor_number=Y)
    await desk.bindings.create(wanted)
    others = SqlBindings(desk.ledger, Codes(KEYS.sealer("masking codes")))
    for at in range(bindings):
        name = letters(at)
        await others.create(replace(wanted, patient=f"party-patient{name}", doctor=f"party-doctor{name}"))
    sip = SipLine(SipSettings(port=0, tcp=False))
    doors = replace(make_doors(World(acts=(), deaf=True), WavLine(lambda address: None)), line=sip, sound=sip)
    out = Masking(outbound=f"sip:{{number}}@127.0.0.1:{trunk}")
    settings = Settings().model_copy(update={"masking": out})
    masked = MaskedCalls(settings, replace(doors, masking=desk.vault), desk)
    await masked.learn()
    worker = Worker(doors, Limits(callers=100), masked=masked.session)
    await sip.start(worker.arrived)
    print(sip.port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await worker.stop()
    await sip.close()
    desk.close()


def measure(port: int, calls: int, callee: Softphone) -> list[float]:
    """Milliseconds of each call."""
    found = []
    for _ in range(calls + WARM):
        with Softphone() as caller:
            began = time.monotonic()
            caller.dial(port, user=PATIENT, to=X)
            found.append((callee.await_request("INVITE", since=began) - began) * 1000)
            caller.status("INVITE")
            caller.hang_up()
        callee.forget()
        time.sleep(0.1)
    return found[WARM:]


def run(calls: int, bindings: int) -> dict[str, object]:
    """Figures of one run."""
    with tempfile.TemporaryDirectory() as folder, Softphone(policy="busy") as callee:
        argv = [sys.executable, "-m", "scripts.bench.masked_calls", "--line", folder, str(callee.port), str(bindings)]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            times = measure(int(process.stdout.readline()), calls, callee)
            process.communicate("")
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return {
        "calls": calls, "bindings": bindings, "p50_ms": round(cuts[49], 1), "p95_ms": round(cuts[94], 1),
        "p99_ms": round(cuts[98], 1), "worst_ms": round(max(times), 1), "budget_p95_ms": BUDGET_MS,
        "machine": platform.machine(),
    }  # fmt: skip


def main() -> int:
    """0 within the budget, 1 beyond it."""
    if sys.argv[1:2] == ["--line"]:
        folder, trunk, bindings = sys.argv[2:]
        asyncio.run(line(folder, int(trunk), int(bindings)))
        return 0
    top = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--calls", type=int, default=100)
    top.add_argument("--bindings", type=int, default=1000)
    top.add_argument("--json", type=Path)
    args = top.parse_args()
    figures = run(args.calls, args.bindings)
    print(json.dumps(figures, indent=2))
    if args.json:
        args.json.write_text(json.dumps(figures), encoding="utf-8")
    return 0 if figures["p95_ms"] <= BUDGET_MS else 1  # type: ignore[operator]


if __name__ == "__main__":
    sys.exit(main())
