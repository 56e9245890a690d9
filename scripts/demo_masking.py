"""A doctor calls a patient back, the patient calls the shown number; neither sees the other's: `scripts/demo masking`.

Starts the whole hotline, a carrier and two telephones made of plain sockets that keep every byte that reaches them. The
real numbers are then looked for in all of these bytes, in the logs, the databases and every file, in every spelling.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from masking.leaks import LeakOracle
from scripts.demo_call import DemoFailed, environment, say
from scripts.phones.carrier import Carrier
from tests.hotline.softphone import Softphone
from tests.hotline.softphone_media import tone

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var/demo-masking"
PATIENT, DOCTOR = "+12025550142", "+12025550143"
NUMBERS = "number,side,country\n+12025550101,patient,US\n+12025550102,doctor,US\n"
READY_SECONDS = 120.0
RING_SECONDS = 20.0
SPEECH_HZ = {"doctor": 700, "patient": 1000}
DISPLAY = re.compile(r"^From:\s*(?:\"(?P<name>[^\"]*)\"\s*)?<sip:(?P<user>[^@>]*)@", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it, for people and machines."""

    doctor_saw: str
    """Display of the doctor's phone when the hotline called it."""
    patient_saw: str
    """Display of the patient's phone."""
    doctor_saw_at_the_call_back: str
    """Display of the doctor's phone when the patient called the number that the patient had seen."""
    connected: tuple[bool, bool]
    """Whether both heard each other: click-to-call, call back."""
    leaks: dict[str, int]
    """Hits of the leak search by place."""
    searched_bytes: int
    """How much was searched on the wire."""

    @property
    def clean(self) -> bool:
        """Whether all went as it should."""
        return all(self.connected) and not any(self.leaks.values())


class Hotline:
    """`triageline up` in a folder of its own."""

    def __init__(self, trunk: int) -> None:
        shutil.rmtree(VAR, ignore_errors=True)
        VAR.mkdir(parents=True)
        (VAR / "agents.toml").write_text('[[agent]]\nid = "nurse-1"\naddress = "sip:nurse1@127.0.0.1:9"\n')
        (VAR / "trunks.toml").write_text(
            f'[[trunk]]\nid = "carrier"\nnetworks = ["127.0.0.1"]\naddress = "127.0.0.1:{trunk}"\n'
        )
        self.env = {
            **os.environ, **environment(VAR), "TRIAGELINE_PATHS__TRUNKS": str(VAR / "trunks.toml"),
            "TRIAGELINE_MASKING__OUTBOUND": f"sip:{{number}}@127.0.0.1:{trunk}",
            "TRIAGELINE_CONSOLE__ENABLED": "false", "TRIAGELINE_HOTLINE__SPARE": "false",
        }  # fmt: skip
        self.port = int(self.env["TRIAGELINE_SIP__PORT"])
        self.printed: list[str] = []
        self._handle = subprocess.Popen(
            [sys.executable, "-u", "-m", "ivr", "up"], cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._handle.stdout is not None
        self.printed.extend(line.rstrip() for line in self._handle.stdout)

    @property
    def _ready(self) -> bool:
        return any("taking calls" in line for line in self.printed)

    def await_calls(self) -> None:
        """Wait until calls are taken. Raises DemoFailed."""
        wait(lambda: self._ready or self._handle.poll() is not None, READY_SECONDS)
        if not self._ready:
            raise DemoFailed(f"no hotline: {self.printed[-1] if self.printed else 'no output'}")

    def command(self, *words: str) -> str:
        """Output of `triageline masking WORDS`. Raises DemoFailed."""
        argv = [sys.executable, "-m", "ivr", "masking", *words]
        done = subprocess.run(argv, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            raise DemoFailed(f"triageline masking {words[0]}: {done.stderr.strip()}")
        return done.stdout

    def stop(self) -> None:
        """Ctrl-C."""
        if self._handle.poll() is None:
            self._handle.send_signal(signal.SIGINT)
        try:
            self._handle.wait(60)
        except subprocess.TimeoutExpired:
            self._handle.kill()
        self._reader.join(timeout=5)


def wait(seen: Callable[[], bool], seconds: float) -> bool:
    """Whether it was seen in time."""
    until = time.monotonic() + seconds
    while not seen():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def display(phone: Softphone, which: int) -> str:
    """What the phone showed at its newest call of those that it got, counted from 0. Raises DemoFailed."""
    wait(lambda: phone.count("INVITE") > which, RING_SECONDS)
    found = [text for _, text in phone.messages if text.startswith("INVITE ")]
    shown = DISPLAY.search(found[-1]) if phone.count("INVITE") > which else None
    if shown is None:
        raise DemoFailed("a phone did not ring")
    return f'{shown["user"]}  "{shown["name"] or ""}"'


def take(phone: Softphone) -> None:
    """Listen to who is calling, and press 1."""
    since = time.monotonic()
    phone.await_sound(10, since)
    time.sleep(2.0)
    phone.press("1")


def talk(one: Softphone, other: Softphone) -> bool:
    """Whether each hears the other."""
    try:
        one.say(tone(SPEECH_HZ["doctor"], 2))
        other.await_tone(SPEECH_HZ["doctor"], 6)
        other.say(tone(SPEECH_HZ["patient"], 2))
        one.await_tone(SPEECH_HZ["patient"], 6)
    except AssertionError:
        return False
    return True


def play() -> Outcome:
    """Both calls, and the search. Raises DemoFailed."""
    with ExitStack() as stack:
        doctor, patient = (stack.enter_context(Softphone(policy="answer")) for _ in range(2))
        carrier = stack.enter_context(Carrier({DOCTOR: doctor.port, PATIENT: patient.port}))
        say("  hotline ...")
        hotline = Hotline(carrier.port)
        stack.callback(hotline.stop)
        (VAR / "numbers.csv").write_text(NUMBERS)
        hotline.command("import", str(VAR / "numbers.csv"))
        made = json.loads(hotline.command("bind", "--doctor", DOCTOR, "--patient", PATIENT, "--json"))
        hotline.await_calls()
        say(f"  bound: the patient dials {made['patient_number']}, the doctor {made['doctor_number']}")
        say("  the doctor asks to be connected with the patient: the hotline calls the doctor first ...")
        hotline.command("call", made["id"])
        doctor_saw = display(doctor, 0)
        take(doctor)
        patient_saw = display(patient, 0)
        take(patient)
        first = talk(doctor, patient)
        doctor.hang_up()
        wait(lambda: patient.dialog is None, 5)
        say("  the patient calls back the number that was shown ...")
        patient.call(hotline.port, user=PATIENT, to=patient_saw.split(" ")[0])
        again = display(doctor, 1)
        take(doctor)
        second = talk(doctor, patient)
        patient.hang_up()
        wait(lambda: doctor.dialog is None, 5)
        hotline.stop()
        return Outcome(
            doctor_saw=doctor_saw, patient_saw=patient_saw, doctor_saw_at_the_call_back=again,
            connected=(first, second), leaks=search(doctor, patient, hotline),
            searched_bytes=sum(len(one) for phone in (doctor, patient) for one in phone.received),
        )  # fmt: skip


def search(doctor: Softphone, patient: Softphone, hotline: Hotline) -> dict[str, int]:
    """Where the real numbers were found, and how often."""
    both = LeakOracle([PATIENT, DOCTOR])
    said = b"\n".join(patient.sent)
    if not LeakOracle([PATIENT]).scan(said):
        raise DemoFailed("the search is blind: it does not find the patient's number in what the patient sent")
    return {
        "the patient's number in what reached the doctor": len(LeakOracle([PATIENT]).scan(b"\n".join(doctor.received))),
        "the doctor's number in what reached the patient": len(LeakOracle([DOCTOR]).scan(b"\n".join(patient.received))),
        "either in what was printed": len(both.scan("\n".join(hotline.printed).encode())),
        "either in logs, databases and all other files": len(both.scan_folder(VAR)),
    }


def render(outcome: Outcome) -> str:
    """For people."""
    lines = [
        "", "what the phones showed",
        f"  doctor's phone, called by the hotline:     {outcome.doctor_saw}",
        f"  patient's phone, called by the hotline:    {outcome.patient_saw}",
        f"  doctor's phone, called back by the patient: {outcome.doctor_saw_at_the_call_back}",
        "", "result",
        f"  both heard each other: {' and '.join('yes' if one else 'no' for one in outcome.connected)}",
        f"  leak search, every spelling, {outcome.searched_bytes:,} bytes of SIP and RTP and all files:",
        *(f"    {where}: {count} times" for where, count in outcome.leaks.items()),
        f"  verdict: {'no real number was seen by anybody' if outcome.clean else 'FAILED'}",
    ]  # fmt: skip
    return "\n".join(lines)


def main(argv: list[str]) -> int:
    """0 where both calls went well and nothing leaked, 1 where not, 2 for a broken set-up."""
    top = argparse.ArgumentParser(prog="scripts/demo masking", description=__doc__)
    top.add_argument("--json", type=Path, metavar="FILE", help="write the result for machines")
    args = top.parse_args(argv)
    say("demo: a doctor calls a patient back through virtual numbers")
    try:
        outcome = play()
    except (DemoFailed, AssertionError) as failed:
        print(f"error: {failed} (logs: var/demo-masking/log)", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    print(render(outcome))
    if args.json:
        args.json.write_text(json.dumps(asdict(outcome), indent=2), encoding="utf-8")
    return 0 if outcome.clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
