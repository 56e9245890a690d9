"""`triageline calls tapes` and `triageline calls replay`, as far as they start nothing."""

from pathlib import Path

import pytest

from config.settings import Records, Settings
from dialogs.port import Prompt
from ivr.bootstrap.doors import make_prompts
from ivr.replay import folder
from ivr.replay.recorder import Recorder
from records.keys import keys_from_folder
from records.tapes import FileTapes
from tests.calls.parts import ROOT
from tests.hotline.cli import cli_here, environment
from tests.replay.test_replays import CALLS

RASH = CALLS / "rash"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Settings of the test's own."""
    return environment(tmp_path)


def keep(var: Path, call: str, tape: Path) -> None:
    """A recording on disk."""
    source = folder.load(tape)
    kept = FileTapes(var / "tapes", keys_from_folder(var / "keys"), days=14)
    recorder = Recorder(kept, call, "en")
    for mark in source.marks:
        recorder.noted(mark.kind, mark.data)
    recorder.over()
    kept.close()


def test_nothing_is_recorded_unless_it_is_switched_on(env: dict[str, str]) -> None:
    done = cli_here(env, "calls", "tapes", "list")
    assert (done.returncode, done.stdout) == (0, "recording for test is off (records.tapes)\n0 recordings\n")
    assert Settings().records.tapes is False
    on = cli_here({**env, "TRIAGELINE_RECORDS__TAPES": "true"}, "calls", "tapes", "list")
    assert on.stdout.startswith("calls are being recorded for test")


def test_the_greeting_says_what_is_done() -> None:
    recording = Settings().model_copy(update={"records": Records(tapes=True)})
    plain, taped = make_prompts(Settings(), ROOT), make_prompts(recording, ROOT)
    greeting = Prompt(key="call.greeting")
    assert "recorded" not in plain.text(greeting, "en")
    assert "recorded" in taped.text(greeting, "en")
    assert taped.text(greeting, "en") in taped.fixed("en"), "rendered before the first call"


def test_list_and_remove(env: dict[str, str], tmp_path: Path) -> None:
    keep(tmp_path, "bcd", RASH)
    assert "whole  bcd" in cli_here(env, "calls", "tapes", "list").stdout
    assert cli_here(env, "calls", "tapes", "remove", "bcd").stdout == "removed\n"
    assert "0 recordings" in cli_here(env, "calls", "tapes", "list").stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("tapes", "remove", "nosuch"), "there is no recording with this id"),
        (("replay", "nosuch"), "there is no recording with this id"),
        (("replay", "../../etc/passwd"), "there is no recording with this id"),
        (("replay",), "name one call or folder"),
        (("replay", "x", "--all"), "name one call or folder"),
        (("replay", "x", "--since", "2026-11-01"), "--since goes with --all"),
        (("replay", str(RASH.parent)), "holds no call to replay"),
        (("replay", str(RASH), "--export", "x"), "--i-know-this-is-synthetic"),
        (("replay", "--all", "--export", "x", "--i-know-this-is-synthetic"), "for one call"),
        (("replay", str(RASH), "--export", str(RASH), "--i-know-this-is-synthetic"), "already holds a call"),
        (("replay", str(RASH), "--json", "no/such/folder/x.json"), "there is no folder"),
    ],
)
def test_a_mistake_is_one_sentence(env: dict[str, str], words: tuple[str, ...], says: str) -> None:
    done = cli_here(env, "calls", *words)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_nothing_to_replay_is_no_mistake(env: dict[str, str]) -> None:
    done = cli_here(env, "calls", "replay", "--all")
    assert (done.returncode, done.stdout) == (0, "there is no recording to replay\n")


def test_export_gives_the_same_call(env: dict[str, str], tmp_path: Path) -> None:
    done = cli_here(env, "calls", "replay", str(RASH), "--export", str(tmp_path / "x"), "--i-know-this-is-synthetic")
    assert (done.returncode, "in clear" in done.stdout) == (0, True)
    assert folder.load(tmp_path / "x") == folder.load(RASH)


def test_a_recording_is_found_by_its_id(env: dict[str, str], tmp_path: Path) -> None:
    keep(tmp_path, "bcd", RASH)
    done = cli_here(env, "calls", "replay", "bcd", "--export", str(tmp_path / "x"), "--i-know-this-is-synthetic")
    assert done.returncode == 0, done.stderr
    assert [one.kind for one in folder.load(tmp_path / "x").marks] == [one.kind for one in folder.load(RASH).marks]
