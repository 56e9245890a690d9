"""`triageline calls replay` over recordings as they lie on disk, sealed, with a dialogue that runs already."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from asr_models.bundled import unpack
from asr_models.catalog import read
from ivr.audio.format import FRAME_BYTES, frame_count
from ivr.replay import folder
from ivr.replay.tape import Tape, encode
from records.keys import keys_from_folder
from records.tapes import FileTapes
from tests.hotline.cli import SHARED, cli_here, environment
from tests.rasa_stack import RasaStack
from tests.replay.test_replays import CALLS

pytestmark = [pytest.mark.asr, pytest.mark.rasa]

Replay = Callable[..., CompletedProcess[str]]
PIECE = frame_count(2.0)


def seal(var: Path, call: str, tape: Tape) -> None:
    """A recording in pieces of two seconds, as a call leaves it."""
    kept = FileTapes(var / "tapes", keys_from_folder(var / "keys"), days=14)
    for start in range(0, tape.frames, PIECE):
        marks = [
            one for one in tape.marks if start <= one.frame < start + PIECE or one.frame >= tape.frames <= start + PIECE
        ]
        pcm = tape.pcm[start * FRAME_BYTES : (start + PIECE) * FRAME_BYTES]
        assert kept.keep(call, encode(tape.language, pcm, marks), last=start + PIECE >= tape.frames)
    kept.close()


@pytest.fixture
def run(tmp_path: Path, stack: RasaStack) -> Replay:
    """`triageline calls replay WORDS`."""
    unpack(read(), SHARED / "models")
    env = environment(tmp_path, TRIAGELINE_RASA_TOKEN=stack.token)
    return lambda *words: cli_here(env, "calls", "replay", "--dialogue", stack.url, *words)


def test_a_sealed_recording_is_run_again_by_its_id(run: Replay, tmp_path: Path) -> None:
    seal(tmp_path, "bcd", folder.load(CALLS / "person-by-voice"))
    done = run("bcd")
    assert (done.returncode, done.stdout) == (0, "call bcd: as it was\n"), done.stderr
    assert [line for line in done.stderr.splitlines() if "1 of 1: bcd" in line]
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert b"talk to a person" not in file.read_bytes(), file.name


def test_all_are_run_again_and_one_that_became_less_safe_or_unreadable_is_an_alarm(run: Replay, tmp_path: Path) -> None:
    danger = folder.load(CALLS / "emergency-by-key")
    keyless = tuple(
        one for one in danger.marks if one.kind != "key"
    )  # the same call, but the caller presses nothing now
    seal(tmp_path, "bcd", danger)
    seal(tmp_path, "fgh", replace(danger, marks=keyless))
    seal(tmp_path, "jkl", danger)
    (tmp_path / "tapes/jkl.tape").write_bytes(b"x" * 500)
    done = run("--all", "--json", str(tmp_path / "all.json"))
    assert done.returncode == 1, done.stdout
    rows = {line.split()[0]: line for line in done.stdout.splitlines() if line}
    assert rows["bcd"].endswith("ok")
    assert "ALARM" in rows["fgh"]
    assert "ok" not in rows["jkl"]
    assert {one["call"] for one in json.loads((tmp_path / "all.json").read_text())["calls"]} == {"bcd", "fgh", "jkl"}


@pytest.mark.parametrize("url", ["http://example.org:5005", "https://127.0.0.1:5005", "nonsense"])
def test_what_callers_said_is_sent_to_no_other_machine(run: Replay, tmp_path: Path, url: str) -> None:
    seal(tmp_path, "bcd", folder.load(CALLS / "person-by-key"))
    done = run("bcd", "--dialogue", url)
    assert done.returncode == 2
    assert "a Rasa on this machine" in done.stderr
