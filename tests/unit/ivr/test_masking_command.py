"""`triageline masking …` from the outside."""

import argparse
import asyncio
import json
import os
import pty
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ivr.bootstrap.asked import Told
from ivr.bootstrap.masking import told_of
from ivr.cli import main
from masking.leaks import LeakOracle
from masking.port import LegEnd, Wish, WishState

DOCTOR, PATIENT = "+12025550123", "+447700900123"
CSV = "number,side,area\n+12025550110,patient,202\n+12025550111,doctor,\n"
Command = Callable[..., Any]


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    config = tmp_path / "triageline.toml"
    config.write_text(f'[paths]\nvar = "{tmp_path}/var"\n')

    def run(*words: str, code: int = 0) -> Any:
        assert main(["--config", str(config), "masking", *words, "--json"]) == code
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        assert LeakOracle([DOCTOR, PATIENT]).scan((said.out + said.err).encode()) == ()
        return json.loads(said.out)

    return run


@pytest.fixture
def filled(command: Command, tmp_path: Path) -> Command:
    (tmp_path / "numbers.csv").write_text(CSV)
    assert command("import", str(tmp_path / "numbers.csv")) == {"added": 2}
    return command


def test_a_binding_from_import_to_release(filled: Command, tmp_path: Path) -> None:
    made = filled("bind", "--doctor", DOCTOR, "--patient", PATIENT, "--code", "--key", "case-1")
    assert filled("bind", "--doctor", DOCTOR, "--patient", PATIENT, "--code", "--key", "case-1") == made
    verdict = filled("resolve", made["patient_number"], "--caller", PATIENT)
    assert (verdict["outcome"], verdict["callee"], verdict["shown"]) == ("connect", made["doctor"], "+12025550111")
    assert filled("resolve", made["doctor_number"], "--code", made["code"])["callee"] == made["patient"]
    assert filled("call", made["id"], "--show")["first_sees"] == made["doctor_number"]
    assert [one["id"] for one in filled("list")] == [made["id"]]
    assert {one["busiest"] for one in filled("pools")} == {1}
    assert filled("renew", made["id"], "--life", "0")["ends"] is None
    assert filled("release", made["id"], "--kill")["killed"]
    assert filled("resolve", made["patient_number"], "--caller", PATIENT)["outcome"] == "expired"
    assert filled("numbers", "+12025550110", "--remove", code=2)["error"]["code"] == "number_in_use"
    assert filled("erase", made["patient"], "--reason", "asked for") == {"erased": made["patient"]}
    assert LeakOracle([DOCTOR, PATIENT]).scan_folder(tmp_path / "var") == ()


def test_the_hotlines_own_number_is_never_a_virtual_number(command: Command, tmp_path: Path) -> None:
    with (tmp_path / "triageline.toml").open("a") as config:
        config.write('[masking]\nhotline_numbers = ["+12025550111"]\n')
    (tmp_path / "numbers.csv").write_text(CSV)
    assert command("import", str(tmp_path / "numbers.csv"), code=2)["error"]["code"] == "number_refused"
    assert command("numbers") == []


def test_the_hash_key_is_changed_while_bindings_live(filled: Command, tmp_path: Path) -> None:
    made = filled("bind", "--doctor", DOCTOR, "--patient", PATIENT)
    before = (tmp_path / "var/keys/master.keys").read_text()
    assert filled("rotate-key") == {"key": 2, "turned": 2, "unreadable": 0, "went_on": False}
    assert (tmp_path / "var/keys/master.keys").read_text().startswith(before)
    verdict = filled("resolve", made["patient_number"], "--caller", PATIENT)
    assert (verdict["outcome"], verdict["callee"]) == ("connect", made["doctor"])
    assert filled("rotate-key")["key"] == 3
    assert filled("resolve", made["doctor_number"], "--caller", DOCTOR)["callee"] == made["patient"]
    assert LeakOracle([DOCTOR, PATIENT]).scan_folder(tmp_path / "var") == ()


def test_a_real_number_is_shown_on_a_terminal_alone(filled: Command, tmp_path: Path) -> None:
    made = filled("bind", "--doctor", DOCTOR, "--patient", PATIENT)
    told = filled("reveal", made["patient"], "--reason", "called back", code=2)
    assert told["error"]["field"] == "party"
    assert "terminal" in told["error"]["message"]
    shown = on_a_terminal(tmp_path, "reveal", made["patient"], "--reason", "called back")
    assert PATIENT in shown
    with closing(sqlite3.connect(tmp_path / "var/vault.db")) as db:
        assert [row[0] for row in db.execute("SELECT reason FROM masking_reveals")] == ["called back"]
    filled("erase", made["patient"], "--reason", "asked for")
    assert "no number for this party" in on_a_terminal(tmp_path, "reveal", made["patient"], "--reason", "again")


def on_a_terminal(folder: Path, *words: str) -> str:
    """What a person sees."""
    main_end, other = pty.openpty()
    command = [sys.executable, "-m", "ivr", "--config", str(folder / "triageline.toml"), "masking", *words]
    with os.fdopen(other, "wb") as terminal:
        subprocess.run(command, stdin=terminal, stdout=terminal, stderr=terminal, timeout=60, check=False)
    os.set_blocking(main_end, False)
    with os.fdopen(main_end, "rb", buffering=0) as screen:
        return (screen.read(65536) or b"").decode()


def test_what_must_be_done_about_numbers_is_listed(filled: Command) -> None:
    assert filled("alerts") == []
    filled("bind", "--doctor", DOCTOR, "--patient", PATIENT, "--country", "GB", code=2)
    assert filled("alerts") == [{"code": "no_capacity", "what": "patient_number GB"}]


@pytest.mark.parametrize(
    ("words", "code", "field"),
    [
        (("bind", "--doctor", DOCTOR, "--patient", "120"), "number_refused", "patient"),
        (("bind", "--doctor", "+1 900 555 0123", "--patient", PATIENT), "number_refused", "doctor"),
        (("bind", "--doctor", "202 555 0110", "--patient", PATIENT), "number_refused", "doctor"),
        (("bind", "--doctor", "party-nobody", "--patient", PATIENT), "number_refused", "doctor"),
        (("bind", "--doctor", DOCTOR, "--patient", DOCTOR), "same_party", "doctor"),
        (("bind", "--doctor", DOCTOR), "bad_field", "patient"),
        (("bind", "--doctor", DOCTOR, "--patient", PATIENT, "--life", "5"), "bad_field", "life"),
        (("bind", "--doctor", DOCTOR, "--patient", PATIENT, "--life", "nan"), "bad_field", "life"),
        (("bind", "--doctor", DOCTOR, "--patient", PATIENT, "--country", "gb"), "no_capacity", "patient_number"),
        (("bind", "--doctor", DOCTOR, "--patient", PATIENT, "--doctor-number", "x"), "bad_field", "doctor_number"),
        (("release", "binding-nobody"), "not_found", "id"),
        (("list", "--owner", "hotline", "--limit", "0"), "", ""),
        (("numbers", "+12025550199"), "number_unknown", "number"),
        (("plan", "--per-day", "-1", "--life", "2"), "bad_field", "per_day"),
    ],
)
def test_bad_input_is_one_sentence_with_code_and_field(
    filled: Command, words: tuple[str, ...], code: str, field: str
) -> None:
    told = filled(*words, code=2 if code else 0)
    if code:
        assert (told["error"]["code"], told["error"]["field"]) == (code, field)
    assert filled("list") == []


def test_a_wrong_file_is_refused_and_nothing_is_taken_in(command: Command, tmp_path: Path) -> None:
    wrong = tmp_path / "numbers.csv"
    wrong.write_text(CSV + "banana,patient,\n")
    told = command("import", str(wrong), code=2)["error"]
    assert (told["code"], told["field"]) == ("bad_field", "number")
    assert "line 4" in told["message"]
    wrong.write_bytes(b"\xff\xfe\x00")
    assert command("import", str(wrong), code=2)["error"]["field"] == "file"
    assert command("numbers") == []


def test_a_plan_is_the_sum_of_a_load(command: Command) -> None:
    assert command("plan", "--per-day", "20", "--life", "2")["numbers"] == 223


class Steps:
    """Click-to-calls that go on at each look."""

    def __init__(self, *states: Wish) -> None:
        self._left = list(states)

    async def ask(self, binding: str, owner: str, *, key: str = "") -> Wish:
        return self._left.pop(0)

    async def take(self, taker: str) -> Wish | None:
        raise NotImplementedError

    async def note(self, id: str, state: WishState, end: LegEnd | None = None) -> None:
        raise NotImplementedError

    async def forsaken(self, takers: frozenset[str]) -> int:
        raise NotImplementedError

    async def get(self, id: str, owner: str) -> Wish:
        return self._left.pop(0)


@pytest.mark.parametrize(
    ("end", "last"), [(LegEnd.COMPLETED, "done"), (LegEnd.NO_ANSWER, "done (no_answer)"), (None, "done")]
)
def test_a_click_to_call_is_followed_to_its_end(
    capsys: pytest.CaptureFixture[str], end: LegEnd | None, last: str
) -> None:
    waiting = Wish(id="wish-q", binding="binding-q", owner="hotline", state=WishState.WAITING, at=1.0)
    over = replace(waiting, state=WishState.DONE, end=end)
    steps = Steps(waiting, replace(waiting, state=WishState.TAKEN), over)
    args = argparse.Namespace(wait=True, json=False, owner="hotline")

    async def follow() -> Told:
        return await told_of(steps, await steps.ask("binding-q", "hotline"), args)

    told = asyncio.run(follow())
    assert (told.text, capsys.readouterr().out.split()) == (last, ["waiting", "taken"])
    at_once = asyncio.run(told_of(Steps(), waiting, argparse.Namespace(wait=False, json=True, owner="hotline")))
    assert at_once.text == "wish-q waiting"
